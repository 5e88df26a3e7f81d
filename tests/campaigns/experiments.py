"""Experiments for tests."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from campaigns.experiment_definitions import ExperimentDefinition
from campaigns.models import Experiment, ExperimentMember
from campaigns.occasions import occasion_named
from campaigns.selectors.experiments import experiments
from campaigns.services.experiments import create_experiment, start_experiment
from loyalty.models import Membership, Program
from members.services.audit import SYSTEM
from tests.campaigns.campaigns import draft
from tests.campaigns.factories import switch_on, tell_all
from tests.loyalty.factories import NOW, enroll_all, make_program, order, record
from tests.loyalty.factories import day as at

DAY_BEFORE = at(-1)
WARM = {"channel": "inbox", "locale": "en", "subject": "For you", "body": "With love: {{ gift }}."}


def make_crowd(members: int = 240, code: str = "club") -> Program:
    program = make_program(code)
    enroll_all(program, (f"c{number}" for number in range(members)), at(-2))
    return program


def promotion(program: Program, name: str = "Triple", **said: Any) -> str:
    """The code of a draft that an arm may have."""
    return draft(program, **{"name": name, "title": name, "offer": {"factor": 3}, **said}).code


def definition(program: Program, **said: Any) -> ExperimentDefinition:
    """As it is against three times as much, half of the members each."""
    values: dict[str, Any] = {
        "name": "Triple or not", "question": "Do members buy more for three times as much?",
        "weeks": 2, "smallest": 10,
    }  # fmt: skip
    if "arms" not in said:
        said["arms"] = [
            {"name": "As it is", "share": 50},
            {"name": "Triple", "share": 50, "promotion": promotion(program)},
        ]
    return ExperimentDefinition.model_validate(values | said)


def write(program: Program, **said: Any) -> Experiment:
    return create_experiment(
        program=program, definition=definition(program, **said), actor=SYSTEM, now=DAY_BEFORE
    )


def start(program: Program, **said: Any) -> Experiment:
    return start_experiment(experiment=write(program, **said), actor=SYSTEM, now=NOW)


def on_message(**said: Any) -> ExperimentDefinition:
    """A gift in the words that there are, against others."""
    values: dict[str, Any] = {
        "name": "Warm or not", "question": "Do members buy more for warmer words?", "weeks": 2,
        "compares": "messages", "message": "gift", "measure": "orders",
        "arms": [{"name": "As it is", "share": 50}, {"name": "Warm", "share": 50, "words": [WARM]}],
    }  # fmt: skip
    return ExperimentDefinition.model_validate(values | said)


def write_on_message(program: Program, **said: Any) -> Experiment:
    """Of a message that members are told."""
    found = create_experiment(
        program=program, definition=on_message(**said), actor=SYSTEM, now=DAY_BEFORE
    )
    if (occasion := occasion_named(found.occasion)) and not occasion.only_in_journeys:
        switch_on(found.occasion, "email", "inbox", at=DAY_BEFORE)
    return found


def start_on_message(program: Program, **said: Any) -> Experiment:
    found = write_on_message(program, **said)
    return start_experiment(experiment=found, actor=SYSTEM, now=NOW)


def tell_crowd(days: float = 0.1, members: int = 240, *, name: str = "one", **said: Any) -> None:
    """A gift to each of them, on their own pages."""
    rows = Membership.objects.filter(
        customer__external_id__in=[f"c{number}" for number in range(members)]
    ).select_related("program", "customer").order_by("pk")  # fmt: skip
    tell_all(
        [(row.customer, f"{name}:{row.pk}", row) for row in rows], at=at(days), channels=("inbox",),
        **said,
    )  # fmt: skip


def fresh_experiment(found: Experiment) -> Experiment:
    return experiments().get(pk=found.pk)


def buyers(found: Experiment, place: int) -> list[str]:
    rows = ExperimentMember.objects.filter(experiment=found, arm__place=place).order_by("pk")
    return list(rows.values_list("membership__customer__external_id", flat=True))


def sell(found: Experiment, place: int, total: str, days: float = 0.1) -> None:
    """To everybody of an arm, and one more to every second."""
    record(*(
        order(f"{found.code}-{place}-{days}-{who}", str(Decimal(total) + number % 2), buyer=who,
              at=at(days))
        for number, who in enumerate(buyers(found, place))
    ))  # fmt: skip
