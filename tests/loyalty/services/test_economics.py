"""What is assumed of a program's economics is kept, and scenarios are saved under a name."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from loyalty.economics import Economics, Inputs, Lift
from loyalty.models import EconomicAssumptions, EconomicScenario, Program
from loyalty.selectors.economics import assumptions_of, inputs_of_scenario, scenarios_of
from loyalty.services import economics as service
from loyalty.services.economics import Assumed, keep_assumptions, remove_scenario, save_scenario
from members.errors import ConflictError, DomainError
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.loyalty.factories import NOW, make_program
from tests.sharing import of_each_test

_made_once, program = of_each_test(make_program)

EXAMPLE = Inputs(
    members=10_000, spend_without=Decimal(300), spend_with=Decimal(450), margin=Decimal(60),
    reward_rate=Decimal(3), administration=Decimal(5),
)  # fmt: skip


def saved(
    program: Program, name: str = "Plan", holdout: str = "", **changes: Any
) -> EconomicScenario:
    return save_scenario(
        program=program, name=name, inputs=replace(EXAMPLE, **changes), holdout=holdout,
        actor=SYSTEM, now=NOW,
    )  # fmt: skip


def keep(program: Program, **values: Any) -> EconomicAssumptions:
    assumed = Assumed(margin=Decimal(60), **values)
    return keep_assumptions(program=program, assumed=assumed, actor=SYSTEM, now=NOW)


def test_a_scenario_comes_to_the_same_when_it_is_read_again(program):
    saved(program)
    found = Economics(inputs_of_scenario(scenarios_of(program).get()))
    assert (found.cost, found.net, found.total_net) == (
        Decimal("18.5"), Decimal("71.5"), Decimal(715_000),
    )  # fmt: skip
    entry = AuditEntry.objects.get(action="economics.saved")
    assert (entry.target_label, entry.after) == ("Club", {"name": "Plan"})


def test_the_same_scenario_again_is_one_and_another_of_its_name_is_refused(program):
    assert saved(program) == saved(program, " Plan ")
    with pytest.raises(ConflictError) as refused:
        saved(program, margin=Decimal(50))
    assert refused.value.code == "scenario_exists"
    assert saved(program, "Thin margin", margin=Decimal(50)).margin == 50


def test_a_measured_lift_is_saved_with_its_ends_its_days_and_its_holdout(program):
    days = dt.date(2026, 3, 1), dt.date(2026, 3, 31)
    lift = Lift(Decimal("2.5"), Decimal("22.75"), *days)
    saved(program, holdout="campaign-1", lift=lift)
    assert inputs_of_scenario(scenarios_of(program).get()).lift == lift
    for holdout, measured in (("", lift), ("campaign-1", None)):
        with pytest.raises(DomainError):
            saved(program, "Other", holdout=holdout, lift=measured)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("members", {"members": 0}),
        ("margin", {"margin": Decimal(101)}),
        ("reward_rate", {"reward_rate": Decimal(-1)}),
        ("spend_without", {"spend_without": Decimal(-1)}),
        ("platform_fee", {"platform_fee": Decimal(10) ** 12}),
        ("breakage", {"redemption": Decimal(70), "breakage": Decimal(31)}),
    ],
)
def test_what_cannot_be_is_refused_naming_it(program, field, values):
    with pytest.raises(DomainError) as refused:
        saved(program, **values)
    assert [error.field for error in refused.value.errors] == [field]
    assert not EconomicScenario.objects.exists()


@pytest.mark.parametrize(
    "values",
    [
        {"members": 0}, {"margin": 101}, {"platform_fee": -1}, {"breakage": 31, "redemption": 70},
        {"holdout": "campaign-1"}, {"lift_low": 1, "lift_high": 2}, {"spend_without": -1},
        {"holdout": "campaign-1", "lift_low": 2, "lift_high": 1}, {"name": "Other"},
    ],
)  # fmt: skip
def test_the_database_refuses_it_too(program, values):
    saved(program)
    saved(program, "Other")
    with pytest.raises(IntegrityError), transaction.atomic():
        EconomicScenario.objects.filter(name="Plan").update(**values)


def test_a_program_has_so_many_scenarios_and_no_more(program, monkeypatch):
    monkeypatch.setattr(service, "MOST_SCENARIOS", 2)
    saved(program, "A")
    saved(program, "B")
    with pytest.raises(DomainError, match="Remove one first"):
        saved(program, "C")
    remove_scenario(scenario=EconomicScenario.objects.get(name="A"), actor=SYSTEM)
    saved(program, "C")
    assert AuditEntry.objects.get(action="economics.removed").before == {"name": "A"}


def test_removing_again_changes_nothing(program):
    scenario = saved(program)
    remove_scenario(scenario=scenario, actor=SYSTEM)
    remove_scenario(scenario=scenario, actor=SYSTEM)
    assert AuditEntry.objects.filter(action="economics.removed").count() == 1


def test_assumptions_are_kept_once_for_a_program_and_each_change_is_in_the_log(program):
    keep(program, administration=Decimal(5), spend_without=Decimal(300))
    keep(program, administration=Decimal(5), spend_without=Decimal(300))
    kept = keep(program, administration=Decimal(6))
    # What was measured is no assumption, and leaves the one that there is.
    assert (kept.administration, kept.spend_without) == (6, 300)
    assert assumptions_of(program) == kept
    first, second = AuditEntry.objects.filter(action="economics.assumed").order_by("pk")
    assert (first.before, first.after["administration"]) == ({}, "5")
    assert second.before["administration"] != second.after["administration"] == "6"


def test_assumptions_that_cannot_be_are_refused(program):
    with pytest.raises(DomainError) as refused:
        keep(program, support=Decimal(120))
    assert [error.field for error in refused.value.errors] == ["support"]
    kept = keep(program)
    with pytest.raises(IntegrityError), transaction.atomic():
        EconomicAssumptions.objects.filter(pk=kept.pk).update(messaging=101)
