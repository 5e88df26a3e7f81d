"""What the forum is told besides at signing in: tiers that changed, who signed out, who is to be
forgotten. Each is a task that is tried until the forum has taken it; a job of the schedule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.discourse_calls import ForumCallError, ForumLine
from campaigns.models import Forum, ForumMember, ForumTask
from campaigns.selectors.forum import line_of, the_forum
from loyalty.models import Membership
from members.formatting import format_number
from members.jobs import Work
from members.models import Job, OutboxEvent
from members.services.audit import Actor, record_audit
from members.services.jobs import claim_job, running

KIND = "forum"
Kind, State = ForumTask.Kind, ForumTask.State
PAUSES = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 480, 1440, 1440, 2880))
# So long nobody else takes a task that one is working on.
TAKEN_FOR = dt.timedelta(minutes=5)


def plan_task(*, external_id: UUID, kind: ForumTask.Kind, now: dt.datetime) -> None:
    """The forum is to be told this. One that waits already is enough: it is told as things are
    then. One that is being told just now, as things were, is told once more."""
    waiting = ForumTask.objects.filter(external_id=external_id, kind=kind, state=State.OPEN)
    later = Greatest(Value(now), F("created_at") + dt.timedelta(microseconds=1))
    if not waiting.update(created_at=later):
        ForumTask.objects.bulk_create(
            [ForumTask(external_id=external_id, kind=kind, due_at=now, created_at=now)],
            ignore_conflicts=True,
        )


@transaction.atomic
def try_again(*, task: ForumTask, actor: Actor, now: dt.datetime) -> None:
    """Somebody has put right what was wrong. Again changes nothing."""
    found = ForumTask.objects.select_for_update().get(pk=task.pk)
    others = ForumTask.objects.filter(
        external_id=found.external_id, kind=found.kind, state=State.OPEN
    ).exclude(pk=found.pk)
    if found.state == State.DONE or others.exists():
        return
    found.state, found.due_at, found.attempts = State.OPEN, now, 0
    found.save(update_fields=["state", "due_at", "attempts"])
    forum = the_forum()
    if forum is not None:
        record_audit(
            actor=actor, action="forum.task_repeated", target=forum, after={"kind": found.kind}
        )


def follow_tiers(events: Sequence[OutboxEvent]) -> None:
    """Whose tier is another is in another group."""
    forum = the_forum()
    if forum is None or not forum.is_on:
        return
    named = {event.payload["membership"] for event in events}
    rows = _there().filter(membership__in=named, membership__program=forum.program_id)
    for external_id in rows.values_list("external_id", flat=True):
        plan_task(external_id=external_id, kind=Kind.SYNC, now=timezone.now())


def signed_out(customer: int, now: dt.datetime) -> None:
    """Who signs out here is signed out there."""
    forum = the_forum()
    if forum is None or not forum.is_on:
        return
    rows = _there().filter(membership__customer=customer)
    for external_id in rows.values_list("external_id", flat=True):
        plan_task(external_id=external_id, kind=Kind.LOG_OUT, now=now)


def find_tasks(now: dt.datetime) -> Work | None:
    """None where the forum cannot be told anything, or has been told all."""
    forum = the_forum()
    if forum is None or line_of(forum) is None:
        return None
    if not _due(now).exists() and not _strayed(forum).exists():
        return None
    return Work(
        _("What the forum is told"), fingerprint=f"{now:%Y-%m-%d %H:%M}",
        params={"now": now.isoformat()},
    )  # fmt: skip


def run_tasks(job_id: int) -> Job | None:
    """One task after the other; None when another run has it. The forum is asked outside of any
    transaction: a task is told twice where a worker dies in between, which changes nothing."""
    job = claim_job(job_id)
    if job is None:
        return None
    now = dt.datetime.fromisoformat(job.params["now"])
    with running(job) as progress:
        forum = the_forum()
        line = line_of(forum) if forum else None
        done = 0
        if forum is not None and line is not None:
            for member in _strayed(forum):
                plan_task(external_id=member.external_id, kind=Kind.SYNC, now=now)
            while (task := _take(now)) is not None:
                told = tell_forum(task, forum, line, now)
                done += 1
                job.result = {"told": job.result.get("told", 0) + int(told)}
                progress.update(done, done)
    return Job.objects.get(pk=job_id)


def task_words(job: Job) -> str:
    told = job.result.get("told", 0)
    words = ngettext("The forum was told %s thing.", "The forum was told %s things.", told)
    return words % format_number(told)


def tell_forum(task: ForumTask, forum: Forum, line: ForumLine, now: dt.datetime) -> bool:
    """Whether it has taken it. If not, it is tried later, and at last left to people."""
    try:
        _tell(task, forum, line, now)
    except ForumCallError as error:
        attempts = task.attempts + 1
        over = attempts > len(PAUSES)
        ForumTask.objects.filter(pk=task.pk).update(
            attempts=attempts, problem=str(error)[:300],
            state=State.FAILED if over else State.OPEN,
            due_at=now if over else now + PAUSES[attempts - 1],
        )  # fmt: skip
        return False
    rows = ForumTask.objects.filter(pk=task.pk)
    as_asked = rows.filter(created_at=task.created_at)
    if not as_asked.update(attempts=F("attempts") + 1, state=State.DONE, problem="", done_at=now):
        # Asked for once more while it was being told: what it was told may be old by now.
        rows.update(attempts=0, problem="", due_at=now)
    return True


def _tell(task: ForumTask, forum: Forum, line: ForumLine, now: dt.datetime) -> None:
    from campaigns.services.forum_members import person_of

    external_id = str(task.external_id)
    if task.kind == Kind.LOG_OUT:
        line.log_out(external_id)
    elif task.kind == Kind.ANONYMIZE:
        line.anonymize(external_id)
    else:
        found = _there().filter(external_id=task.external_id).first()
        if found is None:
            return  # they have left meanwhile, and are made anonymous there
        person = person_of(forum, found, found.membership, now)
        if person.email:
            line.sync(person)
        ForumMember.objects.filter(pk=found.pk).update(tier=person.title, told_at=now)


def _there() -> QuerySet[ForumMember]:
    """Who agreed, and has been there: the forum knows nobody else."""
    return ForumMember.objects.filter(left_at=None, signed_in_at__isnull=False).select_related(
        "membership__program", "membership__customer__merged_into"
    )


def _strayed(forum: Forum) -> QuerySet[ForumMember]:
    """Who takes part no more, and is still in a group."""
    waiting = ForumTask.objects.filter(kind=Kind.SYNC).exclude(state=State.DONE)
    return (
        _there()
        .exclude(membership__status=Membership.Status.ACTIVE)
        .exclude(tier="")
        .exclude(external_id__in=waiting.values("external_id"))
        .filter(membership__program=forum.program_id)
        .order_by("pk")[:500]
    )


def _due(now: dt.datetime) -> QuerySet[ForumTask]:
    return ForumTask.objects.filter(Q(due_at__lte=now), state=State.OPEN).order_by("due_at", "pk")


@transaction.atomic
def _take(now: dt.datetime) -> ForumTask | None:
    task = _due(now).select_for_update(skip_locked=True).first()
    if task is not None:
        ForumTask.objects.filter(pk=task.pk).update(due_at=now + TAKEN_FOR)
    return task
