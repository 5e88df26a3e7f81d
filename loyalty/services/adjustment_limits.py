"""How far each role may go when it moves units by hand: kept by administrators, held under a
lock."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from loyalty.errors import LedgerError
from loyalty.models import AdjustmentLimit, Program
from loyalty.selectors.adjustment_limits import DEFAULTS, Limits, moved_today
from members.errors import ConflictError, DomainError, FieldError
from members.formatting import format_number
from members.models import StaffMember, User
from members.services.audit import Actor, record_audit, snapshot

FIELDS = ["most_at_once", "most_in_a_day", "approval_above"]
MOST = 10**12


def provide_limits() -> None:
    """Give an installation without limits those that come with it."""
    if AdjustmentLimit.objects.filter(program=None).exists():
        return
    AdjustmentLimit.objects.bulk_create(
        [
            AdjustmentLimit(
                role=role, most_at_once=once, most_in_a_day=in_a_day, approval_above=above
            )
            for role, (once, in_a_day, above) in DEFAULTS.items()
        ],
        ignore_conflicts=True,
    )


def create_limit(
    *, actor: Actor, role: str, program: Program, **values: int | None
) -> AdjustmentLimit:
    """Limits of a role in one program, instead of those for every program."""
    if role not in DEFAULTS:
        message = _("This role adjusts nothing.")
        raise DomainError(message, errors=[FieldError("role", message)])
    _check(values)
    try:
        with transaction.atomic():
            limit = AdjustmentLimit.objects.create(role=role, program=program, **values)
            record_audit(
                actor=actor, action="adjustment_limit.created", target=limit,
                after={"program": program.name, **snapshot(limit, FIELDS)},
            )  # fmt: skip
    except IntegrityError as error:
        message = _("This role has limits of its own in %(program)s already.") % {
            "program": program.name
        }
        raise ConflictError(message, errors=[FieldError("role", message, "taken")]) from error
    return limit


@transaction.atomic
def update_limit(*, actor: Actor, limit: AdjustmentLimit, **values: int | None) -> AdjustmentLimit:
    """Change limits; from now on, also for what is asked already."""
    _check(values)
    row = AdjustmentLimit.objects.select_for_update(of=("self",)).get(pk=limit.pk)
    before = snapshot(row, FIELDS)
    for name, value in values.items():
        setattr(row, name, value)
    after = snapshot(row, FIELDS)
    if after != before:
        row.save()
        record_audit(
            actor=actor, action="adjustment_limit.changed", target=row, before=before, after=after
        )
    return row


@transaction.atomic
def remove_limit(*, actor: Actor, limit: AdjustmentLimit) -> None:
    """Let a program go by the limits for every program again."""
    if limit.program is None:
        raise ConflictError(_("The limits for every program can be changed, not removed."))
    before = {"program": limit.program.name, **snapshot(limit, FIELDS)}
    record_audit(actor=actor, action="adjustment_limit.removed", target=limit, before=before)
    limit.delete()


def lock_staff(actor: Actor) -> tuple[User, str]:
    """Whoever moves units by hand, with their role; their further movements wait until this
    transaction has ended, so that two at once are both counted."""
    user = actor.user
    row = (
        StaffMember.objects.select_for_update(no_key=True).filter(user=user).first()
        if user is not None and user.is_active
        else None
    )
    if user is None or row is None:
        raise LedgerError(_("Only staff may do this."), code="not_staff", status=403)
    return user, row.role


def require_at_once(limits: Limits, whole: Decimal) -> None:
    """Refuse what is more than the role may move at once."""
    if not limits.allows(whole):
        most = format_number(limits.most_at_once or 0)
        raise LedgerError(
            _("This is more than your role may move at once."),
            code="limit_exceeded",
            status=403,
            errors=[FieldError("units", _("At most %s at once.") % most, "limit_exceeded")],
        )


def require_in_a_day(
    limits: Limits, whole: Decimal, *, user: User, role: str, program: Program, now: dt.datetime
) -> None:
    """Refuse what is more than the person may still move today. The caller has locked them."""
    room = room_today(limits, user=user, role=role, program=program, now=now)
    if room is not None and whole > room:
        left = format_number(room)
        raise LedgerError(
            _("This is more than you may still move today."),
            code="day_limit_exceeded",
            status=403,
            errors=[FieldError("units", _("Only %s more today.") % left, "day_limit_exceeded")],
        )


def room_today(
    limits: Limits, *, user: User, role: str, program: Program, now: dt.datetime
) -> Decimal | None:
    """Whole units that somebody may still move today; None: no limit."""
    if limits.most_in_a_day is None:
        return None
    return max(limits.most_in_a_day - moved_today(user, role, program, now), Decimal(0))


def _check(values: dict[str, int | None]) -> None:
    errors = [
        FieldError(name, _("Write a whole number, or nothing."))
        for name, value in values.items()
        if value is not None and not 0 <= value <= MOST
    ]
    if errors:
        raise DomainError(_("These limits cannot be kept like this."), errors=errors)
