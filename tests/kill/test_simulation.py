"""The simulated shop: the same for the same seed, whole in spite of whoever is killed, and it says
so if something is wrong."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config.database.scratch import connect_apart
from config.simulation import BrokenError, acts
from config.simulation.plan import MESSAGES, PROGRAMS, WEIGHTS, Plan
from config.simulation.run import simulate
from loyalty.models import Program, Transfer
from tests.kill.installation import Installation
from tests.loyalty.factories import make_program

SHORT = ["--seed", "7", "--steps", "250", "--workers", "3"]


@pytest.fixture
def keeper(transactional_db: None) -> Iterator[psycopg.Connection]:
    with connect_apart() as connected:
        yield connected


def simulate_shortly(keeper: psycopg.Connection) -> list[str]:
    said: list[str] = []
    simulate(seed=3, steps=40, workers=2, keeper=keeper, say=said.append)
    return said


def test_a_plan_is_the_same_for_the_same_seed():
    assert Plan(5, 400).days == Plan(5, 400).days
    assert Plan(5, 400).days != Plan(6, 400).days


def test_a_plan_has_everything_in_it_twice_and_late():
    plan = Plan(5, 4000)
    assert {act.kind for act in plan.acts} >= MESSAGES | {"merge", "leave_pool", "part", "expire"}
    assert len(plan.acts) >= 4000
    told = Counter(act.number for day in plan.days for act in day.told)
    assert told.keys() == {act.number for act in plan.acts}
    assert sum(count > 1 for count in told.values()) > 400
    last = [max(act.number for act in day.told) for day in plan.days]
    early = [act.number for day, newest in zip(plan.days, last, strict=True) for act in day.told
             if act.number < newest - 60]  # fmt: skip
    assert len(early) > 100
    assert {act.about.get("program") for act in plan.acts} >= set(PROGRAMS)
    assert len(WEIGHTS) >= 29


@pytest.mark.kill
@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_short_simulation_holds(installation: Installation, tmp_path: Path):
    """The command as one runs it, in a database of its own, with everything that is killed."""
    told = tmp_path / "told"
    with told.open("wb") as output:
        process = installation.forks.start(
            [sys.executable, "-m", "manage", "simulate_ledger", *SHORT], output
        )
    process.wait(280)
    said = told.read_text()
    assert process.returncode == 0, said
    assert "messages told again changed nothing" in said
    assert "killed" in said
    assert "cut" in said


@pytest.mark.kill
def test_an_order_that_is_acknowledged_and_not_recorded_is_noticed(keeper, monkeypatch):
    record = acts.HANDS["buy"]

    def forget_one(act, now, **about):
        return 0 if about["number"] == "A1" else record(act, now, **about)

    monkeypatch.setitem(acts.HANDS, "buy", forget_one)
    monkeypatch.setattr("config.simulation.plan.WEIGHTS", {"buy": 1})
    with pytest.raises(BrokenError, match="Order A1 was acknowledged and is lost"):
        simulate_shortly(keeper)


@pytest.mark.kill
def test_units_that_nobody_was_promised_are_noticed(keeper, monkeypatch):
    give = acts.HANDS["adjust"]

    def give_twice(act, now, **about):
        give(acts.Act(act.number + 1_000, act.kind, act.about), now, **about)
        return give(act, now, **about)

    monkeypatch.setitem(acts.HANDS, "adjust", give_twice)
    monkeypatch.setattr("config.simulation.plan.WEIGHTS", {"adjust": 1})
    with pytest.raises(BrokenError, match="was acknowledged with None units"):
        simulate_shortly(keeper)


def test_a_database_that_has_a_program_is_left_alone(keeper):
    make_program()
    with pytest.raises(BrokenError, match="There is a program"):
        simulate_shortly(keeper)
    assert (Program.objects.count(), Transfer.objects.count()) == (1, 0)
