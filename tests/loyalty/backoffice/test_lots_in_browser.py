"""Lots with a real browser: more time for units, seen before it is given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from members.formatting import format_day
from tests.loyalty.backoffice.conftest import Member
from tests.loyalty.factories import make_program, order, record

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_lot_gets_more_time(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    unit = {"singular": "Bean", "plural": "Beans", "expiry": {"kind": "days", "length": 10}}
    make_program("beans", name="Bean Club", time_zone="UTC", unit=unit)
    record(order("L-1", "30", at=timezone.now()))
    page = sign_in("support_agent")
    page.goto(f"/backoffice/customers/{ana.customer.public_id}/")
    lots = page.locator("#panel-lots")
    lots.get_by_role("link", name="Give more time").first.click()
    dialog = page.get_by_role("dialog")
    day = timezone.now().date() + dt.timedelta(days=60)
    dialog.get_by_label("Usable until").fill(day.isoformat())
    dialog.get_by_text(format_day(day)).wait_for()
    assert_no_axe_violations(page)
    dialog.get_by_label("Reason").fill("Was ill")
    dialog.get_by_role("button", name="Give more time").click()
    lots.get_by_text(format_day(day)).wait_for()
    assert_no_axe_violations(page)
