"""/me/memberships/…/plan: a member's own paid plan, by their token."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

import pytest
from django.db import connection
from django.utils import timezone

from loyalty.api.v1 import own_plans
from loyalty.api.v1.subscriptions import SubscriptionOut
from loyalty.models import Membership, PlanCharge, Subscription
from loyalty.services.plan_payments import mark_paid
from members.models import IdempotencyRecord
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem
from tests.loyalty.planning import make_club, member, plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> Membership:
    at = timezone.now() - dt.timedelta(days=60)
    return member(
        make_club(
            plan(price="9"), plan("pro", price="30", upgrade="at_once"), plan("lite", price="3"),
            at=at,
        ),
        "C-9", at,
    )  # fmt: skip


@pytest.fixture
def me(key_with: Callable[..., ApiClient], ann: Membership) -> ApiClient:
    shop = key_with("member_tokens:write")
    body = {"customer": {"external_id": ann.customer.external_id}}
    return ApiClient(shop.post("/member-tokens", body).json()["token"])


@pytest.fixture
def at(ann: Membership) -> str:
    return f"/me/memberships/{ann.public_id}/plan"


def key(name: str) -> dict[str, str]:
    return {"Idempotency-Key": name}


@pytest.fixture
def plus(me: ApiClient, at: str) -> str:
    """She has Plus, and has paid it."""
    taken = me.post(at, {"plan": "plus"}, **key("take"))
    assert taken.status_code == 201
    mark_paid(charge=PlanCharge.objects.get(), actor=SYSTEM, now=timezone.now())
    return str(taken.json()["id"])


def test_what_is_offered_is_taken_once(me: ApiClient, at: str) -> None:
    shown = me.get(at).json()
    assert (shown["subscription"], shown["in_force"]) == (None, False)
    assert [item["code"] for item in shown["offered"]] == ["plus", "pro", "lite"]
    first, again = (me.post(at, {"plan": "plus"}, **key("k")) for _time in range(2))
    assert first.json() == again.json()
    assert Subscription.objects.get().source == "account"
    assert_problem(me.post(at, {"plan": "pro"}, **key("k2")), 409, "plan_running")
    assert_problem(me.post(at, {"plan": "none"}, **key("k3")), 422, "invalid_request", "plan")


def test_an_upgrade_is_previewed_agreed_to_and_had(me: ApiClient, at: str, plus: str) -> None:
    told = me.get(f"{at}/change?plan=pro").json()
    assert (told["at_once"], told["currency"]) == (True, "USD")
    assert float(told["pays_now"]) + float(told["taken_off"]) == 30
    assert "less" in told["words"][0]
    wrong = {"plan": "pro", "pays_now": "1"}
    refused = me.post(f"{at}/change", wrong, **key("w"))
    assert (refused.status_code, refused.json()["code"]) == (409, "price_changed")
    agreed = {"plan": "pro", "pays_now": told["pays_now"]}
    changed = me.post(f"{at}/change", agreed, **key("c")).json()
    assert (changed["plan"], changed["state"]) == ("pro", "active")
    assert changed["invoices"][0]["taken_off"] == told["taken_off"]
    assert me.get(at).json()["subscription"]["plan"] == "pro"


def test_a_downgrade_waits_and_is_called_off(me: ApiClient, at: str, plus: str) -> None:
    told = me.get(f"{at}/change?plan=lite").json()
    assert (told["at_once"], told["pays_now"]) == (False, "0")
    kept = me.post(f"{at}/change", {"plan": "lite"}, **key("c")).json()
    assert (kept["plan"], kept["becomes"]) == ("plus", "lite")
    stays = me.post(f"{at}/change", {"plan": "plus"}, **key("d")).json()
    assert stays["becomes"] is None


def test_it_is_canceled_for_the_end_of_the_period_and_taken_up_again(
    me: ApiClient, at: str, plus: str
) -> None:
    assert me.post(f"{at}/cancel", **key("c")).json()["cancel_at_period_end"]
    refused = me.get(f"{at}/change?plan=pro")
    assert (refused.status_code, refused.json()["code"]) == (409, "no_renewal")
    assert not me.post(f"{at}/resume", **key("r")).json()["cancel_at_period_end"]


def test_without_a_plan_and_for_others_there_is_nothing(me: ApiClient, at: str) -> None:
    assert_problem(me.get(f"{at}/change?plan=pro"), 404, "not_found")
    for path in ("/cancel", "/resume"):
        assert_problem(me.post(at + path, **key(path[1:])), 404, "not_found")
    other = member(make_club(code="other"), "C-8")
    assert_problem(me.get(f"/me/memberships/{other.public_id}/plan"), 404, "not_found")


def test_what_another_plan_takes_with_it_is_said_before(
    key_with: Callable[..., ApiClient],
) -> None:
    at = timezone.now() - dt.timedelta(days=60)
    ben = member(
        make_club(
            plan(price="9", credits={"units": 50}), plan("pro", price="30", upgrade="at_once"),
            at=at, code="units",
        ),
        "C-10", at,
    )  # fmt: skip
    shop = key_with("member_tokens:write")
    token = shop.post("/member-tokens", {"customer": {"external_id": "C-10"}}).json()["token"]
    his, address = ApiClient(token), f"/me/memberships/{ben.public_id}/plan"
    assert his.post(address, {"plan": "plus"}, **key("take")).status_code == 201
    mark_paid(charge=PlanCharge.objects.get(), actor=SYSTEM, now=timezone.now())
    told = his.get(f"{address}/change?plan=pro").json()
    assert told["withdrawn"] == [{"wallet_type": "points", "units": "50"}]
    assert "Units of Plus that are still there go once that is paid" in told["words"][-1]


def test_who_is_killed_after_the_plan_was_taken_does_not_take_it_twice(
    me: ApiClient, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    me.http.raise_request_exception = False
    with monkeypatch.context() as patched:
        patched.setattr(own_plans, "_out", lambda _found: 1 / 0)
        assert me.post(at, {"plan": "plus"}, **key("take")).status_code == 500
    # What was begun is there, since money may have been asked for; it is not begun again.
    assert (Subscription.objects.count(), IdempotencyRecord.objects.count()) == (1, 0)
    again = me.post(at, {"plan": "plus"}, **key("take"))
    assert (again.status_code, again.json()["plan"]) == (201, "plus")
    assert (Subscription.objects.count(), PlanCharge.objects.count()) == (1, 1)
    assert_problem(me.post(at, {"plan": "plus"}, **key("once more")), 409, "plan_running")


@pytest.mark.django_db(transaction=True)
def test_while_a_plan_is_taken_the_same_request_waits_for_its_answer(
    me: ApiClient, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    working, let_go, answers = threading.Event(), threading.Event(), []
    out = own_plans._out

    def slowly(found: Subscription) -> SubscriptionOut:
        working.set()
        assert let_go.wait(10)
        return out(found)

    def first() -> None:
        answers.append(me.post(at, {"plan": "plus"}, **key("take")).status_code)
        connection.close()

    monkeypatch.setattr(own_plans, "_out", slowly)
    thread = threading.Thread(target=first)
    thread.start()
    assert working.wait(10)
    assert_problem(me.post(at, {"plan": "plus"}, **key("take")), 409, "idempotency_key_in_use")
    let_go.set()
    thread.join()
    assert answers == [201]
    assert me.post(at, {"plan": "plus"}, **key("take"))["Idempotent-Replayed"] == "true"
    assert Subscription.objects.count() == 1
