"""The screens of promotions: begun from a template, written, published, watched, ended; and a
weekend that a manager starts in the browser."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import Campaign
from campaigns.services.campaigns import ask_to_publish, publish_campaign
from loyalty.models import Backtest, Membership, Program
from loyalty.services.rules import set_four_eyes
from members.models import Customer, Segment
from members.services.audit import SYSTEM, Actor
from tests.campaigns.campaigns import draft, launch
from tests.factories import CustomerFactory
from tests.loyalty.factories import make_program, make_wallet, order, record, spendable

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
Status = Campaign.Status


@pytest.fixture
def club() -> Program:
    return make_program(at=timezone.now() - 90 * DAY, time_zone="Europe/Athens")


def url(name: str, *args: Any) -> str:
    return reverse(f"campaigns_backoffice:{name}", args=args)


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def local(at: dt.datetime, program: Program) -> str:
    return f"{at.astimezone(program.zone):%Y-%m-%dT%H:%M}"


def filled(campaign: Campaign, **changes: str) -> dict[str, str]:
    """The form as it is shown, with changes."""
    now = timezone.now()
    sent = {
        "name": campaign.name, "title": campaign.title, "factor": "2", "audience": "",
        "holdout": "0", "starts_at": local(now - DAY, campaign.program),
        "ends_at": local(now + DAY, campaign.program), "metric": "",
    }  # fmt: skip
    return sent | changes


def begin(manager: Client, program: Program, template: str = "points-weekend") -> Campaign:
    sent = {"program": program.code, "template": template}
    answer = manager.post(url("campaign_create"), sent)
    campaign = Campaign.objects.select_related("program").latest("pk")
    assert answer["Location"] == url("campaign_edit", campaign.public_id)
    return campaign


def test_the_empty_list_teaches_and_leads_to_the_templates(manager: Client, club: Program) -> None:
    assert "Begin from a template" in page(manager, url("campaign_list"))
    assert page(manager, url("campaign_gallery")).count('name="template"') == 18


def test_a_promotion_is_begun_written_and_published(manager: Client, club: Program) -> None:
    campaign = begin(manager, club)
    address = url("campaign_edit", campaign.public_id)
    assert "For every member." in page(manager, address)
    sent = filled(campaign, name="Spring weekend", factor="3", budget_units="500", per_member="80")
    assert manager.post(address, sent).status_code == 302
    campaign.refresh_from_db()
    assert (campaign.name, campaign.offer) == (
        "Spring weekend", {"factor": "3", "per_member": "80"}
    )  # fmt: skip
    assert campaign.budget_units == 500
    state = url("campaign_state", campaign.public_id)
    manager.post(state, {"do": "publish"})
    campaign.refresh_from_db()
    assert campaign.status == Status.LIVE
    record(order("A", "10", at=timezone.now()))
    assert spendable(at=timezone.now()) == 30
    shown = page(manager, url("campaign", campaign.public_id))
    assert "20 points of 500 points" in shown
    assert "Spring weekend" in page(manager, url("campaign_list"))
    manager.post(state, {"do": "pause"})
    record(order("B", "10", at=timezone.now()))
    assert spendable(at=timezone.now()) == 40
    manager.post(state, {"do": "resume"})
    manager.post(state, {"do": "end"})
    campaign.refresh_from_db()
    assert campaign.status == Status.ENDED


def test_the_words_follow_what_is_typed_and_nothing_is_saved(
    manager: Client, club: Program
) -> None:
    campaign = begin(manager, club)
    address = url("campaign_edit", campaign.public_id)
    said = manager.post(address, filled(campaign, factor="5", preview="1")).content.decode()
    assert "5" in said
    assert "For every member." in said
    wrong = manager.post(address, filled(campaign, factor="one", preview="1")).content.decode()
    assert "Times: Enter a number." in wrong
    campaign.refresh_from_db()
    assert campaign.offer == {}


@pytest.mark.parametrize(
    ("template", "wrong", "message"),
    [
        ("points-weekend", {"factor": "1"}, "1.01"),
        ("points-weekend", {"ends_at": "2020-01-01T00:00"}, "It has to end after it begins."),
        ("points-weekend", {"target": "5"}, "say of which figure."),
        ("points-weekend", {"holdout": "60"}, "50"),
        ("off-by-basket", {"brackets": "50 is 5"}, "Write each line as 50: 5"),
        ("off-by-basket", {"brackets": "NaN: 5\n50: 5"}, "Write each line as 50: 5"),
        ("happy-hours", {"from_time": "10:00"}, "give both hours, or none."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    manager: Client, club: Program, template: str, wrong: dict[str, str], message: str
) -> None:
    campaign = begin(manager, club, template)
    answer = manager.post(url("campaign_edit", campaign.public_id), filled(campaign, **wrong))
    assert answer.status_code == 422
    assert message in answer.content.decode()


def test_lists_and_brackets_are_typed_in_lines(manager: Client, club: Program) -> None:
    campaign = begin(manager, club, "off-by-basket")
    sent = filled(campaign, brackets="100: 10\n50: 5 %", categories="Tea\nJam\n\nTea")
    manager.post(url("campaign_edit", campaign.public_id), sent)
    campaign.refresh_from_db()
    assert campaign.offer["categories"] == ["Tea", "Jam"]
    assert [item["above"] for item in campaign.offer["brackets"]] == ["50", "100"]
    again = page(manager, url("campaign_edit", campaign.public_id))
    assert "50: 5 100: 10" in again


def test_an_audience_of_what_is_gone_is_refused_at_its_field(
    manager: Client, club: Program
) -> None:
    Segment.objects.create(code="vip", name="VIP")
    audience = {"field": "customer.segments", "op": "has_any", "value": ["vip"]}
    campaign = draft(club, audience=audience)
    Segment.objects.update(archived_at=timezone.now())
    address = url("campaign_edit", campaign.public_id)
    kept = filled(campaign, audience=json.dumps(audience))
    answer = manager.post(address, kept)
    assert answer.status_code == 422
    assert "vip" in answer.content.decode()
    assert manager.post(address, filled(campaign)).status_code == 302
    campaign.refresh_from_db()
    assert campaign.audience == {}


def test_what_no_text_can_hold_is_left_out(manager: Client, club: Program) -> None:
    sent = {"program": "\x00", "template": "flash"}
    assert manager.post(url("campaign_create"), sent)["Location"] == url("campaign_gallery")
    campaign = begin(manager, club)
    assert campaign.author is not None
    asker = Actor.of_user(campaign.author)
    ask_to_publish(campaign=campaign, actor=asker, now=timezone.now())
    manager.post(
        url("campaign_state", campaign.public_id), {"do": "send_back", "note": "Too\x00 much"}
    )
    campaign.refresh_from_db()
    assert campaign.sent_back == "Too much"


def test_only_a_draft_can_be_changed(manager: Client, club: Program) -> None:
    campaign = publish_campaign(campaign=begin(manager, club), actor=SYSTEM, now=timezone.now())
    assert manager.get(url("campaign_edit", campaign.public_id)).status_code == 302
    manager.post(url("campaign_state", campaign.public_id), {"do": "withdraw"})
    campaign.refresh_from_db()
    assert campaign.status == Status.DRAFT
    manager.post(url("campaign_act", campaign.public_id), {"act": "copy"})
    assert Campaign.objects.count() == 2
    manager.post(url("campaign_act", campaign.public_id), {"act": "delete"})
    assert Campaign.objects.count() == 1


def test_what_keeps_it_from_being_published_is_said(manager: Client, club: Program) -> None:
    campaign = begin(manager, club, "boost")
    assert "Name a category, a product or a tag." in page(
        manager, url("campaign", campaign.public_id)
    )
    answer = manager.post(url("campaign_state", campaign.public_id), {"do": "publish"}, follow=True)
    assert "Name a category, a product or a tag." in answer.content.decode()


def test_a_second_person_publishes_or_sends_it_back(
    manager: Client, client_of: Callable[[str], Client], club: Program
) -> None:
    set_four_eyes(program=club, on=True, actor=SYSTEM)
    campaign = begin(manager, club)
    own = page(manager, url("campaign", campaign.public_id))
    assert "Ask for approval" in own
    assert "Publish" not in own
    manager.post(url("campaign_act", campaign.public_id), {"act": "ask"})
    manager.post(url("campaign_state", campaign.public_id), {"do": "publish"})
    campaign.refresh_from_db()
    assert campaign.status == Status.DRAFT
    other = client_of("administrator")
    assert "Waits for approval" in page(other, url("campaign_list"))
    state = url("campaign_state", campaign.public_id)
    other.post(state, {"do": "send_back", "note": "Too generous"})
    assert "Too generous" in page(manager, url("campaign", campaign.public_id))
    ask_to_publish(
        campaign=campaign, now=timezone.now(),
        actor=type(SYSTEM).of_user(Campaign.objects.get().author),
    )  # fmt: skip
    other.post(state, {"do": "publish"})
    campaign.refresh_from_db()
    assert campaign.status == Status.SCHEDULED


def test_it_can_be_tried_on_real_orders(manager: Client, club: Program) -> None:
    campaign = begin(manager, club)
    record(order("A", "10", at=timezone.now() - 5 * DAY))
    answer = manager.post(url("campaign_forecast", campaign.public_id))
    backtest = Backtest.objects.get()
    assert answer["Location"].endswith(f"/backtests/{backtest.public_id}/")
    assert "trial-campaign-double-points-weekend" in str(backtest.draft)


def test_staff_see_whether_a_member_gets_it(manager: Client, club: Program) -> None:
    make_wallet(club, "ana")
    Customer.objects.filter(external_id="ana").update(tags=["vip"])
    make_wallet(club, "bo")
    audience = {"field": "customer.tags", "op": "has_any", "value": ["vip"]}
    campaign = draft(club, audience=audience)
    address = url("campaign", campaign.public_id)
    assert "gets it." in page(manager, f"{address}?member=ana")
    assert "is not among those it is for." in page(manager, f"{address}?member=bo")
    assert "There is no such member" in page(manager, f"{address}?member=nobody")


def test_texts_are_written_in_other_languages(manager: Client, club: Program) -> None:
    campaign = draft(club, teaser="Soon")
    address = f"{url('campaign_texts', campaign.public_id)}?language=el"
    assert "Spring points" in page(manager, address)
    manager.post(address, {"title": "Πόντοι", "teaser": ""})
    campaign.refresh_from_db()
    assert campaign.texts["el"]["title"] == "Πόντοι"


def test_the_calendar_shows_it_and_what_it_meets(manager: Client, club: Program) -> None:
    now = timezone.now()
    for name in ("Weekend", "Night"):
        launch(club, name=name, at=now, starts_at=now, ends_at=now + 3 * DAY)
    shown = page(manager, reverse("loyalty_backoffice:rule_calendar", args=[club.code]))
    assert "Two of them meet" in shown
    assert "“Night” multiplies too: where both do, only the larger counts." in shown
    rule = club.earning_rules.filter(source__startswith="campaign:").first()
    assert rule is not None
    led = manager.get(reverse("loyalty_backoffice:rule_by_id", args=[rule.pk]), follow=True)
    assert led.redirect_chain[-1][0] == url(
        "campaign", Campaign.objects.get(name="Weekend").public_id
    )


@pytest.mark.browser
def test_a_manager_starts_a_weekend_and_a_member_sees_it_and_earns(
    sign_in: Callable[[str], Any], club: Program, live_server: Any,
    assert_no_axe_violations: Callable[[Any], None],
) -> None:  # fmt: skip
    CustomerFactory(external_id="ana", with_user=True)
    make_wallet(club, "ana", at=timezone.now() - DAY)
    page = sign_in("marketing_manager")
    page.goto(f"{live_server.url}{url('campaign_list')}")
    page.get_by_role("link", name="Begin from a template").click()
    assert_no_axe_violations(page)
    page.get_by_role("button", name=re.compile("Double points weekend")).click()
    page.get_by_label("Name", exact=True).fill("Spring weekend")
    page.get_by_label("Times", exact=True).fill("4")
    begun = local(timezone.now() - dt.timedelta(minutes=5), club)
    page.get_by_label("Begins", exact=True).fill(begun)
    page.get_by_label("Ends", exact=True).fill(local(timezone.now() + DAY, club))
    page.get_by_label("Percent kept aside").fill("0")
    page.locator("#campaign-words", has_text="4").wait_for()
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Publish").click()
    page.get_by_text("It is live.").first.wait_for()
    assert_no_axe_violations(page)
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    record(order("A", "10", buyer="ana", at=timezone.now()))
    assert spendable("ana", at=timezone.now()) == 40
    member = Membership.objects.get(customer__external_id="ana")
    client = Client()
    client.force_login(member.customer.user, "django.contrib.auth.backends.ModelBackend")
    page.context.clear_cookies()
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.goto(f"{live_server.url}{reverse('campaigns_account:campaigns')}")
    page.get_by_text("Double points this weekend").wait_for()
    page.locator("time[data-countdown]", has_text=re.compile("hour")).wait_for()
    assert_no_axe_violations(page)
    page.goto(f"{live_server.url}/me/")
    page.get_by_text("Double points this weekend").wait_for()


def test_the_list_asks_as_often_for_many_as_for_few(
    manager: Client, club: Program, django_assert_max_num_queries: Any
) -> None:
    for number in range(2):
        draft(club, name=f"P{number}", budget_money=Decimal(5))
        draft(club, "percent-off", name=f"D{number}", budget_money=Decimal(5))
    with django_assert_max_num_queries(25) as few:
        page(manager, url("campaign_list"))
    for number in range(4):
        draft(club, name=f"Q{number}", budget_money=Decimal(5))
        draft(club, "percent-off", name=f"E{number}", budget_money=Decimal(5))
    with django_assert_max_num_queries(len(few)):
        page(manager, url("campaign_list"))


def test_amounts_are_kept_exactly(manager: Client, club: Program) -> None:
    campaign = begin(manager, club, "spend-get")
    sent = filled(campaign, reach="49.90", units="12", budget_money="1000")
    manager.post(url("campaign_edit", campaign.public_id), sent)
    campaign.refresh_from_db()
    assert campaign.budget_money == Decimal(1000)
    assert campaign.offer == {"reach": "49.90", "units": "12"}


def test_what_waits_for_a_second_person_stands_among_the_approvals(
    manager: Client, client_of: Callable[[str], Client], club: Program
) -> None:
    administrator = client_of("administrator")
    campaign = begin(manager, club)
    set_four_eyes(program=club, on=True, actor=SYSTEM)
    approvals = reverse("loyalty_backoffice:approval_list")
    assert campaign.name not in page(administrator, approvals)
    manager.post(url("campaign_act", campaign.public_id), {"act": "ask"})
    for reader, asked_by in ((administrator, campaign.name), (manager, "You")):
        shown = page(reader, approvals)
        assert url("campaign", campaign.public_id) in shown
        assert asked_by in shown
    send_back = {"do": "send_back", "note": "Later."}
    administrator.post(url("campaign_state", campaign.public_id), send_back)
    assert url("campaign", campaign.public_id) not in page(administrator, approvals)


def test_a_bundle_is_written_in_lines_and_told_in_words(manager: Client, club: Program) -> None:
    campaign = begin(manager, club, "bundle")
    address = url("campaign_edit", campaign.public_id)
    wrong = filled(campaign, price="20", bundle="a cup and some coffee")
    assert "Write each line as 2 category: Coffee" in manager.post(address, wrong).content.decode()
    sent = filled(campaign, price="20", bundle="product: CUP-01\n2 x category: Coffee, Tea")
    assert manager.post(address, sent).status_code == 302
    manager.post(url("campaign_state", campaign.public_id), {"do": "publish"})
    shown = page(manager, url("campaign", campaign.public_id))
    assert "Together for $20.00: product CUP-01 + 2 × category Coffee, category Tea." in shown


# By code


def test_a_promotion_by_a_word_is_written_and_its_uses_are_shown(
    manager: Client, club: Program
) -> None:
    campaign = begin(manager, club)
    address = url("campaign_edit", campaign.public_id)
    short = filled(campaign, code_kind="shared", code_word="A-B")
    assert "between 4 and 40 letters and digits." in manager.post(address, short).content.decode()
    sent = filled(
        campaign, code_kind="shared", code_word="STUDENT-10", code_uses="40",
        code_per_member="1", code_shown="on",
    )  # fmt: skip
    assert manager.post(address, sent).status_code == 302
    manager.post(url("campaign_state", campaign.public_id), {"do": "publish"})
    record(order("A", "10", at=timezone.now(), coupons=("student10",)))
    assert spendable(at=timezone.now()) == 20
    shown = page(manager, url("campaign", campaign.public_id))
    assert "Only with the code STUDENT-10." in shown
    assert "1 of 40" in shown
    assert "STUDENT-10" in page(manager, url("campaign_list"))


def test_codes_that_are_used_once_each_are_made_added_and_fetched(
    manager: Client, club: Program
) -> None:
    campaign = begin(manager, club)
    manager.post(url("campaign_edit", campaign.public_id), filled(campaign, code_kind="single"))
    make, write = (url(f"campaign_codes_{act}", campaign.public_id) for act in ("make", "write"))
    assert "Nobody can guess them." in page(manager, make)
    assert manager.post(make, {"number": "0"}).status_code == 422
    assert manager.post(make, {"number": "3"}).status_code == 302
    assert manager.post(write, {"text": "ABCD-1\nA"}).status_code == 422
    assert manager.post(write, {"text": "ABCD-1\n=ABCD-2"}).status_code == 302
    manager.post(url("campaign_state", campaign.public_id), {"do": "publish"})
    record(order("A", "10", at=timezone.now(), coupons=("ABCD1",)))
    lines = manager.get(url("campaign_codes_file", campaign.public_id)).getvalue().decode().split()
    # No spreadsheet takes a code for a formula.
    assert (len(lines), lines[0], lines[-2:]) == (6, "code,used", ["ABCD-1,yes", "'=ABCD-2,"])
    other = begin(manager, club)
    assert manager.get(url("campaign_codes_make", other.public_id)).status_code == 404


@pytest.mark.browser
def test_a_manager_makes_codes_in_the_browser(
    sign_in: Callable[[str], Any], club: Program, live_server: Any,
    assert_no_axe_violations: Callable[[Any], None],
) -> None:  # fmt: skip
    campaign = draft(club, codes={"kind": "single"})
    page = sign_in("marketing_manager")
    page.goto(f"{live_server.url}{url('campaign', campaign.public_id)}")
    page.get_by_role("link", name="Make codes").click()
    page.get_by_label("How many").fill("25")
    page.get_by_role("dialog").get_by_role("button", name="Make codes").click()
    expect(page.get_by_text("25 codes were added.")).to_be_visible()
    expect(page.locator("#campaign-codes")).to_contain_text("0 of 25")
    assert_no_axe_violations(page)
