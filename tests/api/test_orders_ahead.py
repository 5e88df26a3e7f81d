"""Orders and refunds of a day to come: /orders, /orders/batch, /refunds, /till/sales and
/till/sync."""

from __future__ import annotations

import pytest

from loyalty.models import Membership, Order, Refund
from tests.api.conftest import ApiClient, assert_problem, order_body
from tests.api.test_refunds import refund_body

pytestmark = pytest.mark.django_db
AHEAD = "2096-03-01T12:00:00+08:00"


def test_an_order_and_a_refund_of_a_day_to_come_are_refused(
    api: ApiClient, membership: Membership
) -> None:
    answer = api.post("/orders", order_body(placed_at=AHEAD))
    assert_problem(answer, 422, "invalid_order", "placed_at")
    assert "check the clock" in answer.json()["errors"][0]["message"]
    assert_problem(
        api.post("/refunds", refund_body(refunded_at=AHEAD)), 422, "invalid_order", "refunded_at"
    )
    assert not Order.objects.exists()
    assert not Refund.objects.exists()


def test_of_a_batch_the_one_is_named(api: ApiClient, membership: Membership) -> None:
    bodies = [order_body(), order_body(external_id="A-2", placed_at=AHEAD)]
    for body in bodies:
        body.pop("source", None)
    answer = api.post("/orders/batch", {"source": "shop", "orders": bodies})
    assert_problem(answer, 422, "invalid_order", "orders[1].placed_at")


def test_a_till_whose_clock_is_wrong_is_told_so(api: ApiClient, membership: Membership) -> None:
    sale = {"id": "s-1", "placed_at": AHEAD, "currency": "USD", "total": "20"}
    answer = api.post("/till/sales", sale | {"till": "till-1"})
    assert_problem(answer, 422, "invalid_order", "placed_at")
    [queued] = api.post("/till/sync", {"till": "till-1", "sales": [sale]}).json()["results"]
    [problem] = queued["problems"]
    assert (queued["outcome"], problem["code"]) == ("refused", "invalid_order")
    assert "placed_at" in str(problem)
    assert not Order.objects.exists()
