"""A manager writes a pledge, looks at what was given, and pays out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import Charity
from loyalty.services.gifts import donate_units
from members.services.audit import SYSTEM
from tests.loyalty.backoffice.conftest import Member, url

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_manager_looks_after_giving(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    donate_units(
        wallet=ana.wallet, charity=Charity.objects.get().account, units=50, actor=SYSTEM,
        key="g1", source="account", now=timezone.now() - dt.timedelta(days=3),
    )  # fmt: skip
    page = sign_in("marketing_manager")
    page.goto(url("pledge_create", ana.program.code))
    page.get_by_label("What it is called").fill("A dollar for each order")
    page.get_by_label("So much for each").fill("1")
    page.get_by_label("Given in").select_option("money")
    assert_no_axe_violations(page)
    page.goto(url("giving", ana.program.code))
    assert_no_axe_violations(page)
    page.get_by_role("link", name="City Trees").first.click()
    page.get_by_role("link", name="Pay out").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Make the payout").click()
    page.get_by_role("heading", name="Payout 1").wait_for()
    assert_no_axe_violations(page)
    page.get_by_role("link", name="Mark as paid").click()
    dialog.get_by_label("Reference").fill("SEPA 1")
    assert_no_axe_violations(page)
    dialog.get_by_role("button", name="Mark as paid").click()
    page.get_by_text("SEPA 1").wait_for()
