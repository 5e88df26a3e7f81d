"""Leaving a program by one's own decision, on one's page or told to the shop. Joining again brings
back what is still there."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.models import Membership
from loyalty.selectors.pools import place_of
from loyalty.services.absences import note_status
from members.errors import ConflictError
from members.models import Customer
from members.services.audit import Actor, record_audit


@transaction.atomic
def leave_program(
    *, membership: Membership, actor: Actor, now: dt.datetime, reason: str = ""
) -> Membership:
    """The member takes no part any more: earns nothing and takes nothing. What they hold stays
    until it expires, and is theirs again if they come back. Leaving twice changes nothing.
    `reason`: what whoever does it for them says of it.

    Raises ConflictError for who shares a pool, which is left first, and for who is suspended:
    coming back would lift that.
    """
    # Joining takes turns with it.
    Customer.objects.select_for_update().get(pk=membership.customer_id)
    member = Membership.objects.select_related("program", "customer").get(pk=membership.pk)
    if member.status == Membership.Status.LEFT:
        return member
    if member.status != Membership.Status.ACTIVE:
        raise ConflictError(_("The membership is not active."), code="not_active")
    if place_of(member) is not None:
        raise ConflictError(_("Leave what you share with others first."), code="in_a_pool")
    member.status = Membership.Status.LEFT
    member.save(update_fields=["status"])
    note_status(member, at=now)
    after = {"program": member.program.code, "left_at": now.isoformat()}
    record_audit(
        actor=actor, action="membership.left", target=member.customer, about=member, after=after,
        reason=reason.strip(),
    )  # fmt: skip
    return member
