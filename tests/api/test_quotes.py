"""/quotes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from loyalty.definitions import ProgramDefinition
from loyalty.models import Membership, Order
from loyalty.selectors.programs import definition_of
from loyalty.services.programs import apply_definition
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem, order_body

pytestmark = pytest.mark.usefixtures("ann_for_all")


def quote_body(**changes: Any) -> dict[str, Any]:
    body = order_body()
    for name in ("external_id", "source", "placed_at"):
        body.pop(name, None)
    return body | changes


def test_it_says_what_the_order_then_earns(
    key_with: Callable[..., ApiClient], api: ApiClient, membership: Membership
) -> None:
    asking = key_with("quotes:read")
    response = asking.post("/quotes", quote_body())
    assert response.status_code == 200, response.content
    [program] = response.json()["programs"]
    assert (program["program"], program["membership"]) == ("beans", str(membership.public_id))
    [award] = program["awards"]
    assert program["totals"][0]["units"] == award["units"] == "12"
    assert not Order.objects.exists()
    made = api.post("/orders", order_body()).json()
    assert [given["units"] for given in made["awards"]] == [award["units"]]
    assert made["awards"][0]["explanation"]["steps"] == award["why"]


def test_a_basket_without_a_customer_is_quoted_as_for_somebody_who_joins(api: ApiClient,
    key_with: Callable[..., ApiClient], membership: Membership) -> None:  # fmt: skip
    body = quote_body()
    body.pop("customer")
    [program] = key_with("quotes:read").post("/quotes", body).json()["programs"]
    assert program["membership"] is None
    assert program["totals"][0]["units"] == "12"


def test_a_basket_that_contradicts_itself_is_refused_by_field(
    key_with: Callable[..., ApiClient], membership: Membership
) -> None:
    problem = key_with("quotes:read").post("/quotes", quote_body(total="1.00"))
    assert_problem(problem, 422, "invalid_order")
    assert problem.json()["errors"][0]["field"] == "total"


def test_a_key_without_the_scope_asks_in_vain(
    key_with: Callable[..., ApiClient], membership: Membership
) -> None:
    assert_problem(
        key_with("orders:write").post("/quotes", quote_body()), 403, "insufficient_scope"
    )


def test_it_says_what_is_taken_off_and_what_to_record(
    key_with: Callable[..., ApiClient], api: ApiClient, membership: Membership
) -> None:
    definition = definition_of(membership.program, timezone.now())
    card = {"kind": "discount", "code": "card", "name": "Card", "percent": 10}
    apply_definition(
        ProgramDefinition.model_validate(definition.model_dump() | {"discount_rules": [card]}),
        actor=SYSTEM,
        now=timezone.now(),
    )
    body = quote_body(total="20.00", lines=[{"total": "12.50", "sku": "A"}, {"total": "7.50"}])
    asking = key_with("quotes:read")
    [program] = asking.post("/quotes", body).json()["programs"]
    assert program["discount"] == "2.00"
    [discount] = program["discounts"]
    assert (discount["rule"], discount["name"]) == ("card", "Card")
    assert [line["amount"] for line in discount["lines"]] == ["1.25", "0.75"]
    assert discount["why"] == [
        "Goods that count: $20.00.",
        "10% of: $20.00.",
        "That makes, each line rounded to the nearest: $2.00.",
    ]
    left = program["discounted"]
    assert (left["total"], program["totals"][0]["units"]) == ("18.00", "18")
    paid = body | {
        "total": left["total"],
        "lines": [
            line | {"total": priced["total"], "discount": priced["discount"]}
            for line, priced in zip(body["lines"], left["lines"], strict=True)
        ],
    }
    now = timezone.now().isoformat()
    told = {"program": "beans", "rule": "card", "amount": program["discount"]}
    made = api.post("/orders", order_body(**paid, discounts=[told], placed_at=now)).json()
    assert [given["units"] for given in made["awards"]] == ["18"]
    number = order_body()["external_id"]
    assert api.get(f"/orders/shop/{number}").json()["discounts"] == [told]
    costs = api.get("/programs/beans/discounts").json()["results"]
    assert [(row["rule"], row["orders"], row["kept"]) for row in costs] == [("card", 1, "2.00")]
    assert api.get("/programs/beans/discounts?last=2020-01-01").json()["results"][0]["orders"] == 0
    again = asking.post("/quotes", paid | {"with_discounts": False}).json()["programs"][0]
    assert (again["discount"], again["discounted"]) == ("0.00", None)
