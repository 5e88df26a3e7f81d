"""Segments worked out anew as a job: one of them, or all that have not been today.

Changed customers follow by themselves within seconds; this is for new conditions, and for what
changes as time goes by: "in the last 30 days", "birthday this month".
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from members.conditions.tree import ConditionError
from members.formatting import format_number
from members.jobs import JobKind, Work, register_job_kind
from members.models import Job, Segment
from members.selectors.segments import in_order, merchant_moment
from members.services.audit import SYSTEM, Actor
from members.services.job_logs import Level, log_line
from members.services.job_runs import Step, queue_job, run_in_chunks
from members.services.jobs import start_or_resume_job
from members.services.segment_refresh import refresh_segment

KIND = "segments"
_ALL = "all"


def find_due(now: dt.datetime) -> Work | None:
    """All segments, once a day after the merchant's midnight and when one is new or changed."""
    today = merchant_moment(now)
    due = Segment.objects.filter(archived_at=None, kind=Segment.Kind.DYNAMIC).filter(
        Q(refreshed_at=None) | Q(refreshed_at__lt=today.start_of(today.today))
    )
    return _all_segments() if due.exists() else None


def queue_refresh(segment: Segment, *, actor: Actor) -> Job:
    """Have one segment worked out by a worker once the caller's transaction is through. A run that
    is under way may have read another condition, so it gets a run of its own after that."""
    prefix = _prefix(segment)
    waiting = Job.objects.filter(
        kind=KIND, fingerprint__startswith=prefix, state=Job.State.QUEUED
    ).first()
    if waiting is not None:
        return waiting
    work = Work(segment.name, _unique(prefix), {"segments": [segment.pk]}, total=1)
    return _queued(work, actor)


def queue_refresh_of_all() -> None:
    """Have all worked out, after what they ask about was."""
    work = _all_segments()
    if work is not None:
        _queued(replace(work, fingerprint=_unique(_ALL)), SYSTEM)


def latest_job(segment: Segment) -> Job | None:
    """The newest run that was for this segment alone."""
    jobs = Job.objects.filter(kind=KIND, fingerprint__startswith=_prefix(segment))
    return jobs.order_by("-pk").first()


def _prefix(segment: Segment) -> str:
    return f"segment:{segment.pk}:"


def _unique(prefix: str) -> str:
    return f"{prefix}{uuid.uuid4().hex[:12]}"


def _queued(work: Work, actor: Actor) -> Job:
    job = start_or_resume_job(
        kind=KIND, label=str(work.label), fingerprint=work.fingerprint, params=work.params,
        total=work.total, actor=actor,
    )  # fmt: skip
    transaction.on_commit(lambda: queue_job(job))
    return job


def run_refresh(job_id: int) -> Job | None:
    """Work out the job's segments one after the other; None when another run has it."""
    return run_in_chunks(job_id, _refresh_next)


def refresh_words(job: Job) -> str:
    """What came of it, for people."""
    done = job.result.get("segments", 0)
    words = ngettext(
        "%(segments)s segment worked out: %(came)s came, %(gone)s left.",
        "%(segments)s segments worked out: %(came)s came, %(gone)s left.",
        done,
    )
    return words % {
        "segments": format_number(done),
        "came": format_number(job.result.get("came", 0)),
        "gone": format_number(job.result.get("gone", 0)),
    }


def _all_segments() -> Work | None:
    keys = [segment.pk for segment in in_order()]
    if not keys:
        return None
    label = gettext_lazy("All segments")
    return Work(label, fingerprint=_ALL, params={"segments": keys}, total=len(keys))


def _refresh_next(job: Job) -> Step | None:
    keys, done = job.params["segments"], job.checkpoint.get("done", 0)
    if done >= len(keys):
        return None
    result = {name: job.result.get(name, 0) for name in ("segments", "came", "gone")}
    segment = Segment.objects.filter(pk=keys[done]).first()
    if segment is not None:
        try:
            change = refresh_segment(segment, now=timezone.now())
        except ConditionError as error:
            text = _("“%(name)s” was left as it is: %(why)s")
            log_line(job, text % {"name": segment.name, "why": error.message}, level=Level.ERROR)
        else:
            result["segments"] += 1
            result["came"] += change.came
            result["gone"] += change.gone
    return Step(checkpoint={"done": done + 1}, done=done + 1, total=len(keys), result=result)


def register() -> None:
    """Add the kind; called once, when the application is ready."""
    register_job_kind(
        JobKind(
            key=KIND,
            label=gettext_lazy("Segments"),
            icon="users-group",
            description=gettext_lazy(
                "Works out who is in the segments. Customers about whom something changes follow "
                "by themselves; this is for new conditions and for what changes with time."
            ),
            run=run_refresh,
            find_work=find_due,
            start_label=gettext_lazy("Work out the segments"),
            run_permission="segments.edit",
            words=refresh_words,
            routine=True,
        )
    )
