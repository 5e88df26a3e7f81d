"""What time does to experiments: each is looked at once a day, and ends when its time is over. A
job of the schedule."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Experiment
from campaigns.services.experiment_rows import locked
from campaigns.services.experiments import decision_due, declare, end_experiment
from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.services.audit import SYSTEM
from members.services.job_runs import Step, run_in_chunks

KIND = "experiments"
EACH = dt.timedelta(days=1)


def find_looks(now: dt.datetime) -> Work | None:
    """None where none is due."""
    due = list(_due(now).values_list("pk", flat=True))
    if not due:
        return None
    return Work(
        _("Experiments that are looked at"), fingerprint=f"{now:%Y-%m-%d %H:%M} {due}",
        params={"now": now.isoformat()},
    )  # fmt: skip


def run_looks(job_id: int) -> Job | None:
    """One after the other; None when another run has it."""
    return run_in_chunks(job_id, _look_at_one)


def look_words(job: Job) -> str:
    looked = job.result.get("looked", 0)
    words = ngettext(
        "%s experiment was looked at.", "%s experiments were looked at.", looked
    )  # fmt: skip
    return words % format_number(looked)


@transaction.atomic
def look_at(experiment: Experiment, now: dt.datetime) -> Experiment:
    """Declare what its plan lets say, once; and end it when its time is over. Before that it goes
    on, whatever is declared: who ends it is a person."""
    decision = decision_due(experiment, now)
    row = locked(experiment)
    if row.status != Experiment.Status.RUNNING:
        return row
    assert row.ends_at is not None
    row.looked_at = now
    declare(row, decision, now)
    row.save()
    if row.ends_at <= now:
        return end_experiment(experiment=row, actor=SYSTEM, now=now)
    return row


def _look_at_one(job: Job) -> Step | None:
    now = dt.datetime.fromisoformat(job.params["now"])
    after = (job.checkpoint or {}).get("after", 0)
    row = _due(now).filter(pk__gt=after).first()
    if row is None:
        return None
    look_at(row, now)
    looked = job.result.get("looked", 0) + 1
    return Step(checkpoint={"after": row.pk}, done=job.done + 1, result={"looked": looked})


def _due(now: dt.datetime) -> QuerySet[Experiment]:
    due = Q(ends_at__lte=now) | Q(looked_at=None) | Q(looked_at__lte=now - EACH)
    rows = Experiment.objects.filter(due, status=Experiment.Status.RUNNING)
    return rows.order_by("pk")
