"""What the jobs of all imports share: on whose behalf they work, dry runs, refused rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from loyalty.services.row_errors import RowError
from members.models import ApiKey, Job, JobError
from members.services.audit import SYSTEM, Actor
from members.services.jobs import record_job_errors

ERRORS_AT_ONCE = 1_000


def said_of(actor: Actor, *, dry_run: bool) -> dict[str, Any]:
    """What an import's parameters keep of who asked for it, and how."""
    found: dict[str, Any] = {"dry_run": True} if dry_run else {}
    if actor.api_key is not None:
        found["api_key"] = actor.api_key.pk
    return found


def actor_of(job: Job) -> Actor:
    """A person, a system with its key, or Setia itself."""
    if job.created_by is not None:
        return Actor.of_user(job.created_by)
    key = ApiKey.objects.filter(pk=job.params.get("api_key")).first()
    return Actor.of_api_key(key) if key is not None else SYSTEM


def is_dry(job: Job) -> bool:
    return bool(job.params.get("dry_run"))


@contextmanager
def all_or_nothing(*, dry: bool) -> Iterator[None]:
    """Work that stands or falls together; of a dry run nothing stays."""
    with transaction.atomic():
        yield
        if dry:
            transaction.set_rollback(True)


def record_row_errors(job: Job, errors: Sequence[RowError]) -> None:
    """Keep the rows that were refused, and why."""
    for place in range(0, len(errors), ERRORS_AT_ONCE):
        piece = errors[place : place + ERRORS_AT_ONCE]
        record_job_errors(
            job,
            [
                JobError(
                    file=error.file, row=error.row, column=error.column, value=error.value,
                    reason=error.reason, code=error.code,
                )
                for error in piece
            ],
        )  # fmt: skip
