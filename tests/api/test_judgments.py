"""/order-explanations."""

from __future__ import annotations

from collections.abc import Callable

from loyalty.models import Membership
from tests.api.conftest import ApiClient, assert_problem, order_body

ADDRESS = "/order-explanations/shop/A-1001"


def test_each_rule_says_what_it_gave(api: ApiClient, membership: Membership) -> None:
    made = api.post("/orders", order_body()).json()
    [program] = api.get(ADDRESS).json()["programs"]
    assert (program["program"], program["reason"]) == ("beans", "")
    [rule] = program["rules"]
    assert (rule["units"], rule["reason"]) == (made["awards"][0]["units"], "")
    assert rule["why"]


def test_a_guest_order_is_explained(api: ApiClient, membership: Membership) -> None:
    body = order_body()
    body.pop("customer")
    api.post("/orders", body)
    [program] = api.get(ADDRESS).json()["programs"]
    assert program["reason"].startswith("A guest order")
    assert program["rules"] == []


def test_an_unknown_order_is_not_found_and_the_scope_is_asked_for(
    api: ApiClient, key_with: Callable[..., ApiClient]
) -> None:
    assert_problem(api.get(ADDRESS), 404, "not_found")
    assert_problem(key_with("quotes:read").get(ADDRESS), 403, "insufficient_scope")
