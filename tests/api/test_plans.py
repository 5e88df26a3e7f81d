"""Paid plans over the API: what is offered, who has what, and what becomes of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import Membership, PlanCharge, Subscription
from tests.api.conftest import ApiClient
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.planning import join, make_club, member, plan

pytestmark = pytest.mark.django_db

PLUS = plan(
    trial_days=14, description="For regulars.", credits={"units": 200},
    benefits=[{"kind": "free_shipping"}, {"kind": "multiplier", "factor": "1.5"}],
)  # fmt: skip


def ago(days: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(days=days)


@pytest.fixture
def ann() -> Membership:
    return member(make_club(PLUS, plan("pro", price="99", period="year"), at=ago(60)), at=ago(50))


def take(api: ApiClient, ann: Membership, code: str, key: str = "k1") -> Any:
    return api.post(
        f"/memberships/{ann.public_id}/subscriptions", {"plan": code}, **{"Idempotency-Key": key}
    )


def test_what_a_program_offers(api: ApiClient, ann: Membership) -> None:
    plus, pro = api.get("/programs/club/plans").json()["results"]
    assert (plus["code"], plus["price"], plus["currency"], plus["trial_days"]) == (
        "plus", "9.9", "USD", 14,
    )  # fmt: skip
    assert plus["price_words"] == "$9.90 a month"
    assert plus["credits"]["words"] == "200\N{NO-BREAK SPACE}points every month"
    assert plus["brings"][1:] == ["Free shipping", "1.5 × points on purchases"]
    assert (pro["period"], pro["credits"], pro["benefits"]) == ("year", None, [])


def test_a_plan_is_taken_once_whatever_comes_again(api: ApiClient, ann: Membership) -> None:
    first, again = take(api, ann, "plus"), take(api, ann, "plus")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert (first.json()["state"], first.json()["invoices"]) == ("trialing", [])
    assert Subscription.objects.count() == 1
    refused = take(api, ann, "pro", "k2")
    assert (refused.status_code, refused.json()["code"]) == (409, "plan_running")


def test_a_plan_that_is_not_there_is_refused_by_its_field(api: ApiClient, ann: Membership) -> None:
    refused = take(api, ann, "gold")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "plan")


def test_the_shop_reads_what_a_customer_has(api: ApiClient, ann: Membership) -> None:
    assert api.get("/customer-plans?external_id=c1").json() == {"results": []}
    take(api, ann, "plus")
    [found] = api.get("/customer-plans?external_id=c1").json()["results"]
    assert (found["in_force"], found["plan"]["code"]) == (True, "plus")
    assert [item["kind"] for item in found["plan"]["benefits"]] == ["free_shipping", "multiplier"]
    assert api.get("/customer-plans?external_id=c1&program=other").json() == {"results": []}


def test_canceling_taking_up_again_and_changing(api: ApiClient, ann: Membership) -> None:
    found = take(api, ann, "plus").json()
    path = f"/subscriptions/{found['id']}"
    canceled = api.post(f"{path}/cancel", {}, **{"Idempotency-Key": "c"}).json()
    assert (canceled["cancel_at_period_end"], canceled["renews_at"]) == (True, None)
    resumed = api.post(f"{path}/resume", {}, **{"Idempotency-Key": "r"}).json()
    assert resumed["renews_at"] == resumed["period_end"]
    assert (
        api.post(f"{path}/change", {"plan": "pro"}, **{"Idempotency-Key": "p"}).json()["becomes"]
        == "pro"
    )
    assert (
        api.post(f"{path}/change", {"plan": "plus"}, **{"Idempotency-Key": "q"}).json()["becomes"]
        is None
    )
    wrong = api.post(f"{path}/cancel", {"refund": "whole"}, **{"Idempotency-Key": "w"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "refund")
    ended = api.post(f"{path}/cancel", {"at": "now"}, **{"Idempotency-Key": "n"}).json()
    assert (ended["state"], ended["ended_why"]) == ("canceled", "at_once")
    assert api.get(path).json() == ended


def test_an_invoice_is_paid_and_given_back(api: ApiClient, ann: Membership) -> None:
    join(ann, "pro", at=ago(1))
    [found] = api.get(f"/memberships/{ann.public_id}/subscriptions").json()["results"]
    [invoice] = found["invoices"]
    assert (invoice["number"], invoice["amount"], invoice["state"]) == (1, "99", "open")
    path = f"/invoices/{invoice['id']}"
    assert api.get(f"{path}/refund").status_code == 409
    paid = api.post(f"{path}/payment", {"note": "Transfer 12"}, **{"Idempotency-Key": "a"}).json()
    assert paid["state"] == "paid"
    preview = api.get(f"{path}/refund").json()
    assert (preview["whole"], preview["ends_plan"], preview["withdrawn"]) == ("99", True, [])
    body = {"how": "whole", "reason": "Asked for it"}
    assert api.post(f"{path}/refund", body, **{"Idempotency-Key": "b"}).json()["refunded"] == "99"
    assert (
        api.post(f"{path}/refund", body, **{"Idempotency-Key": "c"}).json()["state"] == "refunded"
    )
    assert PlanCharge.objects.get().subscription.state == "canceled"
    assert_ledger_coherent()


def test_what_is_not_there(api: ApiClient, ann: Membership) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    assert api.get(f"/subscriptions/{nobody}").status_code == 404
    assert api.get(f"/invoices/{nobody}/refund").status_code == 404
    assert api.get("/programs/nowhere/plans").status_code == 404


def test_reading_does_not_suffice_for_writing(key_with: Any, ann: Membership) -> None:
    reader = key_with("memberships:read")
    assert take(reader, ann, "plus").status_code == 403
    assert reader.get(f"/memberships/{ann.public_id}/subscriptions").status_code == 200


def test_a_plan_is_changed_at_once_where_it_is_sold_so(api: ApiClient) -> None:
    ben = member(
        make_club(plan(price="9"), plan("pro", price="30", upgrade="at_once"), code="two",
                  at=ago(60)), "c7", ago(50),
    )  # fmt: skip
    held = join(ben, at=ago(3))
    path = f"/subscriptions/{held.public_id}"
    api.post(f"/invoices/{held.charges.get().public_id}/payment", {}, **{"Idempotency-Key": "p"})
    waits = api.post(f"{path}/change", {"plan": "pro"}, **{"Idempotency-Key": "a"}).json()
    assert (waits["plan"], waits["becomes"]) == ("plus", "pro")
    said = {"plan": "pro", "at": "offered"}
    found = api.post(f"{path}/change", said, **{"Idempotency-Key": "b"}).json()
    assert (found["plan"], found["invoices"][0]["state"]) == ("pro", "open")
    assert float(found["invoices"][0]["taken_off"]) > 0
