"""/programs/{code}/economics: what data say, what is assumed, and what follows."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from loyalty.economics import Inputs, Lift
from loyalty.models import Program
from loyalty.services.economics import Assumed, keep_assumptions, save_scenario
from members.services.audit import SYSTEM
from members.services.outbox import deliver_waiting
from tests.api.conftest import ApiClient, assert_problem, count_queries, order_body

pytestmark = pytest.mark.usefixtures("beans_for_all")

ADDRESS = "/programs/beans/economics"
EXAMPLE = Inputs(
    members=10_000, spend_without=Decimal(300), spend_with=Decimal(450), margin=Decimal(60),
    reward_rate=Decimal(3), administration=Decimal(5),
)  # fmt: skip


@pytest.fixture
def bought(api: ApiClient, program: Program) -> None:
    """A member buys for 12.50 today: 12 Beans of a cent."""
    api.post("/orders", order_body(placed_at=timezone.now().isoformat()))
    deliver_waiting(1000)


def save(program: Program, name: str, **how: Any) -> None:
    how = {"inputs": EXAMPLE} | how
    save_scenario(program=program, name=name, actor=SYSTEM, now=timezone.now(), **how)


def test_a_program_without_anything_says_so(api: ApiClient, program: Program) -> None:
    found = api.get(ADDRESS).json()
    assert (found["program"], found["currency"]) == ("beans", "USD")
    assert (found["assumptions"], found["outcome"], found["scenarios"]) == (None, None, [])
    assert found["data"]["members"] == 0
    assert found["data"]["spend_per_member"] is None
    assert found["data_as_of"]


def test_data_and_assumptions_make_an_outcome_that_says_it_is_assumed(
    api: ApiClient, program: Program, bought: None
) -> None:
    assumed = Assumed(margin=Decimal(60), spend_without=Decimal(1000), administration=Decimal(2))
    keep_assumptions(program=program, assumed=assumed, actor=SYSTEM, now=timezone.now())
    found = api.get(ADDRESS).json()
    data = found["data"]
    assert (data["members"], data["revenue"], data["rewards_earned"]) == (1, "12.5", "0.12")
    # A day of one member stands for a year.
    assert (data["spend_per_member"], data["reward_rate"]) == ("4562.5", "0.96")
    assert found["assumptions"]["administration"] == "2"
    outcome = found["outcome"]
    assert outcome["spend_without_is"] == "assumption"
    assert (outcome["cost_per_member"], outcome["gain_per_member"]) == ("45.8", "2137.5")
    assert outcome["net_low"] is None


def test_scenarios_have_what_follows_and_between_what_it_lies(
    api: ApiClient, program: Program
) -> None:
    save(program, "Plan")
    lift = Lift(Decimal(50), Decimal(250))
    measured = Inputs(
        members=1, spend_without=Decimal(300), spend_with=Decimal(450), margin=Decimal(60),
        lift=lift,
    )  # fmt: skip
    save(program, "Spring", inputs=measured, holdout="campaign-x")
    plan, spring = api.get(ADDRESS).json()["scenarios"]
    assert (plan["name"], plan["spend_with"], plan["members"]) == ("Plan", "450", 10_000)
    outcome = plan["outcome"]
    assert (outcome["cost_per_member"], outcome["net_per_member"]) == ("18.5", "71.5")
    assert (outcome["roi"], outcome["total_net"]) == ("3.8649", "715000")
    assert (outcome["break_even_lift"], outcome["break_even_members"]) == ("24.5614", 1)
    assert spring["outcome"]["spend_without_is"] == "holdout"
    assert (spring["outcome"]["net_low"], spring["outcome"]["net_high"]) == ("30", "150")
    assert spring["outcome"]["roi"] is None


def test_what_takes_longer_is_worked_out_meanwhile(
    api: ApiClient, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(program, "Plan")
    monkeypatch.setattr("loyalty.api.v1.economics.ask_figures", lambda *_a, **_how: None)
    found = api.get(ADDRESS).json()
    assert (found["data"], found["data_as_of"], found["outcome"]) == (None, None, None)
    assert found["scenarios"][0]["outcome"]["net_per_member"] == "71.5"


def test_it_takes_the_scope_of_books_and_a_program_that_is_there(
    program: Program, key_with: Callable[..., ApiClient]
) -> None:
    assert_problem(key_with("programs:read").get(ADDRESS), 403, "insufficient_scope")
    assert_problem(key_with("books:read").get("/programs/x/economics"), 404, "not_found")


def test_scenarios_cost_no_further_queries(api: ApiClient, program: Program, bought: None) -> None:
    few = count_queries(lambda: api.get(ADDRESS))
    save(program, "A")
    save(program, "B")
    assert count_queries(lambda: api.get(ADDRESS)) == few
