"""Giving units that exist the terms of today, with a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from tests.loyalty.backoffice.conftest import Member
from tests.loyalty.backoffice.test_policy_changes import BEANS, address
from tests.loyalty.factories import make_program

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_manager_sees_who_loses_and_begins_it(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    unit = {**BEANS, "expiry": {"kind": "days", "length": 60}}
    make_program("beans", name="Bean Club", at=timezone.now(), unit=unit)
    page = sign_in("marketing_manager")
    page.goto(address("terms_apply"))
    effect = page.locator("#panel-terms-effect")
    effect.get_by_text("150\N{NO-BREAK SPACE}Beans · $1.50").wait_for()
    page.wait_for_load_state("networkidle")
    assert_no_axe_violations(page)
    page.get_by_label("Reason").fill("Agreed by the board")
    page.get_by_role("button", name="Apply to all Beans that exist").click()
    page.get_by_role("heading", name="Terms of Beans in Bean Club").wait_for()
    assert_no_axe_violations(page)
