"""Paid plans by card, against localstripe: what it lacks is said in docs/plans.md."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.models import Delivery
from loyalty.models import PaymentEvent, Plan, PlanCharge, Subscription
from loyalty.payments.stripe import Stripe, minor_units
from loyalty.services.failed_refunds import retry_refund
from loyalty.services.plan_changes import change_as_offered
from loyalty.services.plan_refunds import cancel_now
from loyalty.services.plan_renewals import renew_plans
from loyalty.services.subscriptions import permit_collecting
from members.errors import ConflictError
from members.services.audit import SYSTEM
from tests.campaigns.conftest import awake  # noqa: F401
from tests.campaigns.factories import follow, switch_on
from tests.loyalty.payments.shops import KEY, SECRET, Front, front, localstripe
from tests.loyalty.planning import charges, join, make_club, member, plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("coherent_ledger")]

GOOD, DECLINED = "4242424242424242", "4000000000000341"


@pytest.fixture(scope="module")
def behind() -> Iterator[str]:
    with localstripe() as address:
        yield address


@pytest.fixture
def shop(behind: str, settings: Any) -> Iterator[Front]:
    with front(behind) as shown:
        settings.PAYMENT_PROVIDER = "stripe"
        settings.STRIPE_API_KEY, settings.STRIPE_WEBHOOK_SECRET = KEY, SECRET
        settings.STRIPE_API_BASE = shown.url
        yield shown


def ago(days: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(days=days)


def subscribed(shop: Front, number: str = GOOD, *, at: dt.datetime, **changes: Any) -> Subscription:
    """Somebody who took a plan and typed this card."""
    said = plan(credits={"units": 100}, **changes)
    ann = member(make_club(said, at=at - dt.timedelta(days=1)), at=at)
    found = join(ann, at=at)
    payer, method = shop.payer_with(number)
    return permit_collecting(subscription=found, customer=payer, method=method, now=at)


def notice(kind: str, found: dict[str, Any], number: str = "evt_1", secret: str = SECRET) -> Any:
    """What Stripe sends, signed as it does."""
    body = json.dumps(
        {"id": number, "object": "event", "type": kind, "created": int(time.time()),
         "data": {"object": found}}
    )  # fmt: skip
    at = int(time.time())
    signed = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return Client().post(
        "/payments/stripe/notices/", body, content_type="application/json",
        headers={"Stripe-Signature": f"t={at},v1={signed}"},
    )  # fmt: skip


# --- Beginning ------------------------------------------------------------------------------------


def test_it_begins_once_somebody_has_typed_a_card(shop: Front) -> None:
    ann = member(make_club(plan(), at=ago(3)), at=ago(2))
    found = join(ann, at=ago(1))
    assert (found.state, charges(found)) == ("waiting", [])
    url = Stripe().permission_url(
        subscription=str(found.public_id), email="ann@example.com", done="https://shop/done",
        back="https://shop/back",
    )  # fmt: skip
    assert url == f"{shop.url}/pay/cs_test_1"
    said = shop.asked[-1][1]["body"]
    for part in ("mode=setup", "customer_creation=always", "customer_email=ann%40example.com"):
        assert part in said
    assert f"setup_intent_data[metadata][subscription]={found.public_id}" in said
    payer, method = shop.payer_with(GOOD)
    about = {"subscription": str(found.public_id)}
    intent = {"id": "seti_1", "object": "setup_intent", "customer": payer,
              "payment_method": method, "metadata": about}  # fmt: skip
    assert notice("setup_intent.succeeded", intent).status_code == 204
    found.refresh_from_db()
    assert (found.state, charges(found)) == ("active", [("paid", "9.90")])
    [paid] = [item for item in shop.intents() if item["metadata"].get("charge")][:1]
    assert (paid["amount"], paid["currency"], paid["status"]) == (990, "usd", "succeeded")


def test_a_trial_waits_for_the_card_too_and_charges_when_it_ends(shop: Front) -> None:
    found = subscribed(shop, at=ago(20), trial_days=14)
    assert (found.state, charges(found)) == ("trialing", [])
    renew_plans(timezone.now())
    found.refresh_from_db()
    assert (found.state, charges(found)) == ("active", [("paid", "9.90")])
    assert PlanCharge.objects.get().credits.count() == 1


# --- Collecting -----------------------------------------------------------------------------------


def test_a_card_that_is_declined_is_tried_again_as_the_plan_says(shop: Front) -> None:
    found = subscribed(shop, DECLINED, at=ago(30), trial_days=14, grace_days=10)
    ended = found.trial_ends_at
    assert ended is not None
    tried = []
    for days in range(12):
        renew_plans(ended + dt.timedelta(days=days))
        charge = PlanCharge.objects.get()
        tried.append(charge.attempts)
        found.refresh_from_db()
        assert found.state == ("past_due" if days < 10 else "lapsed")
    assert tried[:8] == [1, 2, 2, 3, 3, 3, 3, 4]
    assert (charge.state, charge.failure) == ("void", "card_declined")
    keys = [said["key"] for path, said in shop.asked if path == "/v1/payment_intents"]
    assert keys == [f"{charge.public_id}:{number}" for number in range(4)]


def test_another_card_pays_what_the_first_one_would_not(shop: Front) -> None:
    found = subscribed(shop, DECLINED, at=ago(20), trial_days=14)
    renew_plans(ago(5))
    found.refresh_from_db()
    assert found.state == "past_due"
    payer, method = shop.payer_with(GOOD)
    permit_collecting(subscription=found, customer=payer, method=method, now=ago(4))
    renew_plans(ago(3))
    found.refresh_from_db()
    assert (found.state, charges(found)) == ("active", [("paid", "9.90")])


def upgrade(found: Subscription) -> Subscription:
    pro = Plan.objects.get(code="pro")
    return change_as_offered(subscription=found, plan=pro, actor=SYSTEM, now=timezone.now())


def with_pro(shop: Front, number: str = GOOD) -> Subscription:
    club = make_club(plan(price="9"), plan("pro", price="30", upgrade="at_once"), at=ago(30))
    found = join(member(club, at=ago(20)), at=ago(10))
    payer, method = shop.payer_with(number)
    return permit_collecting(subscription=found, customer=payer, method=method, now=ago(10))


def test_an_upgrade_is_collected_at_once_less_what_is_left(shop: Front) -> None:
    plus = with_pro(shop)
    pro = upgrade(plus)
    [(state, amount)] = charges(pro)
    assert (pro.state, state) == ("active", "paid")
    before = plus.charges.get()
    assert before.carried + Decimal(amount) == 30
    collected = [intent["amount"] for intent in shop.intents()]
    assert collected.count(minor_units(Decimal(amount), "USD")) == 1


def test_an_upgrade_whose_payment_is_refused_changes_nothing(shop: Front) -> None:
    plus = with_pro(shop)
    payer, method = shop.payer_with(DECLINED)
    plus = permit_collecting(subscription=plus, customer=payer, method=method, now=timezone.now())
    with pytest.raises(ConflictError) as error:
        upgrade(plus)
    assert error.value.code == "payment_refused"
    plus.refresh_from_db()
    assert (plus.state, plus.charges.get().carried) == ("active", 0)
    assert Subscription.objects.count() == 1


def test_an_upgrade_whose_answer_is_lost_is_asked_for_again_and_charged_once(shop: Front) -> None:
    plus = with_pro(shop)
    count = len(shop.intents())
    shop.loses_next = True
    pro = upgrade(plus)
    assert charges(pro)[0][0] == "open"
    renew_plans(timezone.now() + dt.timedelta(hours=2))
    assert charges(pro)[0][0] == "paid"
    assert len(shop.intents()) == count + 1


def test_an_answer_that_was_lost_is_asked_for_again_and_charges_once(shop: Front) -> None:
    found = subscribed(shop, at=ago(20), trial_days=14)
    before = len(shop.intents())
    shop.loses_next = True
    renew_plans(ago(5))
    charge = PlanCharge.objects.get()
    assert (charge.state, charge.attempts) == ("open", 0)
    assert charge.next_attempt_at is not None
    renew_plans(ago(4))
    charge.refresh_from_db()
    found.refresh_from_db()
    assert (charge.state, found.state) == ("paid", "active")
    assert len(shop.intents()) == before + 1


def test_where_nothing_answers_nothing_is_decided(shop: Front, settings: Any) -> None:
    found = subscribed(shop, at=ago(20), trial_days=14)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    renew_plans(ago(5))
    assert charges(found) == [("open", "9.90")]


# --- Giving back ----------------------------------------------------------------------------------


def test_money_goes_back_to_the_card_once(shop: Front) -> None:
    found = subscribed(shop, at=ago(5))
    for _again in range(2):
        cancel_now(
            subscription=found, refund="whole", actor=SYSTEM, source="backoffice", now=ago(1)
        )
    charge = PlanCharge.objects.get()
    assert (charge.state, str(charge.refunded)) == ("refunded", "9.9000")
    asked = [said for path, said in shop.asked if path == "/v1/refunds"]
    assert len(asked) == 1
    assert f"payment_intent={charge.provider_reference}&amount=990" in asked[0]["body"]
    assert charge.credits.get().withdrawn == 100


@pytest.mark.parametrize("kind", ["refund.failed", "refund.updated", "charge.refund.updated"])
def test_money_that_could_not_go_back_is_noted_and_asked_for_again(shop: Front, kind: str) -> None:
    found = subscribed(shop, at=ago(5))
    cancel_now(subscription=found, refund="whole", actor=SYSTEM, source="backoffice", now=ago(1))
    charge = PlanCharge.objects.get()
    [refund] = shop.refunds(charge.provider_reference)
    assert notice(kind, refund, "evt_fine").status_code == 204
    charge.refresh_from_db()
    assert charge.refund_failed_at is None
    failed = refund | {"status": "failed", "failure_reason": "lost_or_stolen_card"}
    assert notice(kind, failed, "evt_failed", secret="whsec_other").status_code == 400
    for _again in range(2):
        assert notice(kind, failed, "evt_failed").status_code == 204
    charge.refresh_from_db()
    assert (charge.state, charge.refund_failure) == ("refunded", "lost_or_stolen_card")
    retry_refund(charge=charge, actor=SYSTEM, now=timezone.now())
    charge.refresh_from_db()
    assert charge.refund_failed_at is None
    keys = [said["key"] for path, said in shop.asked if path == "/v1/refunds"]
    assert len(keys) == len(set(keys)) == 2


def test_where_the_money_cannot_be_sent_nothing_has_happened_yet(
    shop: Front, settings: Any
) -> None:
    found = subscribed(shop, at=ago(5))
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    cancel_now(subscription=found, refund="whole", actor=SYSTEM, source="job", now=ago(1))
    found.refresh_from_db()
    assert (found.state, charges(found)) == ("active", [("paid", "9.90")])
    assert PlanCharge.objects.get().credits.get().withdrawn == 0
    settings.STRIPE_API_BASE = shop.url
    renew_plans(timezone.now())
    found.refresh_from_db()
    assert (found.state, charges(found)) == ("canceled", [("refunded", "9.90")])
    assert len(shop.refunds(PlanCharge.objects.get().provider_reference)) == 1


@pytest.mark.parametrize("is_forgotten", [False, True])
def test_an_answer_that_was_lost_gives_the_money_back_once(shop: Front, is_forgotten: bool) -> None:
    """Also when Stripe has forgotten the key since, as it does after a day."""
    found = subscribed(shop, at=ago(5))
    shop.loses_next = True
    cancel_now(subscription=found, refund="pro_rata", actor=SYSTEM, source="job", now=ago(3))
    charge = PlanCharge.objects.get()
    assert (charge.state, charge.giving_back > 0) == ("paid", True)
    if is_forgotten:
        shop.forget_keys()
    renew_plans(timezone.now())
    charge.refresh_from_db()
    [back] = shop.refunds(charge.provider_reference)
    assert (charge.state, minor_units(charge.refunded, "USD")) == ("refunded", back["amount"])


def test_what_stripe_refuses_is_not_given_back(shop: Front) -> None:
    found = subscribed(shop, at=ago(5))
    PlanCharge.objects.update(provider_reference="pi_unknown")
    with pytest.raises(ConflictError, match="nothing was given back"):
        cancel_now(subscription=found, refund="whole", actor=SYSTEM, source="job", now=ago(1))
    found.refresh_from_db()
    assert (found.state, charges(found)) == ("active", [("paid", "9.90")])
    assert PlanCharge.objects.get().giving_back == 0


# --- Notices --------------------------------------------------------------------------------------


def paid_intent(charge: PlanCharge, status: str = "succeeded") -> dict[str, Any]:
    return {"id": "pi_1", "object": "payment_intent", "status": status,
            "metadata": {"charge": str(charge.public_id)}}  # fmt: skip


def test_a_notice_is_acted_on_once(shop: Front) -> None:
    found = subscribed(shop, DECLINED, at=ago(20), trial_days=14)
    renew_plans(ago(5))
    charge = PlanCharge.objects.get()
    for _again in range(2):
        assert notice("payment_intent.succeeded", paid_intent(charge)).status_code == 204
    found.refresh_from_db()
    assert (found.state, charges(found)) == ("active", [("paid", "9.90")])
    assert PaymentEvent.objects.count() == 1
    assert charge.credits.count() == 1


def test_a_refusal_matters_where_it_was_waited_for(shop: Front) -> None:
    subscribed(shop, DECLINED, at=ago(20), trial_days=14)
    renew_plans(ago(5))
    charge = PlanCharge.objects.get()
    refused = paid_intent(charge, "requires_payment_method")
    notice("payment_intent.payment_failed", refused, "evt_1")
    charge.refresh_from_db()
    assert (charge.state, charge.attempts) == ("failed", 1)
    PlanCharge.objects.update(state="open", provider_reference="pi_1")
    notice("payment_intent.payment_failed", refused, "evt_2")
    charge.refresh_from_db()
    assert (charge.state, charge.attempts) == ("failed", 2)


def test_what_stripe_did_not_sign_is_refused(shop: Front) -> None:
    found = subscribed(shop, DECLINED, at=ago(20), trial_days=14)
    renew_plans(ago(5))
    charge = PlanCharge.objects.get()
    forged = notice("payment_intent.succeeded", paid_intent(charge), secret="whsec_other")
    bare = Client().post("/payments/stripe/notices/", "{}", content_type="application/json")
    assert (forged.status_code, bare.status_code) == (400, 400)
    assert charges(found) == [("failed", "9.90")]
    assert not PaymentEvent.objects.exists()


def test_what_does_not_matter_is_taken_and_forgotten(shop: Front) -> None:
    assert notice("customer.created", {"id": "cus_1", "object": "customer"}).status_code == 204
    stranger = {"id": "pi_9", "object": "payment_intent", "status": "succeeded", "metadata": {}}
    assert notice("payment_intent.succeeded", stranger).status_code == 204
    assert not PaymentEvent.objects.exists()


def test_other_addresses_take_nothing(shop: Front) -> None:
    assert Client().post("/payments/nobody/notices/").status_code == 404
    assert Client().post("/payments/by_hand/notices/").status_code == 400
    assert Client().get("/payments/stripe/notices/").status_code == 405


def test_localstripe_tells_by_itself_what_it_has_collected(
    shop: Front, live_server: Any, transactional_db: None
) -> None:
    import requests

    requests.post(
        f"{shop.behind}/_config/webhooks/setia",
        json={"url": f"{live_server.url}/payments/stripe/notices/", "secret": SECRET}, timeout=10,
    )  # fmt: skip
    found = subscribed(shop, at=ago(5))
    deadline = time.monotonic() + 30
    # What it still had to tell of the payers of earlier tests comes as well, and names no charge.
    told = PaymentEvent.objects.filter(charge__isnull=False)
    while not told.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    event = told.get()
    assert (event.kind, event.charge) == ("payment_intent.succeeded", found.charges.get())
    assert charges(found) == [("paid", "9.90")]


# --- Secrets and coins ----------------------------------------------------------------------------


def test_secrets_are_in_no_log_and_no_row(shop: Front, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    found = subscribed(shop, DECLINED, at=ago(5))
    assert found.charges.get().state == "failed"
    for secret in (KEY, SECRET, DECLINED):
        assert secret not in caplog.text
    rows = [*Subscription.objects.values(), *PlanCharge.objects.values()]
    assert KEY not in str(rows)
    assert DECLINED not in str(rows)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("9.90", "EUR", 990), ("1000", "JPY", 1000), ("1.234", "KWD", 1234), ("0.01", "USD", 1),
        ("100", "ISK", 10000), ("100", "UGX", 10000),
    ],
)  # fmt: skip
def test_money_is_counted_in_the_smallest_coin(amount: str, currency: str, minor: int) -> None:
    assert minor_units(Decimal(amount), currency) == minor


@pytest.mark.usefixtures("awake")
def test_each_payment_that_fails_is_told_with_what_happens_next(shop: Front) -> None:
    switch_on("plan_payment_failed", at=ago(40))
    found = subscribed(shop, DECLINED, at=ago(30), trial_days=14, grace_days=10)
    ended = found.trial_ends_at
    assert ended is not None
    for days in (0, 0, 1, 3, 7, 8):
        renew_plans(ended + dt.timedelta(days=days))
        follow()
    told = Delivery.objects.filter(channel="inbox").order_by("pk").values_list("text", flat=True)
    assert len(told) == 4
    assert ["We try again on" in text for text in told] == [True, True, True, False]
    assert all("Without a payment your plan ends on" in text for text in told)
