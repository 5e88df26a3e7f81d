"""/orders/batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from loyalty.models import Membership, Order
from tests.api.conftest import ApiClient, assert_problem, count_queries, order_body
from tests.loyalty.factories import make_program

pytestmark = pytest.mark.usefixtures("ann_for_all")


def batch(count: int, **changes: Any) -> dict[str, Any]:
    orders = []
    for number in range(count):
        order = order_body(external_id=f"A-{number}")
        del order["source"]
        orders.append(order)
    return {"source": "till-1", "orders": orders} | changes


def test_a_batch_is_recorded_in_its_order(api: ApiClient, membership: Membership) -> None:
    response = api.post("/orders/batch", batch(3))
    assert response.status_code == 200
    results = response.json()["results"]
    assert [item["external_id"] for item in results] == ["A-0", "A-1", "A-2"]
    assert {item["outcome"] for item in results} == {"created"}
    assert [item["awards"][0]["units"] for item in results] == ["12", "12", "12"]
    again = api.post("/orders/batch", batch(3)).json()["results"]
    assert {item["outcome"] for item in again} == {"unchanged"}


def test_a_batch_takes_the_same_queries_however_long(
    api: ApiClient, membership: Membership
) -> None:
    api.post("/orders/batch", batch(1, source="warm"))
    one = count_queries(lambda: api.post("/orders/batch", batch(1, source="one")))
    fifty = count_queries(lambda: api.post("/orders/batch", batch(50, source="fifty")))
    assert one == fifty


def test_what_is_wrong_is_named_and_nothing_is_written(
    api: ApiClient, membership: Membership
) -> None:
    body = batch(4)
    body["orders"][3]["lines"][1]["total"] = "3,50"
    answer = api.post("/orders/batch", body)
    assert_problem(answer, 422, "invalid_request", "orders[3].lines[1].total")
    body = batch(4)
    body["orders"][1]["total"] = "1.00"
    body["orders"][2]["total"] = "2.00"
    answer = api.post("/orders/batch", body)
    assert_problem(answer, 422, "invalid_order", "orders[1].total", "orders[2].total")
    body = batch(2)
    body["orders"][1]["customer"] = {"id": "8f1f54b6-0c1c-4d51-9d3b-5e8b1f9d1a11"}
    answer = api.post("/orders/batch", body)
    assert_problem(answer, 422, "invalid_request", "orders[1].customer.id")
    assert not Order.objects.exists()


def test_an_order_that_cannot_be_taken_is_named_by_its_place(
    api: ApiClient, membership: Membership
) -> None:
    body = batch(3)
    body["orders"][1]["currency"] = "EUR"
    problem = assert_problem(api.post("/orders/batch", body), 422, "invalid_order")
    assert [item["field"] for item in problem["errors"]] == ["orders[1].currency"]
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"round_up": {"program": "beans", "charity": "paws", "amount": "0.5"}},
         "round_up.charity"),
        ({"discounts": [{"program": "beans", "rule": "none", "amount": "1"}], "total": "11.50",
          "discount_total": "1"}, "discounts[0].rule"),
    ],
)  # fmt: skip
def test_an_order_that_names_what_there_is_not_is_named_by_its_place(
    api: ApiClient, membership: Membership, wrong: dict[str, Any], field: str
) -> None:
    body = batch(3)
    body["orders"][2] |= wrong
    problem = assert_problem(api.post("/orders/batch", body), 422, "invalid_order")
    assert [item["field"] for item in problem["errors"]] == [f"orders[2].{field}"]
    assert not Order.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_order_whose_buyer_has_too_few_units_is_named_by_its_place(
    api: ApiClient, membership: Membership
) -> None:
    make_program("stars", unit={"code": "stars", "plural": "Stars", "unit_value": "0.01"},
                 earning_rules=[{"wallet_type": "stars"}])  # fmt: skip
    earned = batch(3)
    for number, order in enumerate(earned["orders"]):
        order["customer"] = {"external_id": f"C-{number}"}
    assert api.post("/orders/batch", earned).status_code == 200
    paid = batch(3, source="paid")
    asked = [("stars", 4), ("points", 13), ("stars", 5)]
    for number, (unit, units) in enumerate(asked):
        paid["orders"][number]["customer"] = {"external_id": f"C-{number}"}
        paid["orders"][number]["tenders"] = [
            {"kind": "units", "wallet_type": unit, "units": str(units), "amount": f"0.{units:02}"},
            {"kind": "money", "amount": f"{12.5 - units / 100:.2f}"},
        ]
    problem = assert_problem(api.post("/orders/batch", paid), 409, "insufficient_balance")
    assert [item["field"] for item in problem["errors"]] == ["orders[1].tenders"]
    assert problem["detail"].replace("\N{NO-BREAK SPACE}", " ") == "Only 12 Beans can be spent."


def test_a_number_may_be_there_once(api: ApiClient, membership: Membership) -> None:
    body = batch(1)
    body["orders"] *= 2
    assert_problem(api.post("/orders/batch", body), 422, "invalid_order", "orders[1].external_id")


def test_a_batch_has_one_to_five_hundred_orders(api: ApiClient) -> None:
    assert_problem(api.post("/orders/batch", batch(0)), 422, "invalid_request", "orders")
    assert_problem(api.post("/orders/batch", batch(501)), 422, "invalid_request", "orders")


def test_a_batch_may_be_repeated_with_its_key(api: ApiClient, membership: Membership) -> None:
    first = api.post("/orders/batch", batch(2), Idempotency_Key="b1")
    again = api.post("/orders/batch", batch(2), Idempotency_Key="b1")
    assert again["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    other = api.post("/orders/batch", batch(3), Idempotency_Key="b1")
    assert_problem(other, 422, "idempotency_key_reused", "Idempotency-Key")


def test_who_may_not(outsider: ApiClient, key_with: Callable[..., ApiClient]) -> None:
    assert_problem(outsider.post("/orders/batch", batch(1)), 401, "unauthorized")
    reader = key_with("orders:read")
    assert_problem(reader.post("/orders/batch", batch(1)), 403, "insufficient_scope")


def test_wrong_method(api: ApiClient) -> None:
    assert_problem(api.request("DELETE", "/orders/batch"), 405, "method_not_allowed")
