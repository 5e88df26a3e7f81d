"""/orders, /orders/{source}/{external_id}."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.models import Membership, Order, Program, Transfer
from members.models import Customer
from tests.api.conftest import ApiClient, assert_problem, count_queries, order_body

pytestmark = pytest.mark.usefixtures("ann_for_all")

WORDS = ["Goods that earn: $12.50.", "Rate: 1 Bean for each $1.00.",
         "That makes, rounded down: 12 Beans."]  # fmt: skip


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_a_new_order_earns_and_says_why(api: ApiClient, membership: Membership) -> None:
    response = api.post("/orders", order_body())
    assert response.status_code == 201
    receipt = response.json()
    assert receipt["outcome"] == "created"
    [award] = receipt["awards"]
    assert award["program"] == "beans"
    assert award["wallet_type"] == "points"
    assert award["decimals"] == 0
    assert award["units"] == "12"
    assert award["explanation"]["title"] == "Earned with order A-1001"
    assert [plain(step) for step in award["explanation"]["steps"]] == WORDS


def test_the_reasons_come_in_the_language_asked_for(api: ApiClient, membership: Membership) -> None:
    response = api.post("/orders", order_body(), Accept_Language="el")
    assert response["Content-Language"] == "el"
    assert "12,50" in response.json()["awards"][0]["explanation"]["steps"][0]


def test_the_same_order_again_changes_nothing(api: ApiClient, membership: Membership) -> None:
    first = api.post("/orders", order_body()).json()
    response = api.post("/orders", order_body(total="12.5"))
    assert response.status_code == 200
    assert response.json() == first | {"outcome": "unchanged"}
    assert Transfer.objects.count() == 1


def test_an_order_that_changed_is_reconciled(api: ApiClient, membership: Membership) -> None:
    api.post("/orders", order_body())
    body = order_body(total="9.00", lines=[{"sku": "ESP-250", "total": "9.00"}])
    response = api.post("/orders", body)
    assert response.status_code == 200
    assert response.json()["outcome"] == "updated"
    assert [award["units"] for award in response.json()["awards"]] == ["12", "-3"]


def test_what_an_item_cost_the_shop_is_kept_with_it(api: ApiClient, membership: Membership) -> None:
    lines = [
        {"sku": "ESP-250", "total": "9.00", "unit_cost": "4.5"},
        {"sku": "CUP", "total": "3.50"},
    ]
    api.post("/orders", order_body(lines=lines))
    read = api.get("/orders/shop/A-1001").json()
    assert [line["unit_cost"] for line in read["lines"]] == ["4.50", None]
    lines[0]["unit_cost"] = "-1"
    refused = api.post("/orders", order_body(external_id="A-2", lines=lines))
    assert_problem(refused, 422, "invalid_request", "lines[0].unit_cost")


def test_a_first_order_makes_the_customer_and_the_membership(
    api: ApiClient, program: Program
) -> None:
    buyer = {
        "external_id": "C-9", "email": "New@Example.com", "phone": "+60123456789",
        "given_name": "Noor",
    }  # fmt: skip
    assert api.post("/orders", order_body(customer=buyer)).json()["awards"][0]["units"] == "12"
    customer = Customer.objects.get(external_id="C-9")
    assert (customer.email, customer.given_name) == ("new@example.com", "Noor")


def test_a_buyer_may_be_named_by_our_id(api: ApiClient, membership: Membership) -> None:
    buyer = {"id": str(membership.customer.public_id)}
    assert api.post("/orders", order_body(customer=buyer)).json()["awards"][0]["units"] == "12"


def test_without_a_buyer_nobody_earns(api: ApiClient, program: Program) -> None:
    body = order_body()
    del body["customer"]
    assert api.post("/orders", body).json()["awards"] == []


def test_two_cards_are_one_payment(api: ApiClient, membership: Membership) -> None:
    tenders = [{"kind": "money", "amount": "10.00"}, {"kind": "money", "amount": "2.50"}]
    assert api.post("/orders", order_body(tenders=tenders)).status_code == 201
    shown = api.get("/orders/shop/A-1001").json()
    assert shown["tenders"] == [{"kind": "money", "amount": "12.50"}]


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"total": "12.51"}, "invalid_order", "total"),
        ({"total": 12.5}, "invalid_request", "total"),
        ({"total": "-1"}, "invalid_request", "total"),
        ({"total": "9" * 40}, "invalid_request", "total"),
        ({"currency": "usd"}, "invalid_request", "currency"),
        ({"currency": "EUR"}, "invalid_order", "currency"),
        ({"placed_at": "2026-03-01T12:30:00"}, "invalid_request", "placed_at"),
        ({"placed_at": "2026-02-30T12:30:00Z"}, "invalid_request", "placed_at"),
        ({"placed_at": "0001-01-01T00:00:00Z"}, "invalid_request", "placed_at"),
        ({"placed_at": 1700000000}, "invalid_request", "placed_at"),
        ({"external_id": "a\x00b"}, "invalid_request", "external_id"),
        ({"external_id": ""}, "invalid_request", "external_id"),
        ({"source": "a b"}, "invalid_request", "source"),
        ({"status": "lost"}, "invalid_request", "status"),
        ({"totl": "1"}, "invalid_request", "totl"),
        ({"customer": {}}, "invalid_request", "customer"),
        ({"customer": {"external_id": "C-1", "email": "no"}}, "invalid_request", "customer.email"),
        (
            {"customer": {"id": "8f1f54b6-0c1c-4d51-9d3b-5e8b1f9d1a11"}},
            "invalid_request",
            "customer.id",
        ),
        ({"lines": [{"total": "9.00"}, {"total": "x"}]}, "invalid_request", "lines[1].total"),
        ({"lines": [{"total": "12.50", "tags": ["a\x00"]}]}, "invalid_request", "lines[0].tags[0]"),
        (
            {"lines": [{"total": "9", "line_no": 1}, {"total": "3.5", "line_no": 1}]},
            "invalid_order",
            "lines[1].line_no",
        ),
        ({"tenders": [{"kind": "money", "amount": "0"}]}, "invalid_request", "tenders[0].amount"),
        ({"tenders": [{"kind": "money", "amount": "3"}]}, "invalid_order", "tenders"),
    ],
)
def test_what_is_wrong_is_named(
    api: ApiClient, membership: Membership, changes: dict[str, Any], code: str, field: str
) -> None:
    assert_problem(api.post("/orders", order_body(**changes)), 422, code, field)
    assert not Order.objects.exists()


def test_a_field_that_is_missing_is_named(api: ApiClient) -> None:
    fields = ("external_id", "placed_at", "currency", "total")
    assert_problem(api.post("/orders", {}), 422, "invalid_request", *fields)


def test_put_is_idempotent_by_its_address(api: ApiClient, membership: Membership) -> None:
    body = order_body()
    del body["source"], body["external_id"]
    assert api.put("/orders/till-7/2026%2F%231", body).status_code == 201
    again = api.put("/orders/till-7/2026%2F%231", body)
    assert again.status_code == 200
    assert again.json()["outcome"] == "unchanged"
    assert api.get("/orders/till-7/2026%2F%231").json()["external_id"] == "2026/#1"


def test_put_refuses_an_address_that_post_would_refuse(api: ApiClient) -> None:
    body = order_body()
    del body["source"], body["external_id"]
    assert_problem(api.put("/orders/a%20b/1", body), 422, "invalid_request", "source")
    assert_problem(api.put("/orders/a/%00", body), 422, "invalid_request", "external_id")


def test_an_order_is_read_with_all_that_belongs_to_it(
    api: ApiClient, membership: Membership
) -> None:
    api.post("/orders", order_body())
    shown = api.get("/orders/shop/A-1001").json()
    assert shown["placed_at"] == "2026-03-01T04:30:00Z"
    assert shown["customer"] == {"id": str(membership.customer.public_id), "external_id": "C-1"}
    assert [line["total"] for line in shown["lines"]] == ["9.00", "3.50"]
    assert shown["lines"][0]["quantity"] == "2"
    assert shown["lines"][0]["unit_price"] == "4.50"
    assert [award["units"] for award in shown["awards"]] == ["12"]


def test_an_order_that_is_not_there_is_not_found(api: ApiClient) -> None:
    assert_problem(api.get("/orders/shop/none"), 404, "not_found")
    assert_problem(api.get("/orders/shop/%00"), 404, "not_found")


def test_a_customers_orders_come_newest_first_in_pages(
    api: ApiClient, membership: Membership
) -> None:
    for day in range(1, 6):
        body = order_body(external_id=f"A-{day}", placed_at=f"2026-03-0{day}T00:00:00Z")
        api.post("/orders", body)
    first = api.get(f"/orders?customer={membership.customer.public_id}&limit=2").json()
    assert [order["external_id"] for order in first["results"]] == ["A-5", "A-4"]
    second = api.get(first["next"]).json()
    assert [order["external_id"] for order in second["results"]] == ["A-3", "A-2"]
    assert api.get(second["previous"]).json()["results"] == first["results"]
    last = api.get(second["next"]).json()
    assert [order["external_id"] for order in last["results"]] == ["A-1"]
    assert last["next"] is None


def test_a_list_of_orders_takes_the_same_queries_however_long(
    api: ApiClient, membership: Membership
) -> None:
    address = f"/orders?customer={membership.customer.public_id}"

    def queries() -> int:
        return count_queries(lambda: api.get(address))

    api.post("/orders", order_body())
    few = queries()
    for number in range(5):
        api.post("/orders", order_body(external_id=f"B-{number}"))
    assert queries() == few


@pytest.mark.django_db(transaction=True)
def test_an_order_costs_four_round_trips(api: ApiClient, membership: Membership) -> None:
    api.post("/orders", order_body(external_id="warm"))
    with CaptureQueriesContext(connection) as captured:
        assert api.post("/orders", order_body()).status_code == 201
    said = [query["sql"].split("(")[0][:40] for query in captured]
    assert len(said) == 4, said
    assert said[0] == "BEGIN"
    assert "orders_open" in captured[1]["sql"]
    assert "orders_write" in captured[2]["sql"]
    assert said[3] == "COMMIT"


def test_who_may_not(
    outsider: ApiClient, key_with: Callable[..., ApiClient], membership: Membership
) -> None:
    assert_problem(outsider.post("/orders", order_body()), 401, "unauthorized")
    reader, writer = key_with("orders:read"), key_with("orders:write")
    refused = assert_problem(reader.post("/orders", order_body()), 403, "insufficient_scope")
    assert "orders:write" in refused["detail"]
    address = f"/orders?customer={membership.customer.public_id}"
    assert_problem(writer.get(address), 403, "insufficient_scope")
    assert_problem(writer.get("/orders/shop/A"), 403, "insufficient_scope")
    assert_problem(reader.put("/orders/shop/A", {}), 403, "insufficient_scope")


def test_wrong_methods(api: ApiClient) -> None:
    response = api.patch("/orders", {})
    assert_problem(response, 405, "method_not_allowed")
    assert set(response["Allow"].split(", ")) >= {"GET", "POST"}
    assert_problem(api.request("DELETE", "/orders/shop/A"), 405, "method_not_allowed")
