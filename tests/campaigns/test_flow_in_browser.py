"""A weekend from all sides in one browser: a manager starts it from a template, a member sees how
long it lasts, buys twice as well, wins a challenge, and brings a friend,
whom somebody looks at first."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import Campaign, Referral
from loyalty.models import Program
from members.services.outbox import deliver_waiting
from tests.campaigns.challenges import launch
from tests.campaigns.referrals import promise
from tests.loyalty.account.test_joining import link_in_mail
from tests.loyalty.backoffice.test_week_in_browser import Walk, start_a_weekend
from tests.rewards.test_flows_in_browser import (  # noqa: F401
    Answer,
    club,
    has,
    join,
    now_text,
    page,
    send,
    sign_in_by_mail,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
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


def test_a_weekend_is_started_seen_used_won_and_shared(
    sign_in: Callable[[str], Any],
    club: Program,  # noqa: F811
    send: Callable[[str, Answer], Answer],  # noqa: F811
) -> None:
    now = timezone.now()
    launch(
        club, {"kind": "spend", "amount": 50}, at=now, starts_at=now, ends_at=now + 9 * DAY,
        units=500, title="Coffee week",
    )  # fmt: skip
    promise(club, at=now, wait_days=0)

    page = sign_in("marketing_manager")  # noqa: F811
    page.goto("/backoffice/")
    walk = Walk(page)
    start_a_weekend(walk, club)
    assert walk.clicks <= MOST_CLICKS
    weekend = Campaign.objects.get(name="Double points weekend")
    assert weekend.status == Campaign.Status.LIVE

    page.context.clear_cookies()
    join(page, "noor@example.com")
    told()
    [noor] = send("/till/people", {"email": "noor@example.com"})["members"]
    sign_in_by_mail(page, "noor@example.com")
    page.get_by_role("link", name="Earn", exact=True).first.click()
    page.get_by_text(weekend.title).first.wait_for()
    # Less than two days are left, and it says how many.
    expect(page.locator("time[data-countdown]").first).to_contain_text(re.compile(r"\d"))
    page.locator("section, article, li").filter(has_text="Coffee week").last.get_by_role(
        "button", name=re.compile("Take part")
    ).click()
    page.get_by_text("You take part.").wait_for()

    buy(send, noor["customer"], "A-1")
    # Ten for each dollar, twice.
    assert has(page) == "600"
    buy(send, noor["customer"], "A-2")
    assert has(page) == "1,700"
    page.goto("/me/challenges/")
    page.get_by_text("Done. It is yours.").wait_for()

    page.goto("/me/")
    page.get_by_role("link", name=re.compile("friend")).first.click()
    link = page.get_by_label("Your link", exact=True).input_value()
    befriend(page, urlsplit(link).path)
    told()
    noors = page.context.cookies()
    let_pass(sign_in("marketing_manager"))
    assert Referral.objects.get().status == "joined"
    [omar] = send("/till/people", {"email": "omar@example.com"})["members"]
    buy(send, omar["customer"], "B-1")
    page.context.clear_cookies()
    page.context.add_cookies(noors)
    assert has(page) == "2,000"


def let_pass(page: Any) -> None:  # noqa: F811
    """Both were on this computer, so somebody looks at it before anything is paid."""
    page.goto("/backoffice/")
    page.get_by_role("link", name="Approvals").first.click()
    page.get_by_role("link", name=re.compile("omar")).first.click()
    page.get_by_text("Both were at the same place on the network").first.wait_for()
    page.get_by_label("Why", exact=True).fill("They live together.")
    page.get_by_role("button", name="Let it pass").click()
    page.get_by_text("It goes on.").wait_for()


def befriend(page: Any, link: str) -> None:  # noqa: F811
    """Somebody else opens the link in a browser of their own, and joins."""
    here = "{0.scheme}://{0.netloc}".format(urlsplit(page.url))
    context = page.context.browser.new_context(base_url=here, locale="en-US", timezone_id="UTC")
    try:
        other = context.new_page()
        other.goto(link)
        other.get_by_role("textbox", name="E-mail").fill("omar@example.com")
        other.get_by_role("button", name=re.compile("Join")).click()
        other.get_by_role("heading", name="Look into your mailbox").wait_for()
        told()
        other.goto(link_in_mail())
        other.get_by_role("button", name="Yes, join").click()
        other.get_by_role("heading", name="You are in").wait_for()
    finally:
        context.close()
