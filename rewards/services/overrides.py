"""What somebody of the staff lets pass, with a reason: within what their role may in a day, counted
under the lock of their own row, so that two at once do not go beyond it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.models import Program
from loyalty.plain_numbers import whole
from loyalty.services.adjustment_limits import lock_staff
from members.errors import DomainError, FieldError
from members.formatting import format_number
from members.models import User
from members.services.audit import Actor, record_audit, snapshot
from rewards.errors import OverrideLimitError
from rewards.models import OverrideLimit, Redemption, StaffOverride
from rewards.selectors.overrides import (
    DEFAULTS,
    OverrideTerms,
    let_pass_today,
    override_terms_of,
)

FIELDS = ["most_in_a_day", "units_at_once", "units_in_a_day"]
MOST = {"most_in_a_day": 10**9, "units_at_once": 10**12, "units_in_a_day": 10**12}
Kind = StaffOverride.Kind


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody of the staff lets pass what is against a reward's terms. `codes`: which refusals."""

    codes: Sequence[str]
    reason: str


def lock_override(*, program: Program, units: Decimal, actor: Actor, now: dt.datetime) -> User:
    """Whoever lets something pass that takes so many whole units; their next one waits until this
    transaction has ended. Raises OverrideLimitError where it is more than their role may, and
    LedgerError `not_staff`."""
    user, role = lock_staff(actor)
    terms = override_terms_of(role)
    _refuse_at_once(terms, units)
    before = let_pass_today(user, program.zone, now)
    if terms.most_in_a_day is not None and before.count >= terms.most_in_a_day:
        raise _beyond(
            "override_day_limit",
            _("Your role may let pass %s a day, and that is reached.")
            % format_number(terms.most_in_a_day),
        )
    if terms.units_in_a_day is not None and before.units + units > terms.units_in_a_day:
        left = format_number(max(terms.units_in_a_day - before.units, Decimal(0)))
        raise _beyond("override_day_limit", _("You may let pass only %s units more today.") % left)
    return user


def note_override(
    *, redemption: Redemption, kind: str, user: User, reason: str, now: dt.datetime,
    codes: Sequence[str] = (),
) -> StaffOverride:  # fmt: skip
    """Write down what was let pass. The caller has asked `lock_override`."""
    return StaffOverride.objects.create(
        redemption=redemption, kind=kind, staff=user, codes=list(codes), reason=reason.strip(),
        units=whole(redemption.units, redemption.reward.wallet_type), created_at=now,
    )  # fmt: skip


def require_reason(reason: str) -> None:
    """Raises DomainError where nobody says why."""
    if not reason.strip():
        wrong = FieldError("reason", _("Say why."))
        raise DomainError(_("Say why it is let pass."), errors=[wrong])


@transaction.atomic
def change_override_limit(*, actor: Actor, role: str, **values: int | None) -> OverrideLimit:
    """How far a role may go from now on. Raises DomainError naming the field."""
    if role not in DEFAULTS:
        message = _("This role lets nothing pass.")
        raise DomainError(message, errors=[FieldError("role", message)])
    _check(values)
    terms = override_terms_of(role)
    given = {name: getattr(terms, name) for name in FIELDS}
    row, _made = OverrideLimit.objects.select_for_update().get_or_create(role=role, defaults=given)
    before = snapshot(row, FIELDS)
    for name, value in values.items():
        setattr(row, name, value)
    after = snapshot(row, FIELDS)
    if after != before:
        row.save()
        record_audit(
            actor=actor, action="override_limit.changed", target=row, before=before, after=after
        )
    return row


def _refuse_at_once(terms: OverrideTerms, units: Decimal) -> None:
    if terms.units_at_once is not None and units > terms.units_at_once:
        raise _beyond(
            "override_limit",
            _("Your role may let pass what takes %s units at most.")
            % format_number(terms.units_at_once),
        )


def _beyond(code: str, message: str) -> OverrideLimitError:
    said = _("This is more than your role may let pass. Ask a manager.")
    return OverrideLimitError(said, code=code, errors=[FieldError("reason", message, code)])


def _check(values: dict[str, int | None]) -> None:
    errors = [
        FieldError(name, _("Write a whole number, or nothing."))
        for name, value in values.items()
        if value is not None and not 0 <= value <= MOST[name]
    ]
    if errors:
        raise DomainError(_("These limits cannot be kept like this."), errors=errors)
