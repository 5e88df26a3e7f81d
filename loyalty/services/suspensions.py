"""Pausing one member: what they do earns nothing and they take nothing until it is lifted."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.models import Membership
from loyalty.services.absences import note_status
from members.errors import ConflictError, DomainError, FieldError
from members.models import Customer
from members.services.audit import Actor, record_audit

Status = Membership.Status


@transaction.atomic
def suspend_membership(
    *, membership: Membership, reason: str, actor: Actor, now: dt.datetime
) -> Membership:
    """What they hold stays theirs and goes on to expire. Again changes nothing. Raises
    ConflictError for who does not take part."""
    member = _hold(membership)
    if member.status == Status.SUSPENDED:
        return member
    if member.status != Status.ACTIVE:
        raise ConflictError(_("The membership is not active."), code="not_active")
    return _set(member, Status.SUSPENDED, "membership.suspended", reason, actor, now)


@transaction.atomic
def resume_membership(
    *, membership: Membership, reason: str, actor: Actor, now: dt.datetime
) -> Membership:
    """They take part again. Again changes nothing. Raises ConflictError for who has left."""
    member = _hold(membership)
    if member.status == Status.ACTIVE:
        return member
    if member.status != Status.SUSPENDED:
        raise ConflictError(_("The membership is not suspended."), code="not_suspended")
    return _set(member, Status.ACTIVE, "membership.resumed", reason, actor, now)


def _hold(membership: Membership) -> Membership:
    # Joining and leaving take turns with it.
    Customer.objects.select_for_update().get(pk=membership.customer_id)
    return Membership.objects.select_related("program", "customer").get(pk=membership.pk)


def _set(
    member: Membership, status: Membership.Status, action: str, reason: str, actor: Actor,
    now: dt.datetime,
) -> Membership:  # fmt: skip
    reason = reason.strip()
    if not reason:
        message = _("Say why.")
        raise DomainError(message, errors=[FieldError("reason", message, "required")])
    member.status = status
    member.save(update_fields=["status"])
    note_status(member, at=now)
    after = {"program": member.program.code, "at": now.isoformat()}
    record_audit(
        actor=actor, action=action, target=member.customer, about=member, reason=reason, after=after
    )
    return member
