"""Insights → Overview and Cohorts in a real browser, wide and on a phone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import Program, TargetBand
from loyalty.services.insight_points import rebuild_points
from members.models import Customer, Segment, SegmentMember
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.factories import make_program, order, record

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def club(transactional_db: None) -> Program:
    tiers = [
        {"code": "base", "name": "Member"}, {"code": "silver", "name": "Silver", "threshold": 60},
    ]  # fmt: skip
    now = timezone.now()
    begun = now - dt.timedelta(days=130)
    club = make_program(at=begun, unit={"unit_value": "0.01"}, tiers={"tiers": tiers})
    orders = [
        order(f"A{who}-{turn}", str(20 + 15 * who), buyer=f"c{who}",
              at=begun + dt.timedelta(days=turn * 40 + who))
        for who in range(4) for turn in range(3)
    ]  # fmt: skip
    record(*sorted(orders, key=lambda item: item.placed_at), now=now)
    rebuild_points([club], now)
    return club


def test_both_pages_are_read_and_fit_and_a_band_is_changed_in_the_dialog(
    club: Program,
    sign_in: Callable[[str], Any],
    assert_in_order: Callable[[Any], None],
) -> None:
    page = sign_in("marketing_manager")
    few = Segment.objects.create(code="few", name="Few", kind="static")
    customer = Customer.objects.get(external_id="c1")
    SegmentMember.objects.create(segment=few, customer=customer, since=timezone.now())
    page.goto(f"{url('cohorts')}?other={few.public_id}&figure=revenue")
    page.get_by_text("Segments are as of today").wait_for()
    assert_in_order(page)
    page.goto(url("overview"))
    page.get_by_text("There is no control yet").wait_for()
    page.get_by_text("of the customers who buy are members").first.wait_for()
    assert_in_order(page)
    card = page.locator("#active_share")
    card.get_by_role("button", name="View as table").click()
    card.get_by_role("columnheader", name="It was").wait_for()
    card.get_by_role("link", name="Change band").click()
    page.locator("#dialog").get_by_label("From").fill("55")
    page.locator("#dialog").get_by_label("To").fill("")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("To be: at least 55%").wait_for()
    band = TargetBand.objects.get()
    assert (band.metric, band.low, band.high) == ("active_share", 55, None)
