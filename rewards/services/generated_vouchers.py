"""Codes that are made for a list, a million of them if so many are wanted."""

from __future__ import annotations

import uuid

from django.utils.translation import gettext as _

from members.errors import DomainError, FieldError
from members.formatting import format_number
from members.models import Job, User
from members.services.audit import SYSTEM, Actor
from members.services.job_runs import Step, run_in_chunks
from members.services.jobs import start_or_resume_job
from rewards.codes import new_code, plain
from rewards.models import VoucherPool
from rewards.services.voucher_pools import Imported, add_codes, audit_filled

KIND = "voucher_generation"
PIECE = 10_000
MOST = 1_000_000


def start_generation(
    *, pool: VoucherPool, count: int, prefix: str, key: uuid.UUID, actor: Actor
) -> tuple[Job, bool]:
    """A waiting job that makes so many codes; the same key again is the same job, whatever became
    of it. Returns it, and whether it was there before."""
    if not 1 <= count <= MOST:
        words = _("Between 1 and %s.") % format_number(MOST)
        raise DomainError(words, errors=[FieldError("count", words)])
    fingerprint = f"{pool.pk}:{key}"
    known = Job.objects.filter(kind=KIND, fingerprint=fingerprint).first()
    if known is not None:
        return known, True
    named = {"count": format_number(count), "pool": pool.name}
    job = start_or_resume_job(
        kind=KIND, label=_("%(count)s codes for %(pool)s") % named, fingerprint=fingerprint,
        params={
            "pool": pool.pk, "count": count, "prefix": prefix,
            "by": actor.user.pk if actor.user else None,
        },
        actor=actor, total=count,
    )  # fmt: skip
    return job, False


def run_generation(job_id: int) -> Job | None:
    """Make those that are missing; None when another run has it."""
    return run_in_chunks(job_id, _make_some)


def generation_words(job: Job) -> str:
    return _("%s codes made") % format_number(job.result.get("added", 0))


def _make_some(job: Job) -> Step | None:
    made, count = int(job.checkpoint.get("made", 0)), int(job.params["count"])
    pool = VoucherPool.objects.get(pk=job.params["pool"])
    if made >= count:
        user = User.objects.filter(pk=job.params["by"]).first()
        audit_filled(pool, Imported(added=made), Actor.of_user(user) if user else SYSTEM)
        return None
    written = [new_code(job.params["prefix"]) for _number in range(min(PIECE, count - made))]
    # One that there is already, by chance, is made up for by the next piece.
    made += add_codes(pool, [(plain(code), code) for code in written])
    return Step({"made": made}, done=made, total=count, result={"added": made})
