"""A support agent's hour: who calls is found from the page that is open, first of all from the home
page; what they call about is read out from the customer's page, and settled there in at most three
clicks."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.services.referral_links import link_of
from loyalty.models import Membership, Program
from loyalty.services.expiry import write_down_expired
from members.formatting import format_day
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.customers import update_customer
from rewards.models import Voucher
from tests.campaigns.campaigns import launch
from tests.campaigns.games import live_game, play
from tests.campaigns.referrals import bring, promise
from tests.campaigns.surveys import make_survey, reply
from tests.conftest import AT_REST, PHONE, WIDE, show
from tests.loyalty.factories import (
    adjust,
    give_back,
    make_program,
    make_wallet,
    order,
    record,
    refund,
    wallet_of,
)
from tests.rewards.factories import offer, take

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Check = Callable[[Any], None]
MOST_CLICKS = 3
DAY = dt.timedelta(days=1)
NAME = "Ana Lima"
# Whatever is drawn is the same to who plays.
NEVER = [
    {"code": code, "kind": "nothing", "name": "Better luck", "weight": 1, "catches": code == "none"}
    for code in ("none", "neither")
]


class Desk:
    """The agent's place: a page, and how often something was clicked since the customer's page."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.clicks = 0

    @contextmanager
    def call(self, asked_for: str = NAME, *, heading: str = NAME) -> Iterator[Any]:
        """From the page that is open, which is nobody's of that name, to who calls, by what they
        say they are called or have."""
        if "/backoffice/" not in self.page.url:
            self.page.goto("/backoffice/")
        # They type when they see it: what is typed before is lost.
        self.page.wait_for_function(AT_REST)
        self.page.keyboard.press("/")
        self.page.keyboard.type(asked_for)
        found = self.page.locator("#search-results [role=option]").first
        expect(found).to_contain_text(asked_for)
        self.page.keyboard.press("ArrowDown")
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("heading", name=heading, level=1)).to_be_visible()
        with self.asked():
            yield self.page

    @contextmanager
    def asked(self, *, clicks: int = 0) -> Iterator[None]:
        """What else they want, with their page still open, or so many clicks away from it."""
        self.clicks = clicks
        yield
        assert self.clicks <= MOST_CLICKS

    def panel(self, key: str) -> Any:
        return self.page.locator(f"#panel-{key}")

    def click(self, place: Any) -> None:
        self.clicks += 1
        place.click()

    def leads(self, link: Any) -> str:
        """Where one more click leads; the page stays open for what else they want."""
        self.clicks += 1
        expect(link).to_be_visible()
        return str(link.get_attribute("href"))

    def reads(self, place: Any, *words: str) -> None:
        for text in words:
            expect(place).to_contain_text(text)

    def dialog(self, *words: str) -> Any:
        opened = self.page.get_by_role("dialog")
        self.reads(opened, *words)
        return opened

    def close(self) -> None:
        self.page.keyboard.press("Escape")
        expect(self.page.get_by_role("dialog")).to_have_count(0)


@pytest.fixture
def club() -> Program:
    return make_program(
        at=timezone.now() - 400 * DAY, name="Bean Club", time_zone="UTC",
        unit={
            "singular": "Bean", "plural": "Beans", "unit_value": "0.01",
            "expiry": {"kind": "days", "length": 60}, "gifts": {"to_members": True},
        },
        earning_rules=[
            {},
            {"code": "birthday", "name": "Birthday gift", "kind": "occasion", "units": 50},
        ],
        tiers={
            "window": "rolling_12_months",
            "tiers": [
                {"code": "leaf", "name": "Leaf", "threshold": "0"},
                {"code": "tree", "name": "Tree", "threshold": "500"},
            ],
        },
    )  # fmt: skip


