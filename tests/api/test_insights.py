"""/programs/{code}/insights and /programs/{code}/cohorts."""

from __future__ import annotations

from collections.abc import Callable

from django.utils import timezone

from loyalty.models import Program
from loyalty.services.insight_points import rebuild_points
from tests.api.conftest import ApiClient, assert_problem, order_body


def test_before_the_first_night_every_figure_is_there_without_a_number(
    api: ApiClient, program: Program
) -> None:
    found = api.get("/programs/beans/insights").json()
    assert (found["program"], found["currency"], found["measured"]) == ("beans", "USD", False)
    (active,) = [item for item in found["figures"] if item["metric"] == "active_share"]
    assert active == {
        "metric": "active_share", "tier_code": "", "label": "Active members", "unit": "percent",
        "value": None, "as_of": None, "state": "unmeasured", "trend": [],
        "band": {"low": "40", "high": "60", "chosen": False},
        "meaning": "There was nothing to measure.", "advice": "",
    }  # fmt: skip
    assert api.get("/programs/beans/cohorts").json()["cohorts"] == []


def test_measured_figures_have_a_value_a_state_and_a_trend(
    api: ApiClient, program: Program
) -> None:
    placed = timezone.now().isoformat()
    assert api.post("/orders", order_body(placed_at=placed)).status_code == 201
    rebuild_points([program], timezone.now())
    found = api.get("/programs/beans/insights").json()
    assert found["measured"]
    by_code = {item["metric"]: item for item in found["figures"]}
    assert {"nps", "loyalty_index", "churn_rate", "members"} <= set(by_code)
    assert len(by_code["members"]["trend"]) == 1
    touched = {item["metric"]: item["value"] for item in found["touchpoints"]}
    assert {"touch_orders", "touch_opened", "touch_referrals"} <= set(touched)
    assert [item["metric"] for item in found["joining"]] == [
        "value_before", "value_after", "value_customers",
    ]  # fmt: skip
    assert [item["value"] for item in found["loyalty_parts"]] == [None] * 3
    cohorts = api.get("/programs/beans/cohorts").json()["cohorts"]
    assert cohorts[0]["months"][0] | {"month": "", "revenue": ""} == {
        "month": "", "since": 0, "members": 1, "buyers": 1, "orders": 1, "revenue": "",
        "units_spent": "0",
    }  # fmt: skip


def test_it_needs_the_scope_of_the_books_and_a_program_that_there_is(
    key_with: Callable[..., ApiClient], program: Program
) -> None:
    for page in ("insights", "cohorts"):
        assert key_with("books:read").get(f"/programs/beans/{page}").status_code == 200
        refused = key_with("goals:read").get(f"/programs/beans/{page}")
        assert_problem(refused, 403, "insufficient_scope")
        missing = key_with("books:read").get(f"/programs/nothing/{page}")
        assert_problem(missing, 404, "not_found")
