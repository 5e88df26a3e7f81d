"""The screens of promotions: begun from a template, published, watched, ended. A weekend that a
manager starts in the browser: `test_flow_in_browser`."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import Campaign
from loyalty.models import Backtest, Program
from loyalty.services.backtest_runs import run_backtest
from loyalty.services.rules import set_four_eyes
from members.models import Customer
from members.services.audit import SYSTEM
from tests.campaigns.backoffice.campaigns import (
    DAY,
    begin,
    beyond_its_budget,
    filled,
    make_club,
    page,
    url,
)
from tests.campaigns.campaigns import draft, launch
from tests.loyalty.factories import make_wallet, order, record, spendable
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db
Status = Campaign.Status


made_once = shared(make_club)


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


def test_a_promotion_speaks_of_what_the_program_collects(manager: Client, club: Program) -> None:
    club.wallet_types.update(plural="Beans")
    campaign = begin(manager, club)
    assert campaign.title == "Double Beans this weekend"
    assert campaign.teaser == "Double Beans at the weekend: wait for it."
    form = manager.get(url("campaign_edit", campaign.public_id)).content.decode()
    for label in ("Budget in Beans", "Most for one member, in Beans"):
        assert label in form


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


def test_pages_say_what_carts_hold_and_what_is_beyond_the_budget(
    manager: Client, club: Program
) -> None:
    campaign, found = beyond_its_budget(club)
    shown = page(manager, url("campaign", campaign.public_id))
    assert "$25.00 of $25.00" in shown
    assert "Carts hold $10.00 of it until they are paid." in shown
    assert "$3.00 came off the prices of orders for which no cart had held it." in shown
    shown = page(manager, reverse("loyalty_backoffice:order_page", args=[found.pk]))
    assert "Of $18.00 off its prices the budget of the promotion bears $15.00." in shown


def test_it_can_be_tried_on_real_orders(manager: Client, club: Program) -> None:
    campaign = begin(manager, club)
    record(order("A", "10", at=timezone.now() - 5 * DAY))
    answer = manager.post(url("campaign_forecast", campaign.public_id))
    backtest = Backtest.objects.get()
    assert answer["Location"].endswith(f"/backtests/{backtest.public_id}/")
    assert "trial-campaign-double-points-weekend" in str(backtest.draft)


def test_what_it_takes_off_can_be_tried_on_real_orders(manager: Client, club: Program) -> None:
    record(order("A", "40", at=timezone.now() - 5 * DAY))
    campaign = draft(club, "percent-off", starts_at=timezone.now(),
                     ends_at=timezone.now() + 7 * DAY)  # fmt: skip
    address = url("campaign", campaign.public_id)
    assert "What would it have cost?" in page(manager, address)
    answer = manager.post(url("campaign_forecast", campaign.public_id))
    run_backtest(Backtest.objects.get().job_id)
    shown = page(manager, answer["Location"])
    assert "What each promotion would have taken off" in shown
    assert "$4.00" in shown
    assert "What comes off prices at the checkout" in page(manager, address)


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


@pytest.mark.browser
def test_what_is_beyond_a_budget_is_seen_in_the_browser(
    sign_in: Callable[[str], Any], club: Program, live_server: Any,
    assert_no_axe_violations: Callable[[Any], None],
) -> None:  # fmt: skip
    campaign, found = beyond_its_budget(club)
    page = sign_in("marketing_manager")
    page.goto(f"{live_server.url}{url('campaign', campaign.public_id)}")
    expect(page.get_by_text("Beyond the budget")).to_be_visible()
    expect(page.get_by_text("Carts hold $10.00 of it")).to_be_visible()
    assert_no_axe_violations(page)
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(f"{live_server.url}{reverse('loyalty_backoffice:order_page', args=[found.pk])}")
    expect(page.get_by_text("the budget of the promotion bears $15.00.")).to_be_visible()
    assert_no_axe_violations(page)
