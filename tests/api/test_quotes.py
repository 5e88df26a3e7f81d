"""/quotes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loyalty.models import Membership, Order
from tests.api.conftest import ApiClient, assert_problem, order_body


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
