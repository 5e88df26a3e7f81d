"""The home page holds still while its panels come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from loyalty.models import Program
from loyalty.services.goals import Wanted, set_goal
from members.services.audit import SYSTEM
from tests.conftest import AT_REST, PHONE, WIDE, WIDTH_IN_USE
from tests.loyalty.factories import make_program, order, record

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# Chrome calls good what is below a tenth: https://web.dev/articles/cls
LITTLE = 0.05
WATCH = """
let sum = 0
const add = (entries) => {
  for (const entry of entries) if (!entry.hadRecentInput) sum += entry.value
}
const watcher = new PerformanceObserver((list) => add(list.getEntries()))
watcher.observe({type: "layout-shift", buffered: true})
window.shifted = () => {
  add(watcher.takeRecords())
  return sum
}
"""


@pytest.fixture
def club(transactional_db: None) -> Program:
    now = timezone.now()
    club = make_program(at=now - dt.timedelta(days=130), unit={"unit_value": "0.01"})
    orders = [
        order(f"A{who}-{turn}", str(20 + 15 * who), buyer=f"c{who}",
              at=now - dt.timedelta(days=90 - turn * 20 - who))
        for who in range(4) for turn in range(4)
    ]  # fmt: skip
    record(*sorted(orders, key=lambda item: item.placed_at), now=now)
    return club


def test_the_home_page_holds_still_while_its_panels_come(
    club: Program, sign_in: Callable[[str], Any]
) -> None:
    now = timezone.now()
    page = sign_in("administrator")
    page.add_init_script(WATCH)
    # Without a goal, with one, and with three.
    for more in ((), ("members",), ("member_revenue", "average_order")):
        for metric in more:
            wanted = Wanted(metric, Decimal(9000), now.date() + dt.timedelta(days=90), now.date())
            set_goal(program=club, wanted=wanted, actor=SYSTEM, now=now)
        for size in (WIDE, PHONE):
            page.set_viewport_size(size)
            # No figure is there from the time before.
            cache.clear()
            page.goto(reverse("backoffice:home"))
            expect(page.locator("[data-lazy][aria-busy]")).to_have_count(0)
            page.wait_for_function(AT_REST)
            page.evaluate(WIDTH_IN_USE)
            assert page.evaluate("window.shifted()") < LITTLE, (more, size)
