"""A reward for everybody in a segment: a job gives it to one member after the other, each once."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.models import Membership
from loyalty.selectors.memberships import memberships
from members.errors import ConflictError, DomainError, FieldError
from members.formatting import format_number
from members.models import Job, Segment
from members.selectors.segments import members_of
from members.services.audit import SYSTEM, Actor, record_audit
from members.services.job_runs import Step, run_in_chunks
from members.services.jobs import start_or_resume_job
from rewards.errors import RewardRefusedError
from rewards.models import Redemption, Reward
from rewards.selectors.rewards import rewards
from rewards.services.gifts import JOB, give_reward, lock_all

KIND = "gifts_for_many"
PIECE = 100


def receivers(reward: Reward, segment: Segment) -> QuerySet[Membership]:
    """Active members of the reward's program who are in the segment now."""
    people = members_of(segment).values("customer")
    return memberships().filter(
        program=reward.program_id, status=Membership.Status.ACTIVE, customer__in=people
    )


def start_gift_for_many(
    *, reward: Reward, segment: Segment, message: str, reason: str, key: UUID, actor: Actor
) -> Job:
    """A job that gives it to whoever is in the segment when it comes to them. The same key starts
    it once. Raises DomainError where nobody is in it, or fewer are left than are in it."""
    if not reason.strip():
        raise DomainError(_("Say why."), errors=[FieldError("reason", _("Say why."))])
    known = Job.objects.filter(kind=KIND, fingerprint=str(key)).first()
    if known is not None:
        return known
    if reward.status != Reward.Status.LIVE:
        raise RewardRefusedError(_("Only a live reward can be given."), code="not_offered")
    count = receivers(reward, segment).count()
    if not count:
        message = _("Nobody in this segment is an active member of the program.")
        raise DomainError(message, errors=[FieldError("segment", message)])
    if reward.left is not None and reward.left < count:
        raise ConflictError(
            _("%(left)s are left, for %(count)s members.")
            % {"left": format_number(reward.left), "count": format_number(count)}
        )
    with transaction.atomic():
        job = start_or_resume_job(
            kind=KIND, label=_("%(reward)s for %(segment)s") % {
                "reward": reward.name, "segment": segment.name},
            fingerprint=str(key), actor=actor, total=count,
            params={"reward": reward.pk, "segment": segment.pk, "message": message.strip()},
        )  # fmt: skip
        record_audit(
            actor=actor, action="reward.given_to_many", target=reward,
            after={"segment": segment.name, "members": count, "message": message},
            reason=reason,
        )  # fmt: skip
    return job


def run_gift_for_many(job_id: int) -> Job | None:
    """Give it to everybody; None when another run has it."""
    return run_in_chunks(job_id, _give_piece)


def gift_for_many_words(job: Job) -> str:
    given, left_out = job.result.get("given", 0), job.result.get("left_out", 0)
    words = ngettext("%s member was given it.", "%s members were given it.", given)
    said = words % format_number(given)
    if left_out:
        more = ngettext("%s had to be left out.", "%s had to be left out.", left_out)
        said += " " + more % format_number(left_out)
    return said


def _give_piece(job: Job) -> Step | None:
    reward = rewards().get(pk=job.params["reward"])
    segment = Segment.objects.get(pk=job.params["segment"])
    after, result = job.checkpoint.get("after", 0), dict(job.result)
    found = list(receivers(reward, segment).filter(pk__gt=after).order_by("pk")[:PIECE])
    if not found:
        return None
    lock_all(found)
    given = sum(_give(job, reward, member) for member in found)
    result["given"] = result.get("given", 0) + given
    result["left_out"] = result.get("left_out", 0) + len(found) - given
    done = job.done + len(found)
    return Step({"after": found[-1].pk}, done, max(job.total, done), result=result)


def _give(job: Job, reward: Reward, member: Membership) -> bool:
    try:
        with transaction.atomic():
            give_reward(
                membership=member, reward=reward, gift=Redemption.Gift.MANY.value,
                message=job.params["message"], key=f"many:{job.pk}:{member.pk}", source=JOB,
                actor=SYSTEM, now=_now(job),
            )  # fmt: skip
    except RewardRefusedError:
        return False
    return True


def _now(job: Job) -> dt.datetime:
    return job.started_at or job.created_at
