"""/orders: the states that an order goes through, in any order of messages."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty.models import Membership, Order
from tests.api.conftest import ApiClient, assert_problem, order_body

pytestmark = pytest.mark.usefixtures("ann_for_all")


def send(api: ApiClient, **changes: Any) -> str:
    response = api.post("/orders", order_body(**changes))
    assert response.status_code in (200, 201), response.content
    outcome: str = response.json()["outcome"]
    return outcome


def read(api: ApiClient) -> dict[str, Any]:
    shown: dict[str, Any] = api.get("/orders/shop/A-1001").json()
    return shown


def test_the_times_of_its_states_are_read_and_shown(api: ApiClient, membership: Membership) -> None:
    times = {
        "paid_at": "2026-03-01T05:00:00Z",
        "fulfilled_at": "2026-03-02T05:00:00Z",
        "completed_at": "2026-03-09T05:00:00Z",
    }
    assert send(api, **times) == "created"
    shown = read(api)
    assert {name: shown[name] for name in times} == times
    assert (shown["status"], shown["held"], shown["confirmed_at"]) == ("completed", False, None)


def test_a_state_that_is_not_reached_has_no_time(api: ApiClient, membership: Membership) -> None:
    send(api, status="paid", paid_at="2026-03-01T05:00:00Z")
    shown = read(api)
    assert shown["paid_at"] == "2026-03-01T05:00:00Z"
    assert (shown["fulfilled_at"], shown["completed_at"]) == (None, None)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("sequence", 4, 7),
        ("changed_at", "2026-03-01T12:00:00Z", "2026-03-01T12:00:01Z"),
    ],
)
def test_an_older_message_changes_nothing_and_says_so(
    api: ApiClient, membership: Membership, name: str, old: Any, new: Any
) -> None:
    assert send(api, status="fulfilled", **{name: new}) == "created"
    assert send(api, status="placed", **{name: old}) == "outdated"
    assert read(api)["status"] == "fulfilled"
    assert read(api)[name] == new
    assert send(api, status="fulfilled", **{name: new}) == "unchanged"


def test_an_outdated_order_in_a_batch_is_named(api: ApiClient, membership: Membership) -> None:
    send(api, sequence=7)
    body = order_body(sequence=4, store="Corner")
    del body["source"]
    answer = api.post("/orders/batch", {"orders": [body]})
    assert [item["outcome"] for item in answer.json()["results"]] == ["outdated"]


@pytest.mark.parametrize(
    ("status", "units"),
    [("partly_refunded", ["12"]), ("refunded", ["12", "-12"]), ("cancelled", ["12", "-12"])],
)
def test_what_came_to_nothing_is_taken_back(
    api: ApiClient, membership: Membership, status: str, units: list[str]
) -> None:
    send(api, status="paid")
    assert send(api, status=status) == "updated"
    shown = read(api)
    assert shown["status"] == status
    assert [award["units"] for award in shown["awards"]] == units
    assert shown["paid_at"] is not None


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"paid_at": "2026-03-01"}, "invalid_request", "paid_at"),
        ({"changed_at": "2026-03-01T12:00:00"}, "invalid_request", "changed_at"),
        ({"sequence": -1}, "invalid_request", "sequence"),
        ({"sequence": "4"}, "invalid_request", "sequence"),
        ({"sequence": 2**63}, "invalid_request", "sequence"),
        ({"status": "shipped"}, "invalid_request", "status"),
    ],
)
def test_what_is_wrong_is_named(
    api: ApiClient, membership: Membership, changes: dict[str, Any], code: str, field: str
) -> None:
    assert_problem(api.post("/orders", order_body(**changes)), 422, code, field)
    assert not Order.objects.exists()
