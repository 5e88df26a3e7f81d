"""Vouchers begin and end with the reward that they were taken for. The caller holds its locks."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from loyalty.models import Membership
from loyalty.rules.calendar import end_of_day
from members.prepared import insert_row, update_row
from rewards.codes import new_code, plain
from rewards.errors import RedemptionStateError, RewardRefusedError
from rewards.models import Redemption, Reward, Voucher, VoucherUse
from rewards.voucher_terms import terms_of

State = VoucherUse.State
# What was held in time may be used so late.
LATE = dt.timedelta(days=1)


def issue_voucher(
    reward: Reward, membership: Membership, now: dt.datetime, kept: Voucher | None = None
) -> Voucher:
    """A new code, the one that was kept for it, or the next one of the reward's pool. Raises
    RewardRefusedError where none is left."""
    voucher = kept or (_from_pool(reward) if reward.voucher_pool_id else _new(reward))
    voucher.reward, voucher.membership = reward, membership
    voucher.status, voucher.issued_at = Voucher.Status.ISSUED, now
    voucher.terms, voucher.expires_at = terms_of(reward), _runs_out(reward, membership, now)
    if voucher._state.adding:  # noqa: SLF001
        insert_row(voucher)
    else:
        update_row(voucher, "reward", "membership", "status", "issued_at", "terms", "expires_at")
    return voucher


def keep_code(reward: Reward) -> Voucher | None:
    """Keep the next code of the reward's pool, if it has one, so that nobody else is given it.
    Raises RewardRefusedError where none is left."""
    if reward.voucher_pool_id is None:
        return None
    voucher = _from_pool(reward)
    voucher.status = Voucher.Status.KEPT
    voucher.save(update_fields=["status"])
    return voucher


def leave_code(voucher: Voucher) -> None:
    """Put a code that was kept back into its pool."""
    voucher.status = Voucher.Status.WAITING
    voucher.save(update_fields=["status"])


def voucher_of(redemption: Redemption) -> Voucher:
    """Whatever was issued has one."""
    assert redemption.voucher is not None
    return redemption.voucher


def is_awaited(voucher: Voucher, now: dt.datetime) -> bool:
    """Whether a checkout that held it in time may still use it."""
    return voucher.uses.filter(state=State.HELD, held_until__gt=now - LATE).exists()


def close_voucher(voucher: Voucher, status: str, now: dt.datetime) -> None:
    """It was used, ran out or is called back; a checkout that it is held for loses it. One that a
    checkout used is not called back: that is let go first."""
    voucher.uses.filter(state=State.HELD).update(
        state=State.RELEASED, closed_at=now, held_until=None
    )
    at_checkout = voucher.uses.filter(state=State.USED)
    if status == Voucher.Status.VOID and at_checkout.exists():
        raise RedemptionStateError(_("Its voucher was used. Let the checkout go first."))
    voucher.status, voucher.closed_at = status, now
    voucher.save(update_fields=["status", "closed_at"])


def reopen_voucher(voucher: Voucher, until: dt.datetime | None) -> None:
    """It can be used again until then; None: for ever."""
    voucher.status, voucher.closed_at, voucher.expires_at = Voucher.Status.ISSUED, None, until
    voucher.save(update_fields=["status", "closed_at", "expires_at"])


def _new(reward: Reward) -> Voucher:
    written = new_code(reward.prefix)
    return Voucher(code=plain(written), written=written, program_id=reward.program_id)


def _from_pool(reward: Reward) -> Voucher:
    """The first that nobody else is just being given."""
    waiting = Voucher.objects.filter(pool=reward.voucher_pool_id, status=Voucher.Status.WAITING)
    found = waiting.select_for_update(skip_locked=True).order_by("pk").first()
    if found is None:
        raise RewardRefusedError(_("No code is left to give out."), code="sold_out")
    return found


def _runs_out(reward: Reward, membership: Membership, now: dt.datetime) -> dt.datetime | None:
    """The last day can be used to its end."""
    if reward.valid_days is None or reward.sent or reward.kind in Reward.ELSEWHERE:
        return None
    zone = membership.program.zone
    last = now.astimezone(zone).date() + dt.timedelta(days=reward.valid_days)
    return end_of_day(last, zone)
