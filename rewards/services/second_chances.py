"""Exceptions for what is out already: brought back after it ran out, used for smaller orders than
it says. Each with a reason, within what the role of whoever makes it may."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from loyalty.plain_numbers import whole
from loyalty.selectors.erased_holders import refuse_erased_member
from loyalty.services.adjustment_limits import lock_staff
from members.errors import DomainError, FieldError
from members.services.audit import Actor
from members.services.transactions import run_atomically
from rewards.errors import RedemptionStateError
from rewards.models import Redemption, StaffOverride
from rewards.services.issuing import reopen_voucher, voucher_of
from rewards.services.overrides import lock_override, note_override, require_reason
from rewards.services.redemption_locks import lock_redemption
from rewards.services.redemptions import audit_redemption
from rewards.voucher_terms import least_of, waived_least, without_least

Status = Redemption.Status


def reopen_redemption(
    *, redemption: Redemption, until: dt.datetime, reason: str, actor: Actor, now: dt.datetime
) -> Redemption:
    """Let something that ran out be used until another day. Raises RedemptionStateError where it
    did not run out, or was only reserved, OverrideLimitError."""
    require_reason(reason)
    if until <= now:
        wrong = FieldError("until", _("Give a day that has not passed."))
        raise DomainError(_("That day has passed."), errors=[wrong])

    def reopen() -> Redemption:
        if actor.user is not None:
            lock_staff(actor)
        found = lock_redemption(redemption)
        refuse_erased_member(found.membership)
        last = found.voucher.expires_at if found.voucher else None
        ended = found.status in (Status.EXPIRED, Status.ISSUED) and not found.returned_id
        if not ended or last is None or last > now:
            raise RedemptionStateError(_("Only what ran out can be brought back."))
        if actor.user is not None:
            _let_pass(found, StaffOverride.Kind.REOPENED, reason, actor, now)
        reopen_voucher(voucher_of(found), until)
        found.status, found.closed_at = Status.ISSUED, None
        found.save(update_fields=["status", "closed_at"])
        audit_redemption("reward.reopened", found, actor, reason)
        return found

    return run_atomically(reopen)


def waive_minimum(
    *, redemption: Redemption, reason: str, actor: Actor, now: dt.datetime
) -> Redemption:
    """Let the code of something be used for orders of any size. Raises RedemptionStateError where
    it cannot be used, or asks for no size, OverrideLimitError."""
    require_reason(reason)

    def waive() -> Redemption:
        lock_staff(actor)
        found = lock_redemption(redemption)
        if found.voucher is not None and waived_least(found.voucher.terms):
            return found
        refuse_erased_member(found.membership)
        if found.status != Status.ISSUED or least_of(voucher_of(found).terms) is None:
            raise RedemptionStateError(_("Its code asks for no smallest order now."))
        _let_pass(found, StaffOverride.Kind.MINIMUM, reason, actor, now)
        voucher = voucher_of(found)
        voucher.terms = without_least(voucher.terms)
        voucher.save(update_fields=["terms"])
        audit_redemption("reward.minimum_waived", found, actor, reason)
        return found

    return run_atomically(waive)


def _let_pass(
    redemption: Redemption, kind: str, reason: str, actor: Actor, now: dt.datetime
) -> None:
    """Of something that is out already."""
    units = whole(redemption.units, redemption.reward.wallet_type)
    program = redemption.membership.program
    user = lock_override(program=program, units=units, actor=actor, now=now)
    note_override(redemption=redemption, kind=kind, user=user, reason=reason, now=now)
