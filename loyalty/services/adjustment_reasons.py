"""Which reasons may be given for an adjustment: kept by administrators."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import translation
from django.utils.translation import gettext as _

from loyalty.models import AdjustmentReason
from loyalty.selectors.adjustment_reasons import HIDDEN, REASONS, find_reason, usable_reasons
from members.errors import ConflictError, DomainError, FieldError
from members.policy import roles_allowed
from members.services.audit import Actor, record_audit, snapshot

FIELDS = ["label", "is_active", "roles", "note_required", "told_to_members"]
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}").fullmatch


def provide_reasons() -> None:
    """Give an installation without reasons those that come with it."""
    if AdjustmentReason.objects.exists():
        return
    with translation.override(None):
        AdjustmentReason.objects.bulk_create(
            [
                AdjustmentReason(
                    code=code,
                    label=str(label),
                    roles=roles_allowed("points.adjust"),
                    told_to_members=code not in HIDDEN,
                    position=position,
                )
                for position, (code, label) in enumerate(REASONS.items(), start=1)
            ],
            ignore_conflicts=True,
        )


def create_reason(*, actor: Actor, code: str, **values: Any) -> AdjustmentReason:
    """A further reason. Its code is what the API names, and stays."""
    if not _CODE(code):
        message = _("Use lower-case letters, digits and underscores.")
        raise DomainError(message, errors=[FieldError("code", message)])
    _check(values)
    last = AdjustmentReason.objects.aggregate(last=Max("position"))["last"] or 0
    try:
        with transaction.atomic():
            reason = AdjustmentReason.objects.create(code=code, position=last + 1, **values)
            record_audit(
                actor=actor, action="adjustment_reason.created", target=reason,
                after=snapshot(reason, ["code", *FIELDS]),
            )  # fmt: skip
    except IntegrityError as error:
        message = _("There is a reason with this code already.")
        raise ConflictError(message, errors=[FieldError("code", message, "taken")]) from error
    return reason


@transaction.atomic
def update_reason(*, actor: Actor, reason: AdjustmentReason, **values: Any) -> AdjustmentReason:
    """Change what a reason is called and who may give it. What was moved with it stays as it is."""
    _check(values)
    row = AdjustmentReason.objects.select_for_update().get(pk=reason.pk)
    before = snapshot(row, FIELDS)
    for name, value in values.items():
        setattr(row, name, value)
    after = snapshot(row, FIELDS)
    if after != before:
        row.save()
        record_audit(
            actor=actor, action="adjustment_reason.changed", target=row, before=before, after=after
        )
    return row


def require_reason(code: str, *, note: str, role: str | None = None) -> AdjustmentReason:
    """The reason, if it may be given now: by this role, or by the API. The error names those that
    may."""
    reason = find_reason(code)
    if reason is None or not reason.is_active or (role and role not in reason.roles):
        known = ", ".join(item.code for item in usable_reasons(role))
        raise DomainError(
            _("This reason cannot be given."),
            errors=[FieldError("reason", _("One of: %s.") % known)],
        )
    if reason.note_required and not note.strip():
        message = _("With this reason, say in a note what happened.")
        raise DomainError(message, errors=[FieldError("note", message, "required")])
    return reason


def _check(values: dict[str, Any]) -> None:
    errors = []
    label = str(values.get("label", "")).strip()
    if not 0 < len(label) <= 80:
        errors.append(FieldError("label", _("Write a name of at most 80 characters.")))
    roles: Sequence[str] = values.get("roles", ())
    if set(roles) - set(roles_allowed("points.adjust")):
        errors.append(FieldError("roles", _("This role adjusts nothing.")))
    if errors:
        raise DomainError(_("This reason cannot be kept like this."), errors=errors)
