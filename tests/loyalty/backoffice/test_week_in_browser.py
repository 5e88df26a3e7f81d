"""A week of a marketing manager, by clicks from the home page: another rate, a weekend, a higher
threshold, and the figures."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import Campaign
from loyalty.models import EarningRuleVersion, Program, TierSet
from members.services.outbox import deliver_waiting
from tests.loyalty.factories import make_program, order, record

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LADDER = [
    {"code": "base", "name": "Member"},
    {"code": "silver", "name": "Silver", "threshold": 500, "color": "azure", "icon": "star"},
]
# From the home page, with home itself; what is typed does not count.
MOST_CLICKS = 20


@pytest.fixture
def club(transactional_db: None) -> Program:
    ago = timezone.now() - dt.timedelta(days=100)
    program = make_program(at=ago, tiers={"tiers": LADDER, "window": "rolling_12_months"})
    record(order("A", "673", at=ago), order("B", "120", at=ago, buyer="ben"), now=timezone.now())
    while deliver_waiting(100):
        pass
    return program


class Walk:
    """A page whose clicks are counted."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.clicks = 0

    def click(self, role: str, name: str | re.Pattern[str], *, within: Any = None) -> None:
        self.clicks += 1
        (within or self.page).get_by_role(role, name=name).first.click()

    def reads(self, words: str) -> None:
        self.page.get_by_text(words).first.wait_for()


def change_the_rate(walk: Walk, program: Program) -> None:
    walk.click("link", "Programs")
    walk.click("link", re.compile(program.name), within=walk.page.locator("main"))
    walk.click("link", "Earning rules", within=walk.page.locator("main"))
    walk.click("link", program.earning_rules.get().name, within=walk.page.locator("main"))
    walk.click("link", "Change")
    walk.page.locator("[name=units]").fill("2")
    walk.click("button", "Save draft")
    walk.click("link", "Publish")
    walk.click("button", "Publish rule", within=walk.page.get_by_role("dialog"))
    walk.reads("is live: it counts for orders placed from now on")


def raise_the_threshold(walk: Walk, program: Program) -> None:
    walk.click("link", program.name, within=walk.page.locator("main"))
    walk.click("link", "Tiers", within=walk.page.locator("main"))
    walk.click("link", "Edit the tiers")
    walk.page.locator("#id_tier-1-threshold").fill("700")
    walk.click("button", "Look at the effect")
    walk.click("button", "Save the tiers")
    walk.reads("The tiers were saved.")


def start_a_weekend(walk: Walk, program: Program) -> None:
    def local(at: dt.datetime) -> str:
        return f"{at.astimezone(program.zone):%Y-%m-%dT%H:%M}"

    now, page = timezone.now(), walk.page
    walk.click("link", "Promotions")
    walk.click("link", "Begin from a template")
    walk.click("button", re.compile("Double points weekend"))
    page.get_by_label("Begins", exact=True).fill(local(now - dt.timedelta(minutes=5)))
    page.get_by_label("Ends", exact=True).fill(local(now + dt.timedelta(days=2)))
    # Of ten who are to see it, one would be kept aside.
    page.locator("input[name=holdout]").fill("0")
    walk.click("button", "Save")
    walk.click("button", "Publish")
    walk.reads("It is live.")


def test_a_week_of_work_is_a_few_clicks_from_home(
    club: Program, sign_in: Callable[[str], Any]
) -> None:
    page = sign_in("marketing_manager")
    page.goto("/backoffice/")
    walk = Walk(page)
    change_the_rate(walk, club)
    published = EarningRuleVersion.objects.filter(status="published").order_by("number").last()
    assert published is not None
    assert published.number == 2
    raise_the_threshold(walk, club)
    assert TierSet.objects.count() == 2
    start_a_weekend(walk, club)
    assert Campaign.objects.get().status == Campaign.Status.LIVE
    walk.click("link", "Home")
    # What members hold, of both orders.
    expect(page.locator("#panel-figures")).to_contain_text("793")
    assert walk.clicks <= MOST_CLICKS
