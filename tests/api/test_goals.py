"""/goals and /goals/{id}."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import Goal, Membership, Program
from tests.api.conftest import ApiClient, assert_problem

pytestmark = pytest.mark.usefixtures("beans_for_all")


def soon(days: int = 70) -> str:
    return (timezone.now().date() + dt.timedelta(days=days)).isoformat()


def goal_body(**changes: Any) -> dict[str, Any]:
    return {
        "program": "beans", "metric": "members", "target": "10", "due_on": soon(),
        "note": "Spring",
    } | changes  # fmt: skip


def test_a_goal_is_set_read_changed_and_closed(api: ApiClient, membership: Membership) -> None:
    made = api.post("/goals", goal_body())
    assert made.status_code == 201, made.content
    goal = made.json()
    assert (goal["baseline"], goal["value"], goal["unit"], goal["open"]) == (
        "1",
        "1",
        "count",
        True,
    )
    assert goal["state"] == "on_track"
    assert goal["points"] == [{"day": goal["starts_on"], "value": "1"}]
    address = f"/goals/{goal['id']}"
    assert api.get(address).json() == goal
    [listed] = api.get("/goals?program=beans&open=true").json()["results"]
    assert listed == {name: value for name, value in goal.items() if name != "points"}
    assert api.get("/goals?open=false").json()["results"] == []
    changed = api.patch(address, {"target": "20.5"}).json()
    assert (changed["target"], changed["note"], changed["baseline"]) == ("20.5", "Spring", "1")
    assert_problem(api.post(f"{address}/close", {"state": "reached"}), 422, "invalid_request",
                   "state")  # fmt: skip
    closed = api.post(f"{address}/close", {"state": "given_up", "note": "No time"}).json()
    assert (closed["state"], closed["open"], closed["closed_note"]) == (
        "given_up",
        False,
        "No time",
    )
    assert_problem(api.patch(address, {"target": "3"}), 409, "goal_closed")


def test_the_same_goal_again_is_the_one_that_there_is(api: ApiClient, program: Program) -> None:
    first = api.post("/goals", goal_body())
    again = api.post("/goals", goal_body())
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert_problem(api.post("/goals", goal_body(target="11")), 409, "goal_exists", "metric")
    assert Goal.objects.count() == 1


def test_what_is_wrong_is_named(api: ApiClient, program: Program) -> None:
    for changes, field in (
        ({"program": "tea"}, "program"),
        ({"metric": "fame"}, "metric"),
        ({"metric": "active_share", "target": "101"}, "target"),
        ({"due_on": "2020-01-01"}, "due_on"),
        ({"starts_on": soon(2)}, "starts_on"),
        ({"metric": "tier_share", "tier_code": "gold"}, "tier_code"),
        ({"target": "-1"}, "target"),
    ):
        answer = api.post("/goals", goal_body(**changes))
        assert_problem(answer, 422, "invalid_request", field)
    assert_problem(api.get("/goals?open=perhaps"), 400, "invalid_parameter", "open")
    missing = "00000000-0000-4000-8000-000000000000"
    assert_problem(api.get(f"/goals/{missing}"), 404, "not_found")


def test_who_may_not(
    api: ApiClient, key_with: Callable[..., ApiClient], outsider: ApiClient, program: Program
) -> None:
    goal = api.post("/goals", goal_body()).json()
    reading = key_with("goals:read")
    assert reading.get("/goals").status_code == 200
    assert_problem(reading.post("/goals", goal_body()), 403, "insufficient_scope")
    assert_problem(reading.patch(f"/goals/{goal['id']}", {}), 403, "insufficient_scope")
    assert_problem(outsider.get("/goals"), 401, "unauthorized")
