"""What comes of it is shown in a dialog while one decides, with a real browser."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import Lot
from members.formatting import format_day
from tests.loyalty.backoffice.conftest import Member, url
from tests.loyalty.backoffice.test_settlements import BLOCKS, indebted
from tests.loyalty.factories import make_program, order, record

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_what_more_time_and_a_settled_debt_bring_is_shown_before(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    """Each on the page that the dialog is by itself, not above that of the customer."""
    page = sign_in("marketing_manager")
    unit = {"singular": "Bean", "plural": "Beans", "expiry": {"kind": "days", "length": 10}}
    make_program("beans", name="Bean Club", time_zone="UTC", unit=unit)
    record(order("L-1", "30", at=timezone.now()))
    lot = Lot.objects.get(transfer__order__external_id="L-1")
    page.goto(url("lot_extend", lot.pk))
    day = timezone.now().date() + dt.timedelta(days=60)
    page.get_by_label("Usable until").fill(day.isoformat())
    page.get_by_text(format_day(day)).wait_for()
    assert_no_axe_violations(page)

    indebted(ana, BLOCKS, "100")
    page.goto(url("wallet_settle", ana.wallet.pk))
    page.get_by_label("Take it from the balance").check()
    page.get_by_text("As many units are used up").wait_for()
    assert_no_axe_violations(page)
