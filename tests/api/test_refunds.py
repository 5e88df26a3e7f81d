"""/refunds, /refunds/{source}/{external_id}."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from loyalty.models import Membership, Refund
from tests.api.conftest import ApiClient, assert_problem, order_body

pytestmark = pytest.mark.usefixtures("ann_for_all")


def refund_body(**changes: Any) -> dict[str, Any]:
    return {
        "external_id": "R-1",
        "order_external_id": "A-1001",
        "refunded_at": "2026-03-05T09:00:00+08:00",
        "currency": "USD",
        "total": "3.50",
        "lines": [{"sku": "CUP-1", "total": "3.50"}],
    } | changes


def test_a_refund_takes_back_what_came_back(api: ApiClient, membership: Membership) -> None:
    api.post("/orders", order_body())
    response = api.post("/refunds", refund_body())
    assert response.status_code == 201
    shown = response.json()
    assert [award["units"] for award in shown["awards"]] == ["-3"]
    assert shown["customer"]["external_id"] == "C-1"
    assert shown["parked"] is False
    assert api.get("/refunds/shop/R-1").json() == shown
    assert api.get("/orders/shop/A-1001").json()["refunds"] == ["R-1"]


def test_a_refund_without_its_order_waits(api: ApiClient, membership: Membership) -> None:
    assert api.post("/refunds", refund_body()).json()["parked"] is True
    api.post("/orders", order_body())
    shown = api.get("/refunds/shop/R-1").json()
    assert shown["parked"] is False


def test_a_return_without_an_order_takes_back_its_own_amount(
    api: ApiClient, membership: Membership
) -> None:
    api.post("/orders", order_body())
    body = refund_body(order_external_id="", customer={"external_id": "C-1"})
    assert [award["units"] for award in api.post("/refunds", body).json()["awards"]] == ["-3"]


def test_a_repeat_changes_nothing_and_other_content_is_refused(
    api: ApiClient, membership: Membership
) -> None:
    api.post("/orders", order_body())
    api.post("/refunds", refund_body())
    assert api.post("/refunds", refund_body()).status_code == 200
    other = api.post("/refunds", refund_body(total="4.00", lines=[]))
    assert_problem(other, 409, "order_conflict", "external_id")
    assert Refund.objects.count() == 1


def test_a_refund_may_be_repeated_with_its_key(api: ApiClient, membership: Membership) -> None:
    api.post("/refunds", refund_body(), Idempotency_Key="r1")
    again = api.post("/refunds", refund_body(), Idempotency_Key="r1")
    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    other = api.post("/refunds", refund_body(total="1", lines=[]), Idempotency_Key="r1")
    assert_problem(other, 422, "idempotency_key_reused")


def test_what_is_wrong_is_named(api: ApiClient, membership: Membership) -> None:
    answer = api.post("/refunds", refund_body(total="9.99"))
    assert_problem(answer, 422, "invalid_order", "total")
    answer = api.post("/refunds", refund_body(lines=[{"total": "-1"}]))
    assert_problem(answer, 422, "invalid_request", "lines[0].total")


def test_what_is_not_there_is_not_found(api: ApiClient) -> None:
    assert_problem(api.get("/refunds/shop/R-1"), 404, "not_found")
    assert_problem(api.get("/refunds/shop/%00"), 404, "not_found")


def test_who_may_not(outsider: ApiClient, key_with: Callable[..., ApiClient]) -> None:
    assert_problem(outsider.post("/refunds", refund_body()), 401, "unauthorized")
    assert_problem(
        key_with("orders:read").post("/refunds", refund_body()), 403, "insufficient_scope"
    )
    assert_problem(key_with("orders:write").get("/refunds/shop/R-1"), 403, "insufficient_scope")


def test_wrong_method(api: ApiClient) -> None:
    assert_problem(api.get("/refunds"), 405, "method_not_allowed")
