"""A job as screens show it: what it is, how far and how fast, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from babel.dates import format_timedelta
from django.urls import reverse
from django.utils.translation import gettext as _

from members.formatting import active_locale, format_number
from members.jobs import JobKind, job_kind
from members.models import Job


@dataclass(frozen=True, slots=True)
class JobProgress:
    """What the progress component is told of a job. `poll_url` is asked every two seconds."""

    job: Job
    label: str
    poll_url: str
    value: int | None
    rate: str
    time_left: str

    @classmethod
    def of(cls, job: Job, *, in_list: bool = False) -> JobProgress:
        """In a list the job's name stands above the bar already, so its kind names the bar."""
        speed = _speed(job)
        url = reverse("backoffice:job_progress", args=[job.public_id])
        return cls(
            job,
            str(job_kind(job.kind).label) if in_list else job.label,
            f"{url}?in=list" if in_list else url,
            job.done if job.total else None,
            _rate(job, speed),
            _time_left(job, speed),
        )

    @property
    def element_id(self) -> str:
        return f"job-progress-{self.job.pk}"


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job in a list, with the page that shows all of it."""

    job: Job
    kind: JobKind
    url: str
    words: str
    progress: JobProgress

    @classmethod
    def of(cls, job: Job) -> JobRow:
        kind = job_kind(job.kind)
        return cls(job, kind, job_url(job), result_words(job), JobProgress.of(job, in_list=True))


def job_url(job: Job) -> str:
    """The page of a job: the one its kind has of its own, or that of any job."""
    return reverse(job_kind(job.kind).page or "backoffice:job", args=[job.public_id])


def result_words(job: Job) -> str:
    """What came of it: why it failed, or the result as its kind words it."""
    if job.state == Job.State.FAILED:
        return job.error
    return job_kind(job.kind).words(job) if job.result else ""


def _speed(job: Job) -> float:
    """Steps per second from the begin of this run to its last word."""
    if job.started_at is None or job.heartbeat_at is None or job.state != Job.State.RUNNING:
        return 0.0
    seconds = (job.heartbeat_at - job.started_at).total_seconds()
    before = 0 if job_kind(job.kind).begins_anew else job.done_before
    return (job.done - before) / seconds if seconds > 1 else 0.0


def _rate(job: Job, speed: float) -> str:
    if job.state != Job.State.RUNNING:
        return _("%(done)s done") % {"done": format_number(job.done)} if job.done else ""
    return _("%(number)s a second") % {"number": format_number(round(speed))} if speed >= 1 else ""


def _time_left(job: Job, speed: float) -> str:
    if speed <= 0 or job.total <= job.done:
        return ""
    left = timedelta(seconds=(job.total - job.done) / speed)
    return _("%(time)s left") % {"time": format_timedelta(left, locale=active_locale())}
