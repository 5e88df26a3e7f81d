"""Whose jobs somebody may see, and which of them they may start, stop and have go on. A job knows
no program, and what it was refused tells of people: who is limited to some sees their own."""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from members.errors import NotFoundError
from members.jobs import JobKind, job_kind, job_kinds, view_permissions
from members.models import ApiKey, Job
from members.policy import AnyUser, is_allowed
from members.prepared import KeptRows
from members.program_scope import programs_of
from members.selectors.jobs import get_job


def visible_kinds(user: AnyUser) -> list[JobKind]:
    """The registered kinds whose jobs this user may see, by their label."""
    return [kind for kind in job_kinds() if is_allowed(user, kind.view_permission)]


def visible_jobs(user: AnyUser) -> QuerySet[Job]:
    """Every job but those of kinds that are not for this user. A job knows no program: whose role
    is limited to some sees what they have begun."""
    jobs = Job.objects.filter(created_by=user.pk) if programs_of(user) else Job.objects.all()
    return _but_of(_hidden_kinds(user), jobs)


def _hidden_kinds(user: AnyUser) -> frozenset[str]:
    """Every page of the back-office asks; few permissions show all of the kinds."""
    needed = view_permissions()
    lacking = {name for name in set(needed.values()) if not is_allowed(user, name)}
    return frozenset(key for key, name in needed.items() if name in lacking)


def _but_of(hidden: frozenset[str], jobs: QuerySet[Job]) -> QuerySet[Job]:
    return jobs.exclude(kind__in=hidden) if hidden else jobs


def jobs_of_key(key: ApiKey) -> QuerySet[Job]:
    """What a key may read of: one that is limited, of what it has begun."""
    return Job.objects.filter(params__api_key=key.pk) if key.programs else Job.objects.all()


def visible_job(user: AnyUser, public_id: UUID) -> Job:
    """One job: NotFoundError when there is none, PermissionDenied when it is not for this user."""
    job = get_job(public_id)
    if programs_of(user) and job.created_by_id != user.pk:
        raise NotFoundError(_("There is no such job."))
    if not is_allowed(user, job_kind(job.kind).view_permission):
        raise PermissionDenied(f"Jobs of the kind {job.kind} are not for this role.")
    return job


def failed_jobs(user: AnyUser) -> QuerySet[Job]:
    """The visible jobs that wait for somebody to have them go on, or to give them up."""
    return visible_jobs(user).filter(state=Job.State.FAILED)


def count_failed_jobs(user: AnyUser) -> int:
    """How many, which every page of the back-office says."""
    hidden = _hidden_kinds(user)
    if programs_of(user):
        return _own_failed_but_of(hidden).count(user.pk)
    return _failed_but_of(hidden).count()


_FAILED = Job.objects.filter(state=Job.State.FAILED)


@lru_cache
def _failed_but_of(hidden: frozenset[str]) -> KeptRows:
    return KeptRows(lambda: _but_of(hidden, _FAILED).values("pk"))


@lru_cache
def _own_failed_but_of(hidden: frozenset[str]) -> KeptRows:
    return KeptRows(
        lambda user: _but_of(hidden, _FAILED.filter(created_by=user)).values("pk"), (-1, -2)
    )


def may_run(user: AnyUser, job: Job) -> bool:
    """Whether this user may stop the job and have it go on."""
    return is_allowed(user, job_kind(job.kind).run_permission)


def startable_kinds(user: AnyUser) -> list[JobKind]:
    """The kinds that this user may begin with a button."""
    return [
        kind for kind in job_kinds() if kind.start_label and is_allowed(user, kind.run_permission)
    ]
