"""What the passing of time ends: carts and reservations nobody came for, vouchers that ran out.

A voucher that ran out is refused without this; it only writes down what is so. Units that were held
come back with it, a minute after the hold has passed.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.services.audit import SYSTEM
from members.services.job_runs import Step, run_in_chunks
from members.services.transactions import run_atomically
from rewards.models import Checkout, Redemption, Voucher, VoucherUse
from rewards.services.checkouts import expire_checkout, lock_wallets_of_carts
from rewards.services.issuing import LATE
from rewards.services.redemption_locks import lock_taken
from rewards.services.redemptions import expire_redemption, release_redemption

KIND = "reward_timeouts"
PIECE = 200
Status = Redemption.Status


def find_timeouts(now: dt.datetime) -> Work | None:
    """Something that has ended by now, if anything has."""
    if not any(found.exists() for found in (_carts(now), _held(now), _over(now))):
        return None
    return Work(_("Reservations and vouchers that ran out"), params={"now": now.isoformat()})


def run_timeouts(job_id: int) -> Job | None:
    """Write down what has ended; None when another run has it."""
    return run_in_chunks(job_id, _end_some)


def end_timeouts(now: dt.datetime, *, most: int = PIECE) -> int:
    """Some of what has ended by now, in one transaction: carts first, with what they kept, and all
    else once there are none. Returns how many there were."""
    return run_atomically(lambda: _end_carts(now, most) or _end_rewards(now, most))


def _end_carts(now: dt.datetime, most: int) -> int:
    """Those that nobody else is just at. All their wallets at once, as below."""
    carts = list(
        _carts(now)
        .select_related("membership")
        .select_for_update(of=("self",), skip_locked=True)[:most]
    )
    lock_wallets_of_carts(carts)
    return sum(expire_checkout(checkout=cart, now=now, actor=SYSTEM) for cart in carts)


def _end_rewards(now: dt.datetime, most: int) -> int:
    held, over = list(_held(now)[:most]), list(_over(now)[:most])
    lock_taken([*held, *over])
    ended = [release_redemption(redemption=item, actor=SYSTEM, now=now) for item in held]
    ended += [expire_redemption(redemption=item, now=now) for item in over]
    return sum(ended)


def timeout_words(job: Job) -> str:
    ended = job.result.get("ended", 0)
    return ngettext("%s has ended.", "%s have ended.", ended) % format_number(ended)


def _end_some(job: Job) -> Step | None:
    some = end_timeouts(dt.datetime.fromisoformat(job.params["now"]))
    if not some:
        return None
    ended = job.result.get("ended", 0) + some
    return Step(checkpoint={}, done=ended, total=ended, result={"ended": ended})


def _carts(now: dt.datetime) -> QuerySet[Checkout]:
    found = Checkout.objects.filter(status=Checkout.Status.RESERVED, reserved_until__lte=now)
    return found.order_by("pk")


def _held(now: dt.datetime) -> QuerySet[Redemption]:
    held = Redemption.objects.filter(status=Status.RESERVED, reserved_until__lte=now)
    return held.select_related("spent").order_by("pk")


def _over(now: dt.datetime) -> QuerySet[Redemption]:
    """What was given out and whose voucher ran out; no checkout waits for it any more."""
    awaited = VoucherUse.objects.filter(
        voucher=OuterRef("voucher"), state=VoucherUse.State.HELD, held_until__gt=now - LATE
    )
    over = Redemption.objects.filter(
        ~Exists(awaited),
        status=Status.ISSUED,
        voucher__status=Voucher.Status.ISSUED,
        voucher__expires_at__lte=now,
    )
    return over.select_related("spent").order_by("pk")
