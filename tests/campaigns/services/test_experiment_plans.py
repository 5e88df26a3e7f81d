"""What an experiment will take, from what its audience did lately."""

from __future__ import annotations

import pytest

from campaigns.selectors.experiment_plans import plan_of
from campaigns.services.experiments import start_experiment
from loyalty.models import Program
from members.errors import DomainError
from members.services.audit import SYSTEM
from tests.campaigns.experiments import at, make_crowd, write
from tests.loyalty.factories import NOW, make_program, order, record
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db


made_once = shared(make_crowd)


@pytest.fixture
def crowd(made_once: Program, db: None) -> Program:
    return anew(made_once)


def test_its_plan_says_how_many_members_and_weeks_it_takes(crowd: Program) -> None:
    record(*(
        order(f"P{number}-{week}", str(20 + number % 7), buyer=f"c{number}", at=at(-7 * week - 1))
        for number in range(240) for week in range(4)
    ))  # fmt: skip
    found = write(crowd, weeks=None)
    plan = plan_of(found, NOW)
    assert (plan.members, plan.have, [row.weeks for row in plan.rows]) == (240, 120, [1, 2, 3])
    assert plan.first is not None
    started = start_experiment(experiment=found, actor=SYSTEM, now=NOW)
    assert (started.needed, started.ends_at) == (plan.first.needed, at(7 * plan.first.weeks))


def test_where_members_are_never_enough_somebody_has_to_say_how_long(crowd: Program) -> None:
    record(*(order(f"P{n}", str(1 + 40 * (n % 5)), buyer=f"c{n}", at=at(-6)) for n in range(99)))
    found = write(crowd, weeks=None, smallest=1)
    assert plan_of(found, NOW).first is None
    with pytest.raises(DomainError, match="never enough"):
        start_experiment(experiment=found, actor=SYSTEM, now=NOW)


def test_its_plan_reaches_back_to_the_first_order_of_the_program(crowd: Program) -> None:
    record(order("first", "20", buyer="c1", at=at(-200)))
    record(order("late", "20", buyer="c2", at=at(-6)))
    assert [row.weeks for row in plan_of(write(crowd), NOW).rows][-1] == 26


def test_orders_of_another_currency_make_no_weeks_known(crowd: Program) -> None:
    make_program("abroad", currency="CHF", at=at(-400))
    record(order("abroad", "20", buyer="c3", currency="CHF", at=at(-200)))
    record(order("late", "20", buyer="c2", at=at(-20)))
    assert [row.weeks for row in plan_of(write(crowd), NOW).rows] == [1, 2]
