"""What the passing of time ends: reservations that nobody came for, vouchers that ran out.

A voucher that ran out is refused without this; it only writes down what is so. Units that were held
come back with it, a minute after the hold has passed.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.services.audit import SYSTEM
from members.services.job_runs import Step, run_in_chunks
from rewards.models import Redemption, Voucher
from rewards.services.redemptions import expire_redemption, release_redemption

KIND = "reward_timeouts"
PIECE = 200
Status = Redemption.Status


def find_timeouts(now: dt.datetime) -> Work | None:
    """Something that has ended by now, if anything has."""
    if not _held(now).exists() and not _over(now).exists():
        return None
    return Work(_("Reservations and vouchers that ran out"), params={"now": now.isoformat()})


def run_timeouts(job_id: int) -> Job | None:
    """Write down what has ended; None when another run has it."""
    return run_in_chunks(job_id, _end_some)


def end_timeouts(now: dt.datetime) -> int:
    """Everything that has ended by now. Returns how many."""
    ended = 0
    for redemption in _held(now):
        ended += release_redemption(redemption=redemption, actor=SYSTEM, now=now)
    for redemption in _over(now):
        ended += expire_redemption(redemption=redemption, now=now)
    return ended


def timeout_words(job: Job) -> str:
    ended = job.result.get("ended", 0)
    return ngettext("%s has ended.", "%s have ended.", ended) % format_number(ended)


def _end_some(job: Job) -> Step | None:
    now = dt.datetime.fromisoformat(job.params["now"])
    held, over = list(_held(now)[:PIECE]), list(_over(now)[:PIECE])
    if not held and not over:
        return None
    for redemption in held:
        release_redemption(redemption=redemption, actor=SYSTEM, now=now)
    for redemption in over:
        expire_redemption(redemption=redemption, now=now)
    ended = job.result.get("ended", 0) + len(held) + len(over)
    return Step(checkpoint={}, done=ended, total=ended, result={"ended": ended})


def _held(now: dt.datetime) -> QuerySet[Redemption]:
    held = Redemption.objects.filter(status=Status.RESERVED, reserved_until__lte=now)
    return held.select_related("spent").order_by("pk")


def _over(now: dt.datetime) -> QuerySet[Redemption]:
    """What was given out and whose voucher ran out."""
    over = Redemption.objects.filter(
        status=Status.ISSUED,
        voucher__status=Voucher.Status.ISSUED,
        voucher__expires_at__lte=now,
    )
    return over.select_related("spent").order_by("pk")
