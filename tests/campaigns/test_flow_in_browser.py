"""A weekend from all sides in one browser: a manager starts it from a template, a member sees how
long it lasts, buys four times as well, wins a challenge, and brings a friend,
whom somebody looks at first."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import Campaign, Referral
from loyalty.models import Program
from members.services.outbox import deliver_waiting
from tests.campaigns.backoffice.campaigns import local
from tests.campaigns.challenges import launch
from tests.campaigns.referrals import make_member, promise
from tests.conftest import PHONE, WIDE
from tests.factories import CustomerFactory
from tests.loyalty.account.test_joining import link_in_mail
from tests.loyalty.backoffice.test_week_in_browser import Walk
from tests.rewards.test_flows_in_browser import (  # noqa: F401
    Answer,
    club,
    has,
    now_text,
    page,
    send,
)
from tests.sign_ins import signed_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
Check = Callable[[Any], None]
DAY = dt.timedelta(days=1)
# From the home page to "It is live."; what is typed does not count.
MOST_CLICKS = 6


def told() -> None:
    """What follows from what was written has happened, as a worker sees to within seconds."""
    while deliver_waiting(100):
        pass


def buy(send: Callable[[str, Answer], Answer], customer: str, number: str) -> None:  # noqa: F811
    bought = {"external_id": number, "currency": "USD", "total": "30.00", "placed_at": now_text()}
    send("/orders", bought | {"customer": {"id": customer}})
    told()


def start_a_weekend(walk: Walk, program: Program, assert_no_axe_violations: Check) -> Campaign:
    now, page = timezone.now(), walk.page  # noqa: F811
    walk.click("link", "Promotions")
    walk.click("link", "Begin from a template")
    assert_no_axe_violations(page)
    walk.click("button", re.compile("Double points weekend"))
    page.get_by_label("Name", exact=True).fill("Spring weekend")
    page.get_by_label("Times", exact=True).fill("4")
    page.get_by_label("Begins", exact=True).fill(local(now - dt.timedelta(minutes=5), program))
    page.get_by_label("Ends", exact=True).fill(local(now + DAY, program))
    # Of ten who are to see it, one would be kept aside.
    page.get_by_label("Percent kept aside").fill("0")
    # It is read out while one types.
    page.locator("#campaign-words", has_text="4").wait_for()
    assert_no_axe_violations(page)
    walk.click("button", "Save")
    walk.click("button", "Publish")
    walk.reads("It is live.")
    assert_no_axe_violations(page)
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return Campaign.objects.get(name="Spring weekend")


def test_a_weekend_is_started_seen_used_won_and_shared(
    sign_in: Callable[[str], Any],
    club: Program,  # noqa: F811
    send: Callable[[str, Answer], Answer],  # noqa: F811
    live_server: Any,
    assert_no_axe_violations: Check,
) -> None:
    now = timezone.now()
    launch(
        club, {"kind": "spend", "amount": 50}, at=now, starts_at=now, ends_at=now + 9 * DAY,
        units=500, title="Coffee week",
    )  # fmt: skip
    promise(club, at=now, wait_days=0)
    noor = CustomerFactory(external_id="noor", email="noor@example.com", with_user=True)
    make_member(club, "noor", at=now)

    page = sign_in("marketing_manager")  # noqa: F811
    page.goto("/backoffice/")
    walk = Walk(page)
    weekend = start_a_weekend(walk, club, assert_no_axe_violations)
    assert walk.clicks <= MOST_CLICKS
    assert weekend.status == Campaign.Status.LIVE

    told()
    cookie = signed_in(noor.user).cookies["sessionid"]
    own = [{"name": cookie.key, "value": cookie.value, "url": live_server.url}]
    page.context.add_cookies(own)
    takes_part(page, weekend, assert_no_axe_violations)
    buy(send, str(noor.public_id), "A-1")
    buy(send, str(noor.public_id), "A-2")
    page.goto("/me/challenges/")
    page.get_by_text("Done. It is yours.").wait_for()
    # Ten for each dollar, four times; and what the challenge gave.
    assert has(page) == "2,900"

    page.get_by_role("link", name=re.compile("friend")).first.click()
    link = page.get_by_label("Your link", exact=True).input_value()
    befriend(urlsplit(link).path)
    let_pass(sign_in("marketing_manager"))
    assert Referral.objects.get().status == "joined"
    [omar] = send("/till/people", {"email": "omar@example.com"})["members"]
    buy(send, omar["customer"], "B-1")
    page.context.add_cookies(own)
    assert has(page) == "3,200"


def takes_part(page: Any, weekend: Campaign, assert_no_axe_violations: Check) -> None:  # noqa: F811
    page.goto(reverse("campaigns_account:campaigns"))
    page.get_by_text(weekend.title).first.wait_for()
    # Less than two days are left, and it says how many hours.
    page.locator("time[data-countdown]", has_text=re.compile("hour")).wait_for()
    assert_no_axe_violations(page)
    page.goto("/me/")
    page.get_by_text(weekend.title).first.wait_for()
    page.get_by_role("link", name="Earn", exact=True).first.click()
    page.get_by_text(weekend.title).first.wait_for()
    page.locator("section, article, li").filter(has_text="Coffee week").last.get_by_role(
        "button", name=re.compile("Take part")
    ).click()
    page.get_by_text("You take part.").wait_for()


def befriend(link: str) -> None:
    """Somebody else opens the link in a browser of their own, and joins. How that looks:
    `test_referrals` of the back-office."""
    other = Client()
    other.get(link)
    other.post(link, {"email": "omar@example.com"})
    told()
    other.post(link_in_mail())
    told()


def let_pass(page: Any) -> None:  # noqa: F811
    """Both were on this computer, so somebody looks at it before anything is paid."""
    page.set_viewport_size(WIDE)
    page.goto(reverse("referrals_backoffice:referral_review"))
    asked = page.get_by_role("region", name=re.compile("omar"))
    expect(asked).to_contain_text("Both were at the same place on the network")
    asked.get_by_label("Why", exact=True).fill("They live together.")
    asked.get_by_role("button", name="Let it pass").click()
    page.get_by_text("It goes on.").wait_for()