@pytest.fixture
def ana(club: Program) -> Membership:
    """She bought, gave something back, let Beans expire, took a voucher, and has a second account;
    somebody bought as a guest, and a promotion is for students alone."""
    now = timezone.now()
    record(order("OLD-1", "30", at=now - 90 * DAY))
    record(order("NEW-1", "300", at=now - 5 * DAY))
    write_down_expired(now)
    give_back(refund("R-1", "50", of="NEW-1", at=now - 4 * DAY))
    record(order("GUEST-1", "20", at=now - DAY, buyer=None))
    customer = update_customer(
        customer=Customer.objects.get(external_id="c1"), actor=SYSTEM,
        changes={
            "given_name": "Ana", "family_name": "Lima", "email": "ana@example.com",
            # Ten days before she joined, in a year that has every day.
            "birthday": (now - 100 * DAY).date().replace(year=1992),
        },
    )  # fmt: skip
    member = Membership.objects.get(customer=customer)
    adjust(wallet_of(member.account_id), 500, "start", now=now - 3 * DAY)
    take(member, offer(club), at=now - 2 * DAY)
    launch(
        club, at=now - 2 * DAY, name="Students only", starts_at=now - DAY, ends_at=now + DAY,
        audience={"field": "customer.tags", "op": "has_any", "value": ["student"]},
    )  # fmt: skip
    second = make_wallet(club, "c9", now - DAY).account.membership.customer
    update_customer(
        customer=second, actor=SYSTEM, changes={"given_name": "Anna", "family_name": "Lima"}
    )
    return member


@pytest.fixture
def since(club: Program, ana: Membership) -> None:
    """She played and won nothing, answered a survey, and brought a friend who has not bought."""
    now = timezone.now()
    play(live_game(club, at=now - DAY, free_plays=2, prizes=NEVER), ana, at=now)
    reply(make_survey(club), ana)
    promise(club, at=now - 2 * DAY, least="20")
    link = link_of(ana, now - 2 * DAY)
    assert link is not None
    bring(link, "ben", at=now - DAY, given_name="Ben", family_name="Ode")


@pytest.fixture
def desk(sign_in: Callable[[str], Any]) -> Desk:
    return Desk(sign_in("support_agent"))


def test_an_hour_of_calls(
    desk: Desk, ana: Membership, since: None, assert_no_axe_violations: Check, assert_fits: Check
) -> None:
    with desk.call():  # Where are my points?
        movements = desk.panel("movements")
        desk.reads(movements, "Earned with order NEW-1", "+300 Beans")
        desk.click(movements.get_by_text("Why? Earned with order NEW-1"))
        desk.reads(movements, "300")
    what_is_on_the_page(desk, ana)
    where_it_is_on_the_page(desk, assert_no_axe_violations)
    show(desk.page, PHONE, dark_on_phones=True)
    assert_fits(desk.page)
    show(desk.page, WIDE, dark_on_phones=True)
    what_there_is_of_points_and_why(desk)
    what_is_done_for_them(desk, ana)
    what_is_in_its_menu(desk, ana, assert_no_axe_violations)
    data = what_leads_to_another_page(desk, assert_no_axe_violations)
    with desk.call("GUEST-1", heading="Order GUEST-1"):  # I bought without my card.
        desk.click(desk.page.get_by_role("link", name="Assign to a customer"))
        desk.dialog("Who bought this?")
        desk.close()
    what_is_handed_out_and_erased(desk, data, assert_no_axe_violations)


def what_is_on_the_page(desk: Desk, ana: Membership) -> None:
    """Read out without a click."""
    # My tier is wrong.
    desk.reads(desk.panel("tier"), "Leaf", "to reach Tree")
    # My birthday gift is missing.
    desk.reads(desk.panel("identity"), "Birthday", format_day(ana.customer.birthday))
    desk.reads(desk.panel("occasions"), "Birthday gift", "not given", "They joined on", "Next:")
    # Why do I not get this promotion?
    desk.reads(desk.panel("campaigns"), "Students only", "does not get it", "student")
    # My gift has not arrived. Charge my plan no more. My friend came.
    desk.reads(desk.panel("fulfillment"), "Send a gift or a note")
    desk.reads(desk.panel("plan"), "No paid plan.")
    desk.reads(desk.panel("challenges"), "In no challenge")
    # The game gave me nothing.
    games = desk.panel("games")
    desk.reads(games, "Spring wheel", "1 play now", "Better luck", "By chance: 50%")
    expect(games.get_by_role("link", name="How it was drawn")).to_be_visible()
    # I answered your survey, and got nothing.
    desk.reads(desk.panel("surveys"), "Spring", "Nothing is promised for this survey.")


