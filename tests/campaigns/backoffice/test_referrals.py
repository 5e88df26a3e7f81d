"""The screens of referrals: what is promised, who came by whom, the queue, affiliates; and a friend
who is brought in the browser."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import (
    Affiliate,
    AffiliatePayout,
    Referral,
    ReferralPayment,
    ReferralProgram,
    ReferralTerms,
)
from campaigns.services.affiliates import add_affiliate, overpaid, pay_month, report_of
from loyalty.models import Program
from loyalty.services.rules import set_four_eyes
from members.models import Customer
from members.services.audit import SYSTEM
from tests.campaigns.referrals import bring, brought_friend, buy, make_link, promise, settle
from tests.factories import CustomerFactory
from tests.loyalty.factories import give_back, make_program, refund
from tests.rewards.factories import offer
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
FORM = {
    "advocate_kind": "units", "advocate_units": "300", "friend_kind": "percent",
    "friend_percent": "10", "steps": "3: 500\n10: 900", "least": "20", "within_days": "60",
    "wait_days": "14", "newcomers_only": "on", "most_per_day": "5", "budget_units": "10000",
    "title": "Bring a friend", "friend_title": "Come in",
}  # fmt: skip


made_once = shared(lambda: make_program(at=timezone.now() - 90 * DAY, unit={"unit_value": "0.01"}))


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


def url(name: str, *args: Any) -> str:
    return reverse(f"referrals_backoffice:{name}", args=args)


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def said(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_what_is_promised_is_written_published_and_paused(manager: Client, club: Program) -> None:
    assert "Nobody has brought a friend yet" in page(manager, url("referral_list"))
    empty = page(manager, url("referral_program", club.code))
    assert "Nothing is promised yet" in empty
    assert url("referral_edit", club.code) in empty
    saved = manager.post(url("referral_edit", club.code), FORM, follow=True)
    assert said(saved) == ["Saved. It holds once it is published."]
    assert not ReferralTerms.objects.exists()
    state = url("referral_state", club.code)
    manager.post(state, {"do": "publish"})
    terms = ReferralTerms.objects.get()
    assert terms.body["steps"][1] == {
        "friends": 10, "gift": {"kind": "units", "units": "900"},
    }  # fmt: skip
    shown = page(manager, url("referral_program", club.code))
    assert "From friend number 10 on: 900 points." in shown
    assert "The friend gets: 10% of the first purchase in points." in shown
    manager.post(state, {"do": "pause"})
    assert ReferralProgram.objects.get().status == "paused"
    manager.post(state, {"do": "resume"})
    assert ReferralProgram.objects.get().status == "live"
    # The form shows what holds.
    edit = page(manager, url("referral_edit", club.code))
    assert 'value="300"' in edit
    assert "3: 500 10: 900" in edit


def test_shares_of_further_purchases_are_written_and_shown(manager: Client, club: Program) -> None:
    edit = url("referral_edit", club.code)
    for changes, field, words in (
        ({"friend_further_orders": "3"}, "friend_further_percent", "Say how many percent"),
        ({"advocate_further_percent": "5"}, "advocate_further_orders", "for how many orders"),
        ({"advocate_further_percent": "101", "advocate_further_orders": "1"},
         "advocate_further_percent", "100"),
    ):  # fmt: skip
        refused = manager.post(edit, FORM | changes)
        assert refused.status_code == 422
        assert words in str(refused.context["form"].errors[field])
    further = {"advocate_further_percent": "5", "advocate_further_orders": "10",
               "advocate_further_months": "12", "advocate_further_most": "2000"}  # fmt: skip
    assert manager.post(edit, FORM | further | {"wait_days": "0"}).status_code == 302
    manager.post(url("referral_state", club.code), {"do": "publish"})
    assert ReferralTerms.objects.get().body["advocate_further"] == {
        "percent": "5", "orders": 10, "months": 12, "most": "2000",
    }  # fmt: skip
    shown = page(manager, url("referral_program", club.code))
    assert "5% of the friend&#x27;s further purchases in points, for 10 orders, 12 months." in shown
    now = timezone.now()
    found = bring(make_link(club, at=now), at=now)
    for number in (1, 2):
        buy(at=now, name=f"order-{number}")
        settle(found, now)
    assert "Who brought them: 250 points · Order order-2" in page(
        manager, url("referral", found.public_id)
    )
    assert "Further purchases paid for" in page(manager, url("referral_program", club.code))
    assert 'name="advocate_further_months" value="12"' in page(manager, edit)


SAID_IN_A_FILE = [
    {"friends": 2, "gift": {"kind": "units", "units": "400"}},
    {"friends": 5, "gift": {"kind": "reward", "reward": "mug"}},
    {"friends": 9, "gift": {"kind": "percent", "percent": "5"}},
]


def test_steps_that_the_form_does_not_show_stay_as_they_are(manager: Client, club: Program) -> None:
    offer(club, "mug")
    promise(club, at=timezone.now(), steps=SAID_IN_A_FILE)
    edit = url("referral_edit", club.code)
    assert ">2: 400</textarea>" in re.sub(r">\s+", ">", page(manager, edit))
    assert manager.post(edit, FORM | {"steps": "3: 500\n10: 900"}).status_code == 302
    steps = ReferralProgram.objects.get().draft["steps"]
    assert [step["friends"] for step in steps] == [3, 5, 9, 10]
    assert steps[1:3] == SAID_IN_A_FILE[1:]
    # They count, and nothing stands beside them for the same friend.
    too_many = manager.post(edit, FORM | {"steps": "2: 1\n3: 2\n4: 3\n6: 4"})
    assert "At most 5 steps" in str(too_many.context["form"].errors["steps"])
    twice = manager.post(edit, FORM | {"steps": "5: 10"})
    assert "Each step begins with more friends" in str(twice.context["form"].errors["steps"])


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"advocate_units": ""}, "advocate_units", "say how much"),
        ({"steps": "many"}, "steps", "Write each line as 3: 500"),
        ({"steps": "5: 10\n3: 20"}, "steps", "Each step begins with more friends"),
        ({"friend_percent": "101"}, "friend_percent", "100"),
        ({"wait_days": "400"}, "wait_days", "180"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    manager: Client, club: Program, changes: dict[str, str], field: str, words: str
) -> None:
    answer = manager.post(url("referral_edit", club.code), FORM | changes)
    assert answer.status_code == 422
    assert words in str(answer.context["form"].errors[field])
    assert not ReferralProgram.objects.exists()


def test_texts_are_written_in_other_languages(manager: Client, club: Program) -> None:
    promise(club)
    address = url("referral_texts", club.code) + "?language=ms"
    assert "Invite a friend" in page(manager, address)
    manager.post(address, {"title": "Ajak kawan"})
    draft = ReferralProgram.objects.get().draft
    assert draft["texts"]["ms"]["title"] == "Ajak kawan"
    page(manager, url("referral_texts", club.code) + "?language=xx", 404)


def test_the_writer_does_not_publish_where_two_look(manager: Client, club: Program) -> None:
    set_four_eyes(program=club, on=True, actor=SYSTEM)
    manager.post(url("referral_edit", club.code), FORM)
    assert "somebody else publishes it" in page(manager, url("referral_program", club.code))
    answer = manager.post(url("referral_state", club.code), {"do": "publish"}, follow=True)
    assert said(answer) == ["Somebody else has to publish it."]
    assert not ReferralTerms.objects.exists()


def test_the_queue_shows_why_and_somebody_decides(
    manager: Client, agent: Client, club: Program
) -> None:
    promise(club, at=timezone.now())
    link = make_link(club, "ann", at=timezone.now(), email="ann@shop.test", given_name="Ann")
    found = bring(link, at=timezone.now(), email="ann+b@shop.test", given_name="Ben")
    queue = page(manager, url("referral_review"))
    assert "Both have the same e-mail address" in queue
    approvals = page(manager, reverse("loyalty_backoffice:approval_list"))
    assert url("referral", found.public_id) in approvals
    own = url("referral", found.public_id)
    assert "A marketing manager decides." in page(agent, own)
    assert agent.post(url("referral_decide", found.public_id)).status_code == 403
    decide = url("referral_decide", found.public_id)
    assert said(manager.post(decide, {"do": "approve"}, follow=True)) == ["Say why."]
    manager.post(decide, {"do": "approve", "note": "Twins"})
    assert Referral.objects.get().status == "joined"
    assert "decided: Twins" in page(manager, own)
    manager.post(decide, {"do": "refuse", "note": "No twins"})
    assert "Refused after a look at it" in page(manager, own)
    assert "Nothing to look at" in page(manager, url("referral_review"))
    assert "Ben" in page(manager, url("referral_list") + "?status=refused")
    assert "None of these" in page(manager, url("referral_list") + "?status=paid")


def test_a_customers_page_tells_of_both_sides_and_takes_a_code(
    agent: Client, club: Program
) -> None:
    promise(club, at=timezone.now())
    link = make_link(club, "ann", at=timezone.now(), given_name="Ann")
    make_link(club, "ben", at=timezone.now(), given_name="Ben")
    ben = Customer.objects.get(external_id="ben")
    panel = page(agent, url("referral_panel", ben.public_id))
    assert "brought 0 friends" in panel
    member = ben.memberships.get()
    post = url("referral_code", ben.public_id)
    body = {"membership": member.public_id, "code": "wrong"}
    assert said(agent.post(post, body, follow=True)) == ["There is no such code of a friend."]
    agent.post(post, body | {"code": link.code})
    assert Referral.objects.get().via == "staff"
    assert "Came by" in page(agent, url("referral_panel", ben.public_id))
    ann = Customer.objects.get(external_id="ann")
    assert "brought 1 friend," in page(agent, url("referral_panel", ann.public_id))


def test_affiliates_earn_by_month_and_are_marked_as_paid_once(
    manager: Client, club: Program, client: Client
) -> None:
    then = timezone.now() - 40 * DAY
    promise(club, at=then, wait_days=0, friend={})
    listing = url("affiliate_list", club.code)
    answer = manager.post(
        listing, {"name": "Blog", "email": "b@blog.test", "per_friend": "5", "percent": "10"},
        follow=True,
    )  # fmt: skip
    affiliate = Affiliate.objects.get()
    secret = re.search(r"http[^ <]+/refer/partner/[^ <]+/", answer.content.decode())
    assert secret is not None
    found = bring(affiliate.link, at=then)
    buy(at=then + DAY, total="50")
    assert settle(found, then + DAY).status == "paid"
    payment = ReferralPayment.objects.get()
    assert (payment.side, payment.money) == ("affiliate", Decimal("10.0000"))
    month = report_of(affiliate)[0].month
    act = url("affiliate_act", affiliate.public_id)
    for _again in range(2):
        manager.post(act, {"do": "pay", "month": f"{month:%Y-%m}", "note": "=Transfer"})
    assert AffiliatePayout.objects.get().money == Decimal("10.0000")
    text = manager.get(url("affiliate_report", affiliate.public_id)).getvalue().decode()
    assert f"{month:%Y-%m},1,10.00,USD,10.00," in text
    assert "'=Transfer" in text
    # Their own page needs no sign-in, and another address makes this one useless.
    own = secret.group().partition("//")[2].partition("/")[2]
    shown = client.get(f"/{own}")
    assert "$10.00" in shown.content.decode()
    manager.post(act, {"do": "renew"})
    assert client.get(f"/{own}").status_code == 404
    # What goes back afterwards is named.
    give_back(refund("R", "50", of="ben-1", at=then + 3 * DAY))
    assert settle(found, then + 3 * DAY).status == "taken_back"
    assert overpaid(affiliate) == Decimal("10.00")
    manager.post(act, {"do": "stop"})
    affiliate.refresh_from_db()
    assert affiliate.stopped_at is not None


def test_a_month_that_is_not_over_is_not_paid(manager: Client, club: Program) -> None:
    now = timezone.now()
    _referral, affiliate = brought_friend(club)
    promise(club, at=now, wait_days=0, friend={})
    found = bring(affiliate.link, "eve", at=now)
    buy("eve", at=now)
    settle(found, now)
    act = url("affiliate_act", affiliate.public_id)
    month = report_of(affiliate)[0].month
    answer = manager.post(act, {"do": "pay", "month": f"{month:%Y-%m}"}, follow=True)
    assert said(answer) == ["This month is not over yet."]
    answer = manager.post(act, {"do": "pay", "month": "2001-01"}, follow=True)
    assert said(answer) == ["There is nothing to pay for this month."]


def test_the_list_asks_as_often_for_many_as_for_few(
    manager: Client, club: Program, django_assert_max_num_queries: Any
) -> None:
    promise(club)
    link = make_link(club)
    bring(link, "a")
    with django_assert_max_num_queries(25) as few:
        page(manager, url("referral_list"))
    for name in "bcde":
        bring(link, name)
    with django_assert_max_num_queries(len(few)):
        page(manager, url("referral_list"))


def test_the_affiliates_ask_as_often_for_many_as_for_few(
    manager: Client, club: Program, django_assert_max_num_queries: Any
) -> None:
    then = timezone.now() - 70 * DAY
    promise(club, at=then, wait_days=0, friend={})

    def earning(name: str, friend: str) -> Affiliate:
        rates = {"per_friend": Decimal(5), "percent": Decimal(0)}
        made, _page = add_affiliate(
            referral_program=ReferralProgram.objects.get(), name=name, email="", actor=SYSTEM,
            now=then, **rates,
        )  # fmt: skip
        for number, days in enumerate((1, 40)):
            found = bring(made.link, f"{friend}{number}", at=then + days * DAY)
            buy(f"{friend}{number}", at=then + days * DAY)
            settle(found, then + days * DAY)
        return made

    first = earning("Blog", "a")
    pay_month(
        affiliate=first, month=report_of(first)[-1].month, note="", actor=SYSTEM,
        now=timezone.now(),
    )  # fmt: skip
    listing = url("affiliate_list", club.code)
    page(manager, listing)
    with django_assert_max_num_queries(30) as few:
        page(manager, listing)
    for name in "bcd":
        earning(name, name)
    with django_assert_max_num_queries(len(few)):
        rows = manager.get(listing).context["rows"]
    # A month of the first was paid, and each brings 5 in each of two.
    assert [(item.name, owed) for item, owed in rows] == [
        ("Blog", Decimal(5)), ("b", Decimal(10)), ("c", Decimal(10)), ("d", Decimal(10)),
    ]  # fmt: skip


@pytest.mark.browser
def test_a_manager_promises_and_a_friend_opens_the_link(
    sign_in: Callable[[str], Any], club: Program, live_server: Any,
    assert_no_axe_violations: Callable[[Any], None],
) -> None:  # fmt: skip
    CustomerFactory(external_id="ana", with_user=True, given_name="Ana")
    page = sign_in("marketing_manager")
    page.goto(f"{live_server.url}{url('referral_edit', club.code)}")
    page.locator("#id_advocate_kind").select_option("units")
    page.locator("#id_advocate_units").fill("300")
    page.locator("#id_friend_kind").select_option("none")
    expect(page.locator("#id_friend_units")).to_be_hidden()
    page.locator("#id_advocate_further_percent").fill("2")
    page.locator("#id_advocate_further_orders").fill("10")
    page.set_viewport_size({"width": 390, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 1440, "height": 900})
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("It holds for friends who come from now on.").first).to_be_visible()
    expect(page.get_by_text("2% of the friend's further purchases in points").first).to_be_visible()
    assert_no_axe_violations(page)
    link = make_link(club, "ana", at=timezone.now())
    found = bring(link, "ben", at=timezone.now(), given_name="Ben")
    for address in (url("referral_list"), url("referral", found.public_id),
                    url("affiliate_list", club.code)):  # fmt: skip
        page.goto(f"{live_server.url}{address}")
        assert_no_axe_violations(page)
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.context.clear_cookies()
    page.goto(f"{live_server.url}{reverse('referrals:invited', args=[link.code])}")
    expect(page.get_by_text("Ana invites you")).to_be_visible()
    assert_no_axe_violations(page)
    page.get_by_role("textbox", name="E-mail").fill("cat@friends.test")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("cat@friends.test")).to_be_visible()


def test_steps_are_in_units_of_their_own(manager: Client) -> None:
    units = [{"code": name, "singular": name[:-1], "plural": name} for name in ("dots", "gems")]
    club = make_program("two", at=timezone.now() - 9 * DAY, wallet_types=units, earning_rules=[])
    edit = url("referral_edit", club.code)
    two = FORM | {"advocate_unit": "dots", "friend_unit": "gems", "steps": "3: 500 gems\n9: 900"}
    assert manager.post(edit, two).status_code == 302
    steps = ReferralProgram.objects.get().draft["steps"]
    assert [step["gift"]["unit"] for step in steps] == ["gems", "dots"]
    html = page(manager, edit)
    assert "3: 500 gems 9: 900</textarea>" in re.sub(r">\s+", ">", html)
    assert manager.post(edit, two).status_code == 302
    assert ReferralProgram.objects.get().draft["steps"] == steps
    wrong = manager.post(edit, two | {"steps": "3: 500 stars"})
    assert "There are no units “stars”." in str(wrong.context["form"].errors["steps"])
