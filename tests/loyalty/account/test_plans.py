"""A member's paid plan on their own pages: the offer, taking it, leaving it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client
from django.utils import timezone

from loyalty.models import Membership, Plan, PlanCharge, Subscription
from loyalty.plan_definitions import PlanDefinition
from loyalty.plan_words import what_comes_next
from loyalty.selectors.programs import definition_of
from loyalty.selectors.subscriptions import running_of
from loyalty.services.plan_payments import mark_paid
from loyalty.services.plan_refunds import cancel_now
from loyalty.services.programs import apply_definition
from loyalty.services.subscriptions import permit_collecting
from members.formatting import format_day, format_money
from members.models import Customer
from members.services.audit import SYSTEM
from tests.loyalty.account.conftest import Regular, Shop, make_maya, make_shop
from tests.loyalty.account.reading import text_of
from tests.loyalty.payments.banks import Bank
from tests.loyalty.payments.conftest import bank  # noqa: F401
from tests.loyalty.payments.shops import KEY, front
from tests.loyalty.planning import join, plan
from tests.sharing import shared

pytestmark = pytest.mark.usefixtures("maya_for_all")
SignIn = Callable[[Customer], Client]


def sell(shop: Shop, **changes: Any) -> None:
    now = timezone.now()
    said = definition_of(shop.program, now)
    plans = tuple(
        PlanDefinition.model_validate(item)
        for item in (
            plan(trial_days=14, description="For regulars.", credits={"units": 50}, **changes),
            plan("pro", price="99", period="year"),
        )
    )
    apply_definition(said.model_copy(update={"plans": plans}), actor=SYSTEM, now=now)


def make_offered() -> Regular:
    regular = make_maya(make_shop())
    sell(regular.shop)
    return regular


# Without plans: in test_pages.py.
maya_for_all = shared(make_offered)


@pytest.fixture
def membership(maya: Customer) -> Membership:
    return Membership.objects.select_related("program").get(customer=maya)


def path(membership: Membership, rest: str = "") -> str:
    return f"/me/{membership.public_id}/plan/{rest}"


def test_the_offer_says_price_and_trial_plainly(
    maya: Customer, sign_in: SignIn, membership: Membership
) -> None:
    client = sign_in(maya)
    home = text_of(client, "/me/")
    assert "14 days free, $9.90 a month" in home
    assert "Have more with Plus" in home
    page = text_of(client, "/me/plan/")
    for words in ("Plus", "For regulars.", "50 Beans every month", "$99.00 a year", "Take Pro"):
        assert words in page.replace("\N{NO-BREAK SPACE}", " ")
    first = format_day(
        timezone.now().astimezone(membership.program.zone).date() + dt.timedelta(days=14)
    )
    asked = text_of(client, path(membership, "take/plus/"))
    assert f"Your first payment is on {first}; then $9.90 a month" in asked
    assert "Cancel before that day and you pay nothing." in asked
    assert "Begin the trial" in asked
    assert not Subscription.objects.exists()


def test_a_trial_is_taken_once_canceled_and_taken_up_again(
    maya: Customer, sign_in: SignIn, membership: Membership
) -> None:
    client = sign_in(maya)
    client.post(path(membership, "take/plus/"))
    assert client.post(path(membership, "take/plus/")).status_code == 404
    found = Subscription.objects.get()
    assert (found.state, found.source) == ("trialing", "account")
    page = text_of(client, "/me/plan/")
    assert "The trial ends on" in page
    assert "You keep everything until" in text_of(client, path(membership, "cancel/"))
    client.post(path(membership, "cancel/"))
    assert "is not renewed" in text_of(client, "/me/plan/")
    client.post(path(membership, "resume/"))
    found.refresh_from_db()
    assert not found.cancel_at_period_end


def test_an_invoice_is_shown_and_what_was_paid(
    maya: Customer, sign_in: SignIn, membership: Membership
) -> None:
    client = sign_in(maya)
    asked = text_of(client, path(membership, "take/pro/"))
    assert "You get an invoice, and the plan begins once it is paid." in asked
    client.post(path(membership, "take/pro/"))
    page = text_of(client, "/me/plan/")
    assert "It begins with the first payment." in page
    assert "Invoice 1" in page
    mark_paid(charge=PlanCharge.objects.get(), actor=SYSTEM, now=timezone.now())
    page = text_of(client, "/me/plan/")
    assert "It renews on" in page
    assert "Paid" in page


def test_a_card_is_asked_for_where_cards_are_charged(
    maya: Customer, sign_in: SignIn, membership: Membership, settings: Any
) -> None:
    client = sign_in(maya)
    settings.PAYMENT_PROVIDER, settings.STRIPE_API_KEY = "stripe", KEY
    with front("http://127.0.0.1:9") as shown:
        settings.STRIPE_API_BASE = shown.url
        client.post(path(membership, "take/plus/"))
        page = text_of(client, "/me/plan/")
        assert "It begins once it is known how it will be paid." in page
        assert "We need to know how you pay." in page
        answer = client.get(path(membership, "payment/"))
        assert (answer.status_code, answer["Location"]) == (302, f"{shown.url}/pay/cs_test_1")
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    answer = client.get(path(membership, "payment/"), follow=True)
    assert "The payment page does not answer." in answer.content.decode()


def test_what_is_not_offered_or_not_there(
    maya: Customer, sign_in: SignIn, membership: Membership
) -> None:
    client = sign_in(maya)
    Plan.objects.filter(code="pro").update(offered=False)
    assert client.get(path(membership, "take/pro/")).status_code == 404
    assert client.get(path(membership, "cancel/")).status_code == 404
    assert client.post(path(membership, "resume/")).status_code == 404
    assert client.get(path(membership, "payment/")).status_code == 404
    assert client.get(path(membership, "resume/")).status_code == 405


def test_somebody_else_s_plan_is_nobody_s_business(
    maya: Customer, sign_in: SignIn, membership: Membership, shop: Shop
) -> None:
    other = shop.add_customer("noor@example.com", given_name="Noor")
    shop.give_sign_in(other)
    shop.enroll(other)
    assert sign_in(other).get(path(membership)).status_code == 404
    assert sign_in(other).post(path(membership, "take/plus/")).status_code == 404
    assert not Subscription.objects.exists()


def test_the_terms_name_the_plans(sign_in: SignIn, maya: Customer, membership: Membership) -> None:
    page = text_of(sign_in(maya), "/programs/beans/terms/")
    assert "$9.90 a month, 14 days free" in page
    assert "A plan renews by itself until you cancel it" in page


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_plan_is_taken_and_canceled_on_a_phone(
    page: Any, maya: Customer, sign_in: SignIn, shop: Shop, assert_no_axe_violations: Any
) -> None:
    sell(shop)
    page.set_viewport_size({"width": 390, "height": 844})
    cookie = sign_in(maya).cookies[configured.SESSION_COOKIE_NAME]
    host = {"name": configured.SESSION_COOKIE_NAME, "value": cookie.value, "domain": "localhost"}
    page.context.add_cookies([{**host, "path": "/"}])
    page.goto("/me/plan/")
    assert_no_axe_violations(page)
    page.get_by_role("link", name="Take Plus").click()
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Begin the trial").click()
    page.get_by_text("The trial ends on").wait_for()
    assert_no_axe_violations(page)
    page.get_by_role("link", name="Cancel the plan").click()
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Cancel the plan").click()
    page.get_by_text("is not renewed").wait_for()


def had(maya: Customer, sign_in: SignIn, membership: Membership) -> Client:
    """She pays for Plus, without a trial, and may have Pro instead."""
    client = sign_in(maya)
    client.post(path(membership, "take/plus/"))
    mark_paid(charge=PlanCharge.objects.get(), actor=SYSTEM, now=timezone.now())
    return client


@pytest.fixture
def paid(maya: Customer, sign_in: SignIn, shop: Shop) -> tuple[Client, Membership]:
    now = timezone.now()
    plans = tuple(
        PlanDefinition.model_validate(item)
        for item in (
            plan(price="9.90"),
            plan("pro", price="30", upgrade="at_once", description="For more."),
            plan("lite", price="3"),
        )
    )
    said = definition_of(shop.program, now).model_copy(update={"plans": plans})
    apply_definition(said, actor=SYSTEM, now=now)
    membership = Membership.objects.select_related("program").get(customer=maya)
    return had(maya, sign_in, membership), membership


def test_an_upgrade_says_what_it_costs_now_and_is_had_at_once(
    paid: tuple[Client, Membership],
) -> None:
    client, membership = paid
    assert "Change to Pro" in text_of(client, "/me/plan/")
    page = client.get(path(membership, "change/pro/"))
    asked = page.content.decode().replace("\N{NO-BREAK SPACE}", " ")
    change = page.context["other"].change
    assert f"less {format_money(change.taken_off, 'USD')} that is left of Plus" in asked
    assert f"Change now for {format_money(change.pays_now, 'USD')}" in asked
    assert Subscription.objects.count() == 1
    done = client.post(path(membership, "change/pro/"), {"pays_now": change.pays_now}, follow=True)
    assert "You have Pro now." in done.content.decode()
    assert running_of(membership).plan.code == "pro"


def test_a_sum_that_nobody_agreed_to_is_not_charged(paid: tuple[Client, Membership]) -> None:
    client, membership = paid
    for agreed in ("1", "", "x", "NaN", "sNaN", "Infinity"):
        client.post(path(membership, "change/pro/"), {"pays_now": agreed})
        assert running_of(membership).plan.code == "plus"


def test_a_downgrade_waits_for_the_renewal_and_is_called_off(
    paid: tuple[Client, Membership],
) -> None:
    client, membership = paid
    asked = text_of(client, path(membership, "change/lite/"))
    assert "You pay nothing today." in asked
    client.post(path(membership, "change/lite/"), {"pays_now": "0"})
    page = text_of(client, "/me/plan/")
    assert "Then you have Lite." in page
    assert "Stay with Plus" in page
    client.post(path(membership, "change/plus/"))
    assert "Then you have Lite." not in text_of(client, "/me/plan/")


def test_a_plan_that_is_canceled_has_no_other_to_change_to(
    paid: tuple[Client, Membership],
) -> None:
    client, membership = paid
    client.post(path(membership, "cancel/"))
    assert "Change to Pro" not in text_of(client, "/me/plan/")
    page = client.get(path(membership, "change/pro/"), follow=True).content.decode()
    assert "take it up again" in page
    assert client.get(path(membership, "change/none/")).status_code == 404


def test_while_another_plan_is_being_paid_for_the_page_says_so_and_offers_nothing_else(
    maya: Customer, sign_in: SignIn, membership: Membership
) -> None:
    client = sign_in(maya)
    client.post(path(membership, "take/plus/"))
    held = running_of(membership)
    assert held is not None
    assert "Cancel the plan" in text_of(client, path(membership))
    now = timezone.now()
    pro = Plan.objects.get(code="pro")
    Subscription.objects.create(
        membership=membership, plan=pro, version=pro.versions.get(), state="waiting",
        source="change", provider="stripe", asked_at=now, follows=held,
    )  # fmt: skip
    shown = text_of(client, path(membership))
    assert "The payment for Pro is being asked for. Look again in a few minutes." in shown
    assert "Cancel the plan" not in shown
    assert "Change to Pro" not in shown
    words = what_comes_next(Subscription.objects.get(follows=held), "USD", membership.program.zone)
    assert words == "Its payment is being asked for. Then it takes the other plan’s place."
    answer = client.post(path(membership, "cancel/"), follow=True)
    assert "A payment for another plan is being asked for" in answer.content.decode()
    assert running_of(membership) == held
    held.refresh_from_db()
    assert not held.cancel_at_period_end


def test_while_a_payment_is_being_given_back_the_page_says_so_and_offers_nothing_else(
    maya: Customer, sign_in: SignIn, membership: Membership, bank: Bank  # noqa: F811
) -> None:  # fmt: skip
    at = timezone.now() - dt.timedelta(days=3)
    found = join(membership, "pro", at=at, provider="bank")
    permit_collecting(subscription=found, customer="c", method="card", now=at)
    client = sign_in(maya)
    assert "Cancel the plan" in text_of(client, "/me/plan/")
    bank.is_silent = True
    cancel_now(
        subscription=found, refund="whole", actor=SYSTEM, source="backoffice", now=timezone.now()
    )
    page = text_of(client, "/me/plan/")
    assert "$99.00 is being given back" in page
    assert "A payment for it is being given back. Look again in a few minutes." in page
    assert not any(words in page for words in ("Cancel the plan", "Change to", "It renews"))
    said = client.post(path(membership, "cancel/"), follow=True)
    assert "A payment for it is being given back." in said.content.decode()
    found.refresh_from_db()
    assert (found.running, found.cancel_at_period_end) == (True, False)