def where_it_is_on_the_page(desk: Desk, assert_no_axe_violations: Check) -> None:
    page, tasks = desk.page, desk.panel("tasks")
    with desk.asked():  # Call me back.
        desk.click(tasks.get_by_text("New task"))
        tasks.get_by_label("What is to be done").fill("Call back about the mug")
        desk.click(page.locator("#add-task"))
        desk.reads(tasks, "Call back about the mug", "today")
    with desk.asked():  # Where on this long page is it?
        menu = page.get_by_role("navigation", name="On this page")
        desk.click(menu.locator("summary"))
        # With what was opened so far.
        assert_no_axe_violations(page)
        desk.click(menu.get_by_role("link", name="Surveys", exact=True))
        expect(desk.panel("surveys")).to_be_in_viewport()
        expect(menu.get_by_role("link", name="Lots")).to_be_hidden()
    with desk.asked():  # You have called me back.
        desk.click(tasks.get_by_role("button", name="Done: Call back"))
        desk.reads(tasks, "Done lately")


def what_there_is_of_points_and_why(desk: Desk) -> None:
    movements, timeline = desk.panel("movements"), desk.panel("timeline")
    with desk.asked():  # The refund took too much.
        desk.reads(movements, "−50 Beans")
        desk.click(movements.locator("details.why").nth(1))
    with desk.asked():  # They have expired.
        desk.page.locator("#movement-kind").select_option(label="Expired")
        desk.clicks += 1
        row = movements.get_by_role("row").nth(1)
        desk.reads(row, "−30 Beans")
        desk.click(row.get_by_role("link", name="Bring back"))
        desk.dialog("30 Beans")
        desk.close()
    shown = timeline.get_by_label("Show on the timeline")
    with desk.asked():  # Show me what happened.
        desk.reads(timeline, "Earned with order")
        shown.select_option(label="Membership and tier")
        desk.clicks += 1
        expect(timeline).not_to_contain_text("Earned with order")
        desk.reads(timeline, "Joined Bean Club")
    with desk.asked():  # Only what is about friends and games, please.
        shown.select_option(label="Friends, games and surveys")
        desk.clicks += 1
        desk.reads(timeline, "Brought Ben Ode", "Played Spring wheel", "Answered the survey")
        expect(timeline).not_to_contain_text("Joined Bean Club")


def what_is_done_for_them(desk: Desk, ana: Membership) -> None:
    page, rewards = desk.page, desk.panel("rewards")
    with desk.asked():  # My voucher is lost.
        desk.reads(rewards, "5 off", Voucher.objects.get(membership=ana).written)
        desk.click(rewards.get_by_label("Actions for 5 off"))
        desk.click(rewards.get_by_role("link", name="Cancel it"))
        desk.dialog("100 Beans")
        desk.close()
        # The link is hidden in its menu by now.
        expect(rewards.get_by_label("Actions for 5 off")).to_be_focused()
    with desk.asked():  # My phone number has changed.
        desk.click(page.locator("#edit-details"))
        desk.dialog().get_by_label("Phone").fill("+60123456789")
        desk.click(page.get_by_role("dialog").get_by_role("button", name="Save details"))
        desk.reads(desk.panel("identity"), "+60 12-345 6789")
    with desk.asked():  # Give some to my wife.
        desk.click(page.locator("#action-give"))
        desk.dialog("Beans")
        desk.close()
    with desk.asked():  # Redeem for me.
        desk.click(rewards.get_by_role("link", name="Take a reward"))
        desk.dialog("5 off")
        desk.close()
    with desk.asked():  # I get too many mails.
        desk.click(desk.panel("messages").get_by_role("link", name="What they want"))
        desk.dialog("Offers")
        desk.close()


