"""The screens of personal offers and surprises."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import Campaign, PersonalOffer
from loyalty.models import Program
from members.models import Customer
from members.services.job_runs import run_scheduled
from tests.campaigns.campaigns import draft, launch
from tests.factories import CustomerFactory
from tests.loyalty.factories import line, make_program, make_wallet, order, record, spendable
from tests.rewards.factories import offer as make_reward
from tests.sharing import anew, shared
from tests.sign_ins import signed_in

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def make_world() -> Program:
    program = make_program(at=timezone.now() - 90 * DAY, time_zone="Europe/Athens")
    now = timezone.now()
    CustomerFactory(external_id="c1", with_user=True)
    for who in ("c1", "c2", "c3"):
        make_wallet(program, who, now - 80 * DAY)
    for ago in (20, 30, 40):
        basket = (line(1, "10", category="coffee"),)
        record(order(f"A{ago}", "10", lines=basket, at=now - ago * DAY), now=now - ago * DAY)
    return program


made_once = shared(make_world)


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


def url(name: str, *args: Any) -> str:
    return reverse(f"campaigns_backoffice:{name}", args=args)


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def local(at: dt.datetime, program: Program) -> str:
    return f"{at.astimezone(program.zone):%Y-%m-%dT%H:%M}"


def begin(manager: Client, program: Program, template: str) -> Campaign:
    manager.post(url("campaign_create"), {"program": program.code, "template": template})
    return Campaign.objects.select_related("program").latest("pk")


def filled(campaign: Campaign, **changes: str) -> dict[str, str]:
    now = timezone.now()
    sent = {
        "name": campaign.name, "title": campaign.title, "audience": "", "holdout": "0",
        "metric": "", "starts_at": local(now - DAY, campaign.program),
        "ends_at": local(now + 5 * DAY, campaign.program), "picks": "favorite", "factor": "2",
        "bought": "3", "within": "365", "lasts": "14", "categories": "coffee\ntea",
        "margins": "coffee: 35",
    }  # fmt: skip
    return sent | changes


def now_on(program: Program, template: str, **said: Any) -> Campaign:
    now = timezone.now()
    times = {"starts_at": now - DAY, "ends_at": now + 5 * DAY}
    campaign = launch(program, template, at=now, **times, **said)
    for kind in ("campaigns", "personal_offers", "surprises"):
        run_scheduled(kind=kind, now=timezone.now())
    return campaign


def test_personal_offers_are_begun_written_forecast_and_previewed(
    manager: Client, club: Program
) -> None:
    campaign = begin(manager, club, "personal-favorite")
    assert campaign.offer["categories"] == ["coffee"]
    edit, address = (url(name, campaign.public_id) for name in ("campaign_edit", "campaign"))
    assert "coffee" in page(manager, edit)
    answer = manager.post(edit, filled(campaign, margins="coffee"))
    assert answer.status_code == 422
    assert "Write each line as COFFEE: 35" in answer.content.decode()
    assert manager.post(edit, filled(campaign)).status_code == 302
    campaign.refresh_from_db()
    assert campaign.offer["margins"] == {"coffee": "35"}
    shown = page(manager, address)
    assert "Where they ordered most often within 365 days (at least 3 ×), of coffee, tea." in shown
    assert "Who would be offered what?" in shown
    forecast = page(manager, f"{address}?forecast=1")
    assert "it holds for purchases of" in forecast
    assert '<th scope="row">coffee</th><td class="text-end">1</td>' in forecast
    preview = page(manager, f"{address}?member=c1")
    assert "Because you bought coffee 3 times." in preview
    assert "Nothing suits them" in page(manager, f"{address}?member=c2")
    assert not PersonalOffer.objects.exists()


def test_the_page_says_what_was_offered_and_taken(manager: Client, club: Program) -> None:
    campaign = now_on(club, "personal-favorite", offer={"categories": ["coffee"]})
    shown = page(manager, url("campaign", campaign.public_id))
    row = '<th scope="row">coffee</th><td class="text-end">1</td><td class="text-end">0</td>'
    assert row in shown
    assert "Offered: coffee (Given), until" in page(
        manager, f"{url('campaign', campaign.public_id)}?member=c1"
    )


def test_a_bonus_and_money_off_are_forecast_in_units_and_money(
    manager: Client, club: Program
) -> None:
    record(order("S", "10", lines=(line(1, "10", sku="S1"),), at=timezone.now() - DAY))
    bonus = draft(club, "personal-collection", offer={"skus": ["S1", "S2"], "units": 70})
    shown = page(manager, f"{url('campaign', bonus.public_id)}?forecast=1")
    assert "If each takes it, that is 70" in shown
    offer = {"categories": ["coffee"], "picks": "favorite", "bought": 1, "lasts": 25, "percent": 10}
    off = draft(club, "personal-birthday", name="Off", offer=offer)
    shown = page(manager, f"{url('campaign', off.public_id)}?forecast=1")
    assert "If they buy as before, $1.00 come off." in shown


def test_a_surprise_is_written_tried_published_and_checked(manager: Client, club: Program) -> None:
    make_reward(club, code="cake", name="A cake")
    campaign = begin(manager, club, "surprise")
    edit, address = (url(name, campaign.public_id) for name in ("campaign_edit", "campaign"))
    form = page(manager, edit)
    assert "A cake" in form
    assert "Does it take a code?" not in form
    sent = filled(
        campaign, choose="share", winners="10", share="34", rounds="once", units="25", reward=""
    )
    assert manager.post(edit, sent).status_code == 302
    shown = page(manager, address)
    assert "34% of them are drawn and get 25" in shown
    assert "Given at most" in shown
    manager.post(url("campaign_state", campaign.public_id), {"do": "publish"})
    assert "Committed to" in page(manager, address)
    run_scheduled(kind="surprises", now=timezone.now())
    assert sum(spendable(who, timezone.now()) for who in ("c1", "c2", "c3")) == 30 + 25
    shown = page(manager, f"{address}?check=1")
    assert "Worked out again: the seed is the one that was committed to" in shown
    answer = manager.get(url("campaign_draw_file", campaign.public_id, 1))
    lines = b"".join(answer).decode().splitlines()  # type: ignore[call-overload]
    assert lines[0] == "name,number,chosen"
    assert [row.rsplit(",", 1)[1] for row in lines[1:]] == ["1", "0", "0"]
    call_command("verify_surprise", campaign.code)
    assert page(manager, url("campaign_draw_file", campaign.public_id, 2), 404)


def test_the_command_finds_a_draw_that_was_changed(
    club: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_on(club, "surprise")
    monkeypatch.setattr(
        "campaigns.surprise_draws.prove", lambda _seed, message: message[:64].ljust(64, "0")
    )
    with pytest.raises(CommandError, match="1 of 1"):
        call_command("verify_surprise")


@pytest.mark.browser
def test_a_manager_makes_personal_offers_and_a_member_reads_why(
    sign_in: Callable[[str], Any], club: Program, live_server: Any,
    assert_no_axe_violations: Callable[[Any], None],
) -> None:  # fmt: skip
    page = sign_in("marketing_manager")
    page.goto(f"{live_server.url}{url('campaign_gallery')}")
    page.get_by_role("button", name=re.compile("^Personal: what each likes best")).click()
    expect(page.get_by_label("Categories")).to_have_value("coffee")
    page.get_by_label("Begins", exact=True).fill(local(timezone.now() - DAY, club))
    page.get_by_label("Percent kept aside").fill("0")
    expect(page.locator("#campaign-words")).to_contain_text("(at least 3 ×), of coffee")
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Who would be offered what?").click()
    expect(page.get_by_role("row", name=re.compile("coffee"))).to_contain_text("1")
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("It is live.").first).to_be_visible()
    run_scheduled(kind="personal_offers", now=timezone.now())
    page.reload()
    expect(page.get_by_role("row", name=re.compile("coffee"))).to_be_visible()
    assert_no_axe_violations(page)
    user = Customer.objects.get(external_id="c1").user
    assert user is not None
    client = signed_in(user)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.goto(f"{live_server.url}{reverse('mypage:earn')}")
    expect(page.get_by_role("heading", name="For you")).to_be_visible()
    expect(page.get_by_text("Because you bought coffee 3 times.")).to_be_visible()
    assert_no_axe_violations(page)


@pytest.mark.browser
def test_the_rounds_of_a_surprise_are_readable_for_everybody(
    sign_in: Callable[[str], Any], club: Program, live_server: Any,
    assert_no_axe_violations: Callable[[Any], None],
) -> None:  # fmt: skip
    surprise = now_on(club, "surprise")
    page = sign_in("marketing_manager")
    page.goto(f"{live_server.url}{url('campaign', surprise.public_id)}")
    page.get_by_role("link", name="Work it out again").click()
    expect(page.get_by_text("Worked out again")).to_be_visible()
    assert_no_axe_violations(page)
