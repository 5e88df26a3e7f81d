"""Which kinds of long work there are, how each is begun, and who may look at it and run it.

Each application registers its kinds in AppConfig.ready; the jobs page, the schedule and whoever
takes over the work of a dead worker know them from here. How to add one: docs/development.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.text import capfirst

from members.formatting import format_number
from members.models import Job
from members.policy import AnyUser

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Work:
    """What there is to do now. The same fingerprint is the same work, and so the same job."""

    label: Text
    fingerprint: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    total: int = 0


def plain_words(job: Job) -> str:
    """A result whose kind has no words of its own: "Looked at: 1,200, changed: 3"."""
    return capfirst(", ".join(f"{_name(key)}: {_value(job.result[key])}" for key in job.result))


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of work. `run` takes the id of a waiting job and works on it until it is done; when
    another run has it, it returns at once. None: nobody knows any more how to do this."""

    key: str
    label: Text
    icon: str
    run: Callable[[int], object] | None
    # What it is for, in a sentence, where it is offered or missed.
    description: Text = ""
    # Says what there is to do, or None: then no job is made. Needed by the schedule and the button.
    find_work: Callable[[datetime], Work | None] | None = None
    # The button on the jobs page; without one it is begun elsewhere.
    start_label: Text = ""
    # The actions of members.policy that let somebody see it, and start, stop and go on with it.
    view_permission: str = "jobs.view"
    run_permission: str = "jobs.run"
    # A page of its own, by URL name; it takes the job's public id.
    page: str = ""
    # Whether that page is for this user; others are led back to the page of any job.
    has_page_for: Callable[[Job, AnyUser], bool] = lambda _job, _user: True
    # Where it is undone, once it has ended; as `page`.
    undo_page: str = ""
    # The result in words, from the job alone: a list shows many of them.
    words: Callable[[Job], str] = plain_words
    # Runs by itself so often that runs that went well are soon forgotten.
    routine: bool = False
    # Keeps nothing of a run that was killed: each begins with nothing done.
    begins_anew: bool = False


_kinds: dict[str, JobKind] = {}


def register_job_kind(kind: JobKind) -> None:
    """Make a kind known; the same key again replaces it."""
    _kinds[kind.key] = kind


def job_kinds() -> list[JobKind]:
    """Every kind, by its label."""
    return sorted(_kinds.values(), key=lambda kind: str(kind.label).casefold())


def view_permissions() -> dict[str, str]:
    """What it takes to see the jobs of each kind, by its key."""
    return {kind.key: kind.view_permission for kind in _kinds.values()}


def job_kind(key: str) -> JobKind:
    """The kind of this key; of one that is registered no more, what its jobs are shown by."""
    known = _kinds.get(key)
    return known or JobKind(key, capfirst(key.replace("_", " ")), "settings", run=None)


def _name(key: str) -> str:
    return key.replace("_", " ")


def _value(value: Any) -> str:
    return format_number(value) if isinstance(value, int | float) else str(value)