def what_is_in_its_menu(desk: Desk, ana: Membership, assert_no_axe_violations: Check) -> None:
    page, wallets = desk.page, desk.panel("wallets")
    with desk.asked():  # I have lost my card.
        number = ana.card_number[-4:]
        desk.click(wallets.get_by_label("More about the membership in Bean Club"))
        desk.click(wallets.get_by_role("link", name="Replace a lost card"))
        desk.dialog(number).get_by_label("Reason").fill("Lost on the train")
        assert_no_axe_violations(page)
        desk.click(page.get_by_role("button", name="Give a new number"))
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(wallets.locator(".mono")).not_to_contain_text(number)


def what_leads_to_another_page(desk: Desk, assert_no_axe_violations: Check) -> str:
    """Each opened after the other; gives where all that is known of them is handed out."""
    page, wallets = desk.page, desk.panel("wallets")
    with desk.asked():  # My friend joined, and I got nothing.
        friends = desk.panel("referrals")
        desk.reads(friends, "Ben Ode", "has to buy for $20.00 or more at once by")
        friend = desk.leads(friends.get_by_role("link", name="Ben Ode"))
    with desk.asked():  # What happens to my Beans when I leave?
        desk.click(wallets.get_by_label("More about the membership in Bean Club"))
        tell = desk.leads(wallets.get_by_role("link", name="What to tell"))
    with desk.asked():  # They are somebody to look after.
        page.get_by_label("New tag").fill("regular guest")
        desk.click(page.locator("#add-tag"))
        tag = desk.panel("identity").get_by_role("link", name="regular guest")
        tagged = desk.leads(tag)
    with desk.asked():  # Send me all that you have about me.
        data = desk.leads(page.locator("#action-data"))
    with desk.asked():  # I have two accounts.
        desk.click(page.locator("#action-merge"))
        desk.click(page.get_by_role("link", name="Anna Lima"))
        expect(page.get_by_role("heading", name="Merge these two?")).to_be_visible()
    page.goto(friend)
    desk.reads(page.locator("main"), "Who brings a friend gets: 300 Beans.")
    page.goto(tell)
    desk.reads(page.locator("main"), "What happens to my points when I leave?", "until it")
    assert_no_axe_violations(page)
    page.goto(tagged)
    expect(page.locator("#customer-tag")).to_have_value("regular guest")
    desk.reads(page.locator("#results"), NAME)
    expect(page.locator("#results")).not_to_contain_text("Anna Lima")
    return data


def what_is_handed_out_and_erased(desk: Desk, data: str, assert_no_axe_violations: Check) -> None:
    page = desk.page
    page.goto(data)
    with desk.asked(clicks=1):  # Send me all that you have about me.
        desk.reads(page.locator("main"), "Orders", "Notes of the team")
        assert_no_axe_violations(page)
        desk.click(page.locator("#data-file"))
        expect(page.locator("#data-fetch")).to_be_visible()
        assert_no_axe_violations(page)
        with page.expect_download() as download:
            desk.click(page.locator("#data-fetch"))
        with zipfile.ZipFile(download.value.path()) as package:
            assert "NEW-1" in package.read("data.json").decode()
    with desk.asked(clicks=1):  # Forget me.
        desk.click(page.locator("#erase"))
        desk.reads(page.locator("main"), "Every movement stays", "They hold")
        assert_no_axe_violations(page)
        page.get_by_label("Their name, to be sure").fill(NAME)
        page.get_by_label("Reason").fill("Asked by mail")
        desk.click(page.get_by_role("button", name="Erase for good"))
        expect(page.get_by_role("heading", name="c1", level=1)).to_be_visible()
        desk.reads(desk.panel("movements"), "+300 Beans")
    assert not Customer.objects.filter(email="ana@example.com").exists()
