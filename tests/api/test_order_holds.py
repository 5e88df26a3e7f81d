"""/orders/hold, /orders/release, /orders/confirm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from loyalty.models import Membership
from members.models import AuditEntry
from tests.api.conftest import ApiClient, assert_problem, order_body

pytestmark = pytest.mark.usefixtures("ann_for_all")

ACTS = ("hold", "release", "confirm")
ADDRESS = {"source": "shop", "external_id": "A-1001"}


def body(**changes: Any) -> dict[str, Any]:
    return {**ADDRESS, "reason": "Looks odd", **changes}


def held(api: ApiClient, membership: Membership) -> tuple[str, str]:
    [found] = api.get(f"/memberships/{membership.public_id}/balances").json()["balances"]
    return found["spendable"], found["pending"]


def test_an_order_is_held_back_and_released(api: ApiClient, membership: Membership) -> None:
    api.post("/orders", order_body())
    answer = api.post("/orders/hold", body())
    assert answer.status_code == 200
    assert (answer.json()["external_id"], answer.json()["held"]) == ("A-1001", True)
    assert held(api, membership) == ("0", "12")
    assert api.post("/orders/hold", body()).json() == answer.json()
    assert api.post("/orders/release", body(reason="All is well")).json()["held"] is False
    assert held(api, membership) == ("12", "0")
    entries = AuditEntry.objects.filter(action__startswith="order.").order_by("pk")
    assert [(entry.action, entry.reason) for entry in entries] == [
        ("order.held", "Looks odd"), ("order.released", "All is well"),
    ]  # fmt: skip
    assert entries[0].actor_label.startswith("API key")


def test_an_order_is_confirmed_early_unless_it_is_held_back(
    api: ApiClient, membership: Membership
) -> None:
    api.post("/orders", order_body())
    api.post("/orders/hold", body())
    assert_problem(api.post("/orders/confirm", body()), 409, "order_conflict")
    api.post("/orders/release", body())
    shown = api.post("/orders/confirm", body()).json()
    assert shown["confirmed_at"] is not None
    assert api.post("/orders/confirm", body()).json()["confirmed_at"] == shown["confirmed_at"]


def test_what_came_to_nothing_is_not_confirmed(api: ApiClient, membership: Membership) -> None:
    api.post("/orders", order_body(status="cancelled"))
    assert_problem(api.post("/orders/confirm", body()), 409, "order_conflict")


def test_an_order_whose_number_is_like_an_act_has_its_own_address(
    api: ApiClient, membership: Membership
) -> None:
    api.post("/orders", order_body(source="hold", external_id="hold"))
    assert api.get("/orders/hold/hold").json()["external_id"] == "hold"


@pytest.mark.parametrize("act", ACTS)
def test_what_is_wrong_is_named(api: ApiClient, membership: Membership, act: str) -> None:
    unknown = api.post(f"/orders/{act}", body(external_id="none"))
    assert_problem(unknown, 422, "invalid_request", "external_id")
    assert_problem(api.post(f"/orders/{act}", body(reason="")), 422, "invalid_request", "reason")
    assert_problem(api.post(f"/orders/{act}", ADDRESS), 422, "invalid_request", "reason")


@pytest.mark.parametrize("act", ACTS)
def test_a_request_may_be_repeated_with_its_key(
    api: ApiClient, membership: Membership, act: str
) -> None:
    api.post("/orders", order_body())
    first = api.post(f"/orders/{act}", body(), Idempotency_Key="h1")
    again = api.post(f"/orders/{act}", body(), Idempotency_Key="h1")
    assert (again.json(), again["Idempotent-Replayed"]) == (first.json(), "true")


@pytest.mark.parametrize("act", ACTS)
def test_who_may_not(outsider: ApiClient, key_with: Callable[..., ApiClient], act: str) -> None:
    assert_problem(outsider.post(f"/orders/{act}", body()), 401, "unauthorized")
    reader = key_with("orders:read")
    assert_problem(reader.post(f"/orders/{act}", body()), 403, "insufficient_scope")


@pytest.mark.parametrize("act", ACTS)
def test_wrong_method(api: ApiClient, act: str) -> None:
    assert_problem(api.get(f"/orders/{act}"), 405, "method_not_allowed")
