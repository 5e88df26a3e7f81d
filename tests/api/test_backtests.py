"""/backtests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import Backtest
from loyalty.services.backtest_runs import run_backtest
from tests.api.conftest import ApiClient, assert_problem, order_body

pytestmark = pytest.mark.usefixtures("ann_for_all")


def body(**changes: Any) -> dict[str, Any]:
    today = timezone.now().date().isoformat()
    rules = [{"code": "base", "name": "Base rate", "units": "3"}]
    said = {"program": "beans", "since": "2026-01-01", "until": today, "rules": rules}
    return said | changes


@pytest.fixture
def trying(key_with: Callable[..., ApiClient], api: ApiClient, membership: object) -> ApiClient:
    """A key for backtests; a member earned 12 Beans."""
    api.post("/orders", order_body())
    return key_with("backtests:read", "backtests:write")


def test_a_draft_is_tried_and_read_once_it_is_done(trying: ApiClient) -> None:
    asked = trying.post("/backtests", body(name="Triple"), **{"Idempotency-Key": "a"})
    assert asked.status_code == 201, asked.content
    assert (asked.json()["result"], asked.json()["job_state"]) == (None, "queued")
    run_backtest(Backtest.objects.get().job_id)
    found = trying.get(f"/backtests/{asked.json()['id']}").json()
    total = found["result"]["total"]
    assert (total["live"]["units"]["points"], total["draft"]["units"]["points"]) == ("12", "37")
    assert (found["result"]["better"], found["result"]["worse"]) == (1, 0)
    assert [item["change"] for item in found["result"]["rules"]] == ["changed"]
    [listed] = trying.get("/backtests").json()["results"]
    assert (listed["name"], listed["id"]) == ("Triple", found["id"])


def test_asking_twice_asks_once(trying: ApiClient) -> None:
    first, again = (
        trying.post("/backtests", body(), **{"Idempotency-Key": "a"}).json() for _turn in range(2)
    )
    assert first["id"] == again["id"]
    assert Backtest.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"until": "2100-01-01"}, "until"),
        ({"rules": [{"code": "base", "units": "-1"}]}, "rules[0].units"),
        ({"without": ["nothing"]}, "without"),
    ],
)
def test_what_cannot_be_tried_is_refused_by_field(
    trying: ApiClient, changes: dict[str, Any], field: str
) -> None:
    response = trying.post("/backtests", body(**changes), **{"Idempotency-Key": "b"})
    assert 400 <= response.status_code < 500
    assert field in [error["field"] for error in response.json()["errors"]]


def test_it_takes_its_scope(key_with: Callable[..., ApiClient], membership: object) -> None:
    reader = key_with("backtests:read")
    assert_problem(
        reader.post("/backtests", body(), **{"Idempotency-Key": "c"}), 403, "insufficient_scope"
    )


def test_other_tiers_are_tried(trying: ApiClient) -> None:
    steps = [
        {"code": "base", "name": "Member"}, {"code": "gold", "name": "Gold", "threshold": 10},
    ]  # fmt: skip
    refused = trying.post("/backtests", body(tiers={"tiers": []}), **{"Idempotency-Key": "w"})
    assert_problem(refused, 422, "invalid_request", "tiers.tiers")
    said = body(rules=[], tiers={"window": "lifetime", "tiers": steps})
    asked = trying.post("/backtests", said, **{"Idempotency-Key": "t"})
    assert asked.json()["draft"]["tiers"]["tiers"][1]["code"] == "gold"
    run_backtest(Backtest.objects.get().job_id)
    found = trying.get(f"/backtests/{asked.json()['id']}").json()["result"]["tiers"]
    assert [(tier["code"], tier["live_members"], tier["draft_members"]) for tier in found] == [
        ("base", 0, 0), ("gold", 0, 1),
    ]  # fmt: skip
