"""The screens of challenges: begun from a template, written, published, watched, ended; and one
that a manager starts and a customer joins in the browser."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import Campaign, Challenge, ChallengeForecast
from campaigns.services.challenge_progress import measure_customers
from campaigns.services.challenges import join_challenge
from campaigns.services.leaderboards import join_leaderboards
from loyalty.models import Membership, Program
from loyalty.services.rules import set_four_eyes
from members.models import Customer, Job
from members.services.audit import SYSTEM
from tests.campaigns.challenges import draft, launch, member
from tests.factories import CustomerFactory
from tests.loyalty.factories import give_back, make_program, make_wallet, order, record, refund
from tests.rewards.factories import offer
from tests.sharing import anew, shared
from tests.sign_ins import signed_in

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


made_once = shared(lambda: make_program(at=timezone.now() - 90 * DAY, time_zone="Europe/Athens"))


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


def url(name: str, *args: Any) -> str:
    return reverse(f"challenges_backoffice:{name}", args=args)


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def begin(manager: Client, program: Program, template: str = "visits") -> Challenge:
    sent = {"program": program.code, "template": template}
    answer = manager.post(url("challenge_create"), sent)
    challenge = Challenge.objects.select_related("campaign__program").latest("pk")
    assert answer["Location"] == url("challenge_edit", challenge.campaign.public_id)
    return challenge


def sheets(*steps: dict[str, str]) -> dict[str, str]:
    sent = {"steps-TOTAL_FORMS": str(len(steps)), "steps-INITIAL_FORMS": "0"}
    for number, step in enumerate(steps):
        sent |= {f"steps-{number}-{name}": value for name, value in step.items()}
    return sent


def filled(challenge: Challenge, *steps: dict[str, str], **changes: str) -> dict[str, str]:
    """The form as it is shown, with changes."""
    now, zone = timezone.now(), challenge.campaign.program.zone
    sent = {
        "name": challenge.campaign.name, "title": challenge.campaign.title, "audience": "",
        "holdout": "0", "who": "join", "repeats": "1", "badge_icon": "award", "prize": "50",
        "starts_at": f"{(now - DAY).astimezone(zone):%Y-%m-%dT%H:%M}",
        "ends_at": f"{(now + DAY).astimezone(zone):%Y-%m-%dT%H:%M}",
    }  # fmt: skip
    return sent | sheets(*(steps or ({"kind": "orders", "value": "3"},))) | changes


def live(club: Program, **said: Any) -> Challenge:
    now = timezone.now()
    return launch(club, at=now, starts_at=now, ends_at=now + 9 * DAY, **said)


def test_the_empty_list_teaches_and_leads_to_the_templates(manager: Client, club: Program) -> None:
    assert "Begin from a template" in page(manager, url("challenge_list"))
    assert page(manager, url("challenge_gallery")).count('name="template"') == 9


@pytest.mark.parametrize(
    "template",
    ["spend", "visits", "items", "streak", "explorer", "collection", "welcome", "team", "quest"],
)
def test_every_template_makes_a_draft_that_can_be_published(
    manager: Client, club: Program, template: str
) -> None:
    challenge = begin(manager, club, template)
    public_id = challenge.campaign.public_id
    assert "For every member." in page(manager, url("challenge_edit", public_id))
    manager.post(url("challenge_state", public_id), {"do": "publish"})
    assert Campaign.objects.get(public_id=public_id).status == "scheduled"


def test_a_challenge_is_begun_written_and_published(manager: Client, club: Program) -> None:
    offer(club, "mug", name="A mug")
    challenge = begin(manager, club)
    public_id = challenge.campaign.public_id
    steps = (
        {"kind": "spend_one", "value": "20", "more_than": "on", "categories": "Tea\nJam"},
        {"kind": "each_sku", "skus": "A-1\nA-2"},
        {"kind": "weeks", "value": "4", "least": "5"},
        {"kind": ""},
    )
    sent = filled(
        challenge, *steps, name="Tea time", in_order="on", gift="mug", badge="Tea lover",
        budget_units="500", repeats="2",
    )  # fmt: skip
    assert manager.post(url("challenge_edit", public_id), sent).status_code == 302
    challenge.refresh_from_db()
    assert [step["kind"] for step in challenge.steps] == ["spend", "collection", "streak"]
    assert challenge.steps[0] == {
        "kind": "spend", "amount": "20", "in_one": True, "more_than": True,
        "only": {"categories": ["Tea", "Jam"]},
    }  # fmt: skip
    shown = page(manager, url("challenge_edit", public_id))
    assert "Buy for more than $20.00 in one order: category Tea, category Jam." in shown
    assert "A mug" in shown
    # What is shown and saved again says the same.
    again = filled(challenge, *steps, name="Tea time", in_order="on", gift="mug",
                   badge="Tea lover", budget_units="500", repeats="2")  # fmt: skip
    assert manager.post(url("challenge_edit", public_id), again).status_code == 302
    manager.post(url("challenge_state", public_id), {"do": "publish"})
    shown = page(manager, url("challenge", public_id))
    assert "0 points of 500 points" in shown
    assert "Tea time" in page(manager, url("challenge_list"))


@pytest.mark.parametrize(
    ("changes", "steps", "words"),
    [
        ({"prize": ""}, (), "say what it brings"),
        ({"team_size": "3", "days": "4"}, (), "a team has the whole time"),
        ({}, ({"kind": "orders"},), "Say how much, or how many."),
        ({}, ({"kind": "each_sku", "skus": "A"},), "Name at least two."),
        ({}, ({"kind": "orders", "value": "2.7"},), "Enter a whole number."),
        ({"repeats": "0"}, (), "greater than or equal to 1"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    manager: Client, club: Program, changes: dict[str, str], steps: Any, words: str
) -> None:
    challenge = begin(manager, club)
    sent = filled(challenge, *steps, **changes)
    answer = manager.post(url("challenge_edit", challenge.campaign.public_id), sent)
    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_without_a_step_nothing_is_saved_and_it_is_said(manager: Client, club: Program) -> None:
    challenge = begin(manager, club)
    sent = filled(challenge, {"kind": ""})
    answer = manager.post(url("challenge_edit", challenge.campaign.public_id), sent)
    assert answer.status_code == 422
    assert "Say what is to be done." in answer.content.decode()


def test_the_words_beside_the_form_say_what_it_says_so_far(manager: Client, club: Program) -> None:
    challenge = begin(manager, club)
    sent = filled(challenge, {"kind": "items", "value": "7"}, preview="1")
    answer = manager.post(url("challenge_edit", challenge.campaign.public_id), sent)
    assert "Buy 7 items." in answer.content.decode()
    challenge.refresh_from_db()
    assert challenge.steps == [{"kind": "count", "number": 5}]


def test_the_page_says_who_takes_part_and_how_far_they_are(manager: Client, club: Program) -> None:
    challenge = live(club, badge="Bean")
    public_id = challenge.campaign.public_id
    for who in ("c1", "c2"):
        make_wallet(club, who, at=timezone.now())
        join_challenge(challenge=challenge, membership=member(who), now=timezone.now())
    record(order("A", "60", at=timezone.now()), order("B", "20", at=timezone.now(), buyer="c2"))
    everybody = list(Customer.objects.values_list("pk", flat=True))
    measure_customers(everybody, now=timezone.now())
    shown = page(manager, url("challenge", public_id))
    assert "Have done it" in shown
    assert "100 points" in shown
    members = page(manager, url("challenge_members", public_id))
    assert members.index("40%<") < members.index("100%<")
    assert "40%<" not in page(manager, url("challenge_members", public_id) + "?state=won")
    give_back(refund("R", "60", of="A", at=timezone.now()))
    measure_customers(everybody, now=timezone.now())
    assert "1 time it is undone" in page(manager, url("challenge", public_id))
    customer = member("c1").customer
    panel = page(manager, url("customer_challenges", customer.public_id))
    assert "$0.00 of $50.00" in panel
    assert "Undone" in panel


def test_it_is_paused_gone_on_with_copied_and_ended(manager: Client, club: Program) -> None:
    challenge = live(club)
    public_id = challenge.campaign.public_id
    states = []
    for do in ("pause", "resume", "end"):
        manager.post(url("challenge_state", public_id), {"do": do})
        challenge.campaign.refresh_from_db()
        states.append(challenge.campaign.status)
    assert states == ["paused", "live", "ended"]
    manager.post(url("challenge_act", public_id), {"act": "copy"})
    fresh = Challenge.objects.latest("pk")
    assert fresh.pk != challenge.pk
    manager.post(url("challenge_act", fresh.campaign.public_id), {"act": "delete"})
    assert Challenge.objects.count() == 1


def test_its_texts_are_written_in_another_language(manager: Client, club: Program) -> None:
    challenge = draft(club)
    address = url("challenge_texts", challenge.campaign.public_id) + "?language=el"
    assert manager.post(address, {"title": "Εβδομάδα καφέ"}).status_code == 302
    challenge.campaign.refresh_from_db()
    assert challenge.campaign.texts["el"]["title"] == "Εβδομάδα καφέ"


def test_a_second_person_publishes_where_the_program_asks_for_one(
    manager: Client, club: Program
) -> None:
    set_four_eyes(program=club, on=True, actor=SYSTEM)
    challenge = begin(manager, club)
    public_id = challenge.campaign.public_id
    manager.post(url("challenge_state", public_id), {"do": "publish"})
    challenge.campaign.refresh_from_db()
    assert challenge.campaign.status == "draft"
    manager.post(url("challenge_act", public_id), {"act": "ask"})
    assert "asks for somebody to publish it" in page(manager, url("challenge", public_id))


def test_promotions_and_challenges_are_apart(manager: Client, club: Program) -> None:
    challenge = live(club)
    public_id = challenge.campaign.public_id
    assert challenge.campaign.name not in page(
        manager, reverse("campaigns_backoffice:campaign_list")
    )
    answer = manager.get(reverse("campaigns_backoffice:campaign", args=[public_id]))
    assert answer["Location"] == url("challenge", public_id)
    rule = club.earning_rules.get(source=challenge.campaign.source)
    answer = manager.get(reverse("campaigns_backoffice:campaign_of_rule", args=[rule.pk]))
    assert answer["Location"] == url("challenge", public_id)


@pytest.mark.browser
def test_a_manager_starts_a_challenge_names_a_level_and_a_member_joins_it_and_wins(
    sign_in: Callable[[str], Any], club: Program, live_server: Any,
    assert_no_axe_violations: Callable[[Any], None],
) -> None:  # fmt: skip
    CustomerFactory(external_id="ana", with_user=True)
    make_wallet(club, "ana", at=timezone.now() - DAY)
    page = sign_in("marketing_manager")
    page.goto(f"{live_server.url}{url('challenge_gallery')}")
    assert_no_axe_violations(page)
    page.get_by_role("button", name=re.compile("Come so often")).click()
    page.get_by_label("Name", exact=True).fill("Two visits")
    page.get_by_label("How much, or how many").first.fill("2")
    zone = club.zone
    begun = timezone.now() - dt.timedelta(minutes=5)
    page.get_by_label("Begins", exact=True).fill(f"{begun.astimezone(zone):%Y-%m-%dT%H:%M}")
    expect(page.locator("#campaign-words")).to_contain_text("Order 2 times.")
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("It is live.").first).to_be_visible()
    assert_no_axe_violations(page)
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(f"{live_server.url}{url('challenge_list')}")
    assert_no_axe_violations(page)
    _levels(page, club, assert_no_axe_violations)
    ana = member("ana")
    page.goto(f"{live_server.url}{url('customer_challenges', ana.customer.public_id)}")
    expect(page.get_by_text("In no challenge")).to_be_visible()
    assert_no_axe_violations(page)
    _joins_and_wins(page, live_server.url, ana, assert_no_axe_violations)


def _levels(page: Any, club: Program, assert_no_axe_violations: Callable[[Any], None]) -> None:
    page.get_by_role("link", name="Levels").click()
    page.get_by_role("link", name=f"Change {club.name}").click()
    first = page.get_by_role("group", name="Level 1")
    first.get_by_label(re.compile("^Name")).fill("Newcomer")
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("listitem").filter(has_text="Newcomer")).to_be_visible()
    expect(page.get_by_text("The standard ones.")).to_have_count(0)
    assert_no_axe_violations(page)


def _joins_and_wins(
    page: Any, server: str, ana: Membership, assert_no_axe_violations: Callable[[Any], None]
) -> None:
    client = signed_in(ana.customer.user)
    page.context.clear_cookies()
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": server}
    page.context.add_cookies([cookie])
    page.goto(f"{server}{reverse('mypage:earn')}")
    expect(page.get_by_role("heading", name="Five times is the charm")).to_be_visible()
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Take part").click()
    expect(page.get_by_text("You take part.").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for number in ("A", "B"):
        record(order(number, "10", at=timezone.now(), buyer="ana"))
    measure_customers([ana.customer_id], now=timezone.now())
    page.reload()
    expect(page.get_by_text("Done. It is yours.")).to_be_visible()
    expect(page.get_by_text("2 of 2")).to_be_visible()
    assert_no_axe_violations(page)


def test_a_name_on_leaderboards_is_hidden_and_chosen_again(
    manager: Client, client_of: Callable[[str], Client], club: Program
) -> None:
    make_wallet(club)
    row = join_leaderboards(membership=member(), name="Rude One", now=timezone.now())
    names = reverse("challenges_backoffice:board_name_list")
    assert "Rude One" in manager.get(names).content.decode()
    assert "Rude One" not in manager.get(names, {"q": "kind"}).content.decode()
    address = reverse("challenges_backoffice:board_name_act", args=[row.pk])
    assert manager.post(address, {"act": "hide"}).status_code == 403
    agent = client_of("support_agent")
    shown = agent.post(address, {"act": "hide"}, follow=True).content.decode()
    assert "It is hidden." in shown
    assert "Rude One" not in shown
    agent.post(address, {"act": "let"})
    row.refresh_from_db()
    assert row.hidden_at is None


def rungs(*levels: dict[str, str]) -> dict[str, str]:
    sent = {"levels-TOTAL_FORMS": str(len(levels)), "levels-INITIAL_FORMS": "0"}
    for number, said in enumerate(levels):
        whole = {"icon": "star"} | said
        sent |= {f"levels-{number}-{name}": value for name, value in whole.items()}
    return sent


def test_levels_are_written_row_by_row_and_taken_back(manager: Client, club: Program) -> None:
    assert "The standard ones." in page(manager, url("level_list"))
    address = url("level_edit", club.code)
    assert 'value="Champion"' in page(manager, address)
    wrong = rungs({"name": "Guest", "needs": "3"}, {"name": "Host", "needs": "3"}, {"name": "Lost"})
    answer = manager.post(address, wrong)
    assert answer.status_code == 422
    assert "Say from how many challenges on." in answer.content.decode()
    wrong = rungs({"name": "Guest", "needs": "3"}, {"name": "B", "needs": "3"})
    answer = manager.post(address, wrong)
    assert "Another level needs as many." in answer.content.decode()
    assert not club.challenge_levels.exists()
    host = {"name": "Host", "needs": "5", "name_ms": "Tuan rumah"}
    said = rungs(host, {"name": "Guest", "needs": "1"}, {"icon": "leaf"})
    assert manager.post(address, said).status_code == 302
    assert list(club.challenge_levels.values_list("needs", "name", "texts")) == [
        (1, "Guest", {}), (5, "Host", {"ms": "Tuan rumah"}),
    ]  # fmt: skip
    assert "Tuan rumah" in page(manager, address)
    assert manager.post(address, {"act": "standard"}).status_code == 302
    assert not club.challenge_levels.exists()
    assert manager.post(address, rungs({"icon": "leaf"})).status_code == 422


def test_it_can_be_tried_on_what_was_bought(manager: Client, club: Program) -> None:
    """Enough is on the page to know what it would have cost, and what that says."""
    now = timezone.now()
    make_wallet(club, at=now - 80 * DAY)
    record(*(order(f"O{number}", "60", at=now - number * DAY) for number in range(2, 30)))
    tried = draft(club, starts_at=now, ends_at=now + 7 * DAY, budget_units=50)
    address = url("challenge", tried.campaign.public_id)
    assert "What would it have cost?" in page(manager, address)
    answer = manager.post(url("challenge_forecast", tried.campaign.public_id))
    assert answer["Location"] == address
    shown = page(manager, address)
    assert "What it will likely cost" in shown
    assert "stretches as long" in shown
    assert "Its budget is likely used up on" in shown
    assert "As if all whom it is for joined as it begins" in shown
    ChallengeForecast.objects.update(result=None, finished_at=None)
    Job.objects.update(state="running")
    assert "It is counted in the orders of the last weeks." in page(manager, address)
    team = draft(club, name="Team", team_size=3).campaign.public_id
    assert "What would it have cost?" not in page(manager, url("challenge", team))
    refused = manager.post(url("challenge_forecast", team), follow=True)
    assert "challenges of teams are not forecast" in refused.content.decode()
