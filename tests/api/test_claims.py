"""/orders/{source}/{external_id}/claim."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from loyalty.models import Membership, Order
from members.models import Customer
from tests.api.conftest import ApiClient, assert_problem, order_body
from tests.loyalty.conftest import assert_ledger_coherent

CLAIM = "/orders/shop/A-1001/claim"
ANN = {"customer": {"external_id": "C-1"}}


@pytest.fixture
def guest_order(api: ApiClient, membership: Membership) -> None:
    body = order_body()
    del body["customer"]
    assert api.post("/orders", body).json()["awards"] == []


def spendable(api: ApiClient, membership: Membership) -> str:
    [balance] = api.get(f"/memberships/{membership.public_id}/balances").json()["balances"]
    return str(balance["spendable"])


def test_a_guest_order_finds_its_buyer_and_earns(
    api: ApiClient, membership: Membership, guest_order: None
) -> None:
    answer = api.post(CLAIM, ANN)
    assert answer.status_code == 200
    assert answer.json()["customer"]["external_id"] == "C-1"
    assert [award["units"] for award in answer.json()["awards"]] == ["12"]
    assert api.post(CLAIM, ANN).json() == answer.json()
    assert spendable(api, membership) == "12"
    assert_ledger_coherent()


def test_a_mistaken_claim_is_taken_back(
    api: ApiClient, membership: Membership, guest_order: None
) -> None:
    api.post(CLAIM, ANN)
    answers = [api.request("DELETE", CLAIM) for _ in range(2)]
    assert [answer.json()["customer"] for answer in answers] == [None, None]
    assert spendable(api, membership) == "0"
    Customer.objects.create(external_id="C-2")
    other = api.post(CLAIM, {"customer": {"external_id": "C-2"}})
    assert other.json()["customer"]["external_id"] == "C-2"
    assert_ledger_coherent()


def test_a_claim_may_be_repeated_with_its_key(
    api: ApiClient, membership: Membership, guest_order: None
) -> None:
    first = api.post(CLAIM, ANN, Idempotency_Key="c")
    again = api.post(CLAIM, ANN, Idempotency_Key="c")
    assert again["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()


def test_what_cannot_be_is_refused(
    api: ApiClient, membership: Membership, guest_order: None
) -> None:
    nobody = {"customer": {"external_id": "C-9"}}
    assert_problem(api.post(CLAIM, nobody), 422, "invalid_request", "customer")
    assert_problem(api.post(CLAIM, {}), 422, "invalid_request", "customer")
    assert_problem(api.post("/orders/shop/X/claim", ANN), 404, "not_found")
    assert_problem(api.request("DELETE", "/orders/shop/%00/claim"), 404, "not_found")
    Customer.objects.create(external_id="C-2")
    api.post(CLAIM, {"customer": {"external_id": "C-2"}})
    assert_problem(api.post(CLAIM, ANN), 409, "order_conflict", "customer")
    own = order_body(external_id="A-1002")
    api.post("/orders", own)
    assert_problem(api.request("DELETE", "/orders/shop/A-1002/claim"), 409, "order_conflict")
    assert Order.objects.get(external_id="A-1002").customer is not None


def test_who_may_not(outsider: ApiClient, key_with: Callable[..., ApiClient]) -> None:
    assert_problem(outsider.post(CLAIM, ANN), 401, "unauthorized")
    reader = key_with("orders:read")
    assert_problem(reader.post(CLAIM, ANN), 403, "insufficient_scope")
    assert_problem(reader.request("DELETE", CLAIM), 403, "insufficient_scope")


def test_wrong_method(api: ApiClient) -> None:
    assert_problem(api.get(CLAIM), 405, "method_not_allowed")
