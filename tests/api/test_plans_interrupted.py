"""Requests about paid plans that die before their answer is kept: the same request comes to its end
when it is sent again, whoever has gone on with it meanwhile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.utils import timezone

from loyalty.api.v1 import invoices, own_plans, subscriptions
from loyalty.models import Membership, PlanCharge, Subscription
from loyalty.services.plan_renewals import renew_plans
from loyalty.services.subscriptions import permit_collecting
from members.models import IdempotencyRecord
from tests.api.conftest import ApiClient, assert_problem
from tests.loyalty.payments.banks import Bank, Killed
from tests.loyalty.payments.conftest import bank  # noqa: F401
from tests.loyalty.planning import charges, join, make_club, member, plan

pytestmark = pytest.mark.django_db(transaction=True)


def ago(days: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(days=days)


@pytest.fixture
def ann() -> Membership:
    said = plan(price="9"), plan("pro", price="30", upgrade="at_once")
    return member(make_club(*said, at=ago(60)), "C-9", at=ago(50))


@pytest.fixture
def plus(bank: Bank, ann: Membership) -> Subscription:  # noqa: F811
    found = join(ann, at=ago(3), provider="bank")
    return permit_collecting(subscription=found, customer="c", method="card", now=ago(3))


@pytest.fixture
def me(key_with: Callable[..., ApiClient], ann: Membership) -> ApiClient:
    said = {"customer": {"external_id": ann.customer.external_id}}
    return ApiClient(key_with("member_tokens:write").post("/member-tokens", said).json()["token"])


def send(api: ApiClient, path: str, body: dict[str, Any], key: str = "k") -> Any:
    return api.post(path, body, **{"Idempotency-Key": key})


@contextmanager
def no_answer(monkeypatch: pytest.MonkeyPatch, api: ApiClient) -> Iterator[None]:
    """All is done, and nothing of it is answered or kept."""

    def dies(*_args: object) -> None:
        raise Killed

    named = (
        (subscriptions, "subscription_out"), (invoices, "invoice_out"), (own_plans, "_out"),
    )  # fmt: skip
    with monkeypatch.context() as patched:
        for module, name in named:
            patched.setattr(module, name, dies)
        with pytest.raises(Killed):
            yield
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.parametrize("goes_on", [False, True])
@pytest.mark.parametrize("dies_at", ["provider", "answer"])
def test_a_change(
    api: ApiClient, bank: Bank, plus: Subscription, dies_at: str, goes_on: bool,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path, said = f"/subscriptions/{plus.public_id}/change", {"plan": "pro", "at": "offered"}
    if dies_at == "provider":
        bank.kills = True
        with pytest.raises(Killed):
            send(api, path, said)
        bank.kills = False
    else:
        with no_answer(monkeypatch, api):
            send(api, path, said)
    if goes_on:
        renew_plans(timezone.now())
    answer = send(api, path, said)
    assert answer.status_code == 200, answer.json()
    found = answer.json()
    assert (found["plan"], found["state"], found["invoices"][0]["state"]) == (
        "pro", "active", "paid",
    )  # fmt: skip
    assert len(bank.taken) == 2
    assert send(api, path, said)["Idempotent-Replayed"] == "true"
    assert_problem(send(api, path, {"plan": "plus", "at": "offered"}, "l"), 409, "plan_ended")


def test_a_members_own_change(
    me: ApiClient, bank: Bank, plus: Subscription, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:  # fmt: skip
    path = f"/me/memberships/{plus.membership.public_id}/plan/change"
    pays = me.get(f"{path}?plan=pro").json()["pays_now"]
    said = {"plan": "pro", "pays_now": pays}
    with no_answer(monkeypatch, me):
        send(me, path, said)
    answer = send(me, path, said)
    assert (answer.status_code, answer.json()["plan"]) == (200, "pro")
    assert len(bank.taken) == 2


@pytest.mark.parametrize("how", ["pro_rata", "whole"])
@pytest.mark.parametrize("dies_at", ["provider", "answer"])
@pytest.mark.parametrize("cancels", [False, True])
def test_money_that_is_given_back(
    api: ApiClient, bank: Bank, plus: Subscription, how: str, dies_at: str,  # noqa: F811
    cancels: bool, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path = f"/invoices/{plus.charges.get().public_id}/refund"
    said: dict[str, Any] = {"how": how, "reason": "Asked for it"}
    if cancels:
        path = f"/subscriptions/{plus.public_id}/cancel"
        said = {"at": "now", "refund": how, "reason": "Asked for it"}
    if dies_at == "provider":
        bank.kills = True
        with pytest.raises(Killed):
            send(api, path, said)
        bank.kills = False
        assert PlanCharge.objects.get().giving_back > 0
    else:
        with no_answer(monkeypatch, api):
            send(api, path, said)
    assert send(api, path, said).status_code == 200
    charge = PlanCharge.objects.get()
    assert (charge.state, charge.subscription.state) == ("refunded", "canceled")
    assert list(bank.given.values()) == [charge.refunded]
    assert send(api, path, said)["Idempotent-Replayed"] == "true"


def test_what_is_not_answered_yet_says_so(api: ApiClient, bank: Bank, plus: Subscription) -> None:  # noqa: F811
    bank.is_silent = True
    path = f"/subscriptions/{plus.public_id}"
    found = send(api, f"{path}/cancel", {"at": "now", "refund": "whole"}).json()
    assert (found["state"], found["invoices"][0]["giving_back"]) == ("active", "9")
    assert_problem(send(api, f"{path}/resume", {}, "l"), 409, "refund_unsettled")
    bank.is_silent = False
    renew_plans(timezone.now() + dt.timedelta(hours=2))
    found = api.get(path).json()
    [invoice] = found["invoices"]
    assert (found["state"], invoice["refunded"], invoice["giving_back"]) == ("canceled", "9", "0")


def test_taking_a_plan(
    api: ApiClient, me: ApiClient, ann: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/memberships/{ann.public_id}/subscriptions"
    with no_answer(monkeypatch, api):
        send(api, path, {"plan": "plus"})
    again = send(api, path, {"plan": "plus"})
    assert (again.status_code, again.json()["plan"]) == (201, "plus")
    assert Subscription.objects.get().charges.count() == 1
    # Under another key, or as another request, it is another wish.
    assert_problem(send(api, path, {"plan": "plus"}, "l"), 409, "plan_running")
    own = f"/me/memberships/{ann.public_id}/plan"
    assert_problem(send(me, own, {"plan": "plus"}), 409, "plan_running")


def test_canceling_what_waits_for_its_first_payment(
    api: ApiClient, ann: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = join(ann, at=ago(1))
    path = f"/subscriptions/{held.public_id}/cancel"
    with no_answer(monkeypatch, api):
        send(api, path, {})
    answer = send(api, path, {})
    assert (answer.status_code, answer.json()["state"]) == (200, "canceled")
    assert charges(held) == [("void", "9.00")]
