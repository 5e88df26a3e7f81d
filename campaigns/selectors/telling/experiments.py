"""What is told outside of experiments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from campaigns.models import Experiment
from campaigns.selectors.experiments import experiments
from loyalty.selectors.telling.people import PROGRAM
from members.models import OutboxEvent
from members.public_events import EventData, EventType, PublicEvent, named_rows

DECIDED = "experiment.decided"


class ExperimentData(EventData):
    """Something was declared of an experiment, or it ended with nothing to declare. Told once."""

    experiment: str = Field(description="The experiment's id in the API: GET /experiments/{id}.")
    code: str = Field(description="The experiment's code.")
    program: str = Field(description="The program's code.")
    name: str
    verdict: str = Field(
        description="better, worse (the first arm is better), none, few or early: nothing shown."
    )
    winner: str | None = Field(description="The name of the arm that is better. Null: none is.")
    decided_at: dt.datetime
    status: str = Field(description="running or ended: what is declared early goes on.")


_SAMPLE = ExperimentData(
    experiment="9a7d2f6e-3d9b-4f41-9f43-5b1c2d7e8a90", code="double-or-triple", program=PROGRAM,
    name="Double or triple", verdict="better", winner="Triple",
    decided_at=dt.datetime(2026, 3, 30, 6, tzinfo=dt.UTC), status="ended",
)  # fmt: skip
EXPERIMENT_TYPES = [
    EventType(DECIDED, _("It is known what an experiment has shown."), ExperimentData, _SAMPLE)
]


def tell_experiments(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, lambda row: [DECIDED] if row.became and not row.was else [])
    found = experiments().in_bulk([item.row.id for item in named])
    for item in named:
        experiment = found.get(item.row.id)
        if experiment is not None:
            yield item.told(experiment.program.code, _data(experiment))


def _data(row: Experiment) -> ExperimentData:
    assert row.decided_at is not None
    winner = None if row.winner is None else row.arms.all()[row.winner].name
    return ExperimentData(
        experiment=str(row.public_id), code=row.code, program=row.program.code, name=row.name,
        verdict=row.verdict, winner=winner, decided_at=row.decided_at, status=row.status,
    )  # fmt: skip
