"""Another card number for a member who lost their card: whoever found it can do nothing with it."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.models import Membership
from loyalty.services.memberships import new_card_number
from members.errors import ConflictError, DomainError, FieldError
from members.models import Customer
from members.services.audit import Actor, record_audit

TAKES_PART = (Membership.Status.ACTIVE, Membership.Status.SUSPENDED)


@transaction.atomic
def replace_card(*, membership: Membership, lost: str, reason: str, actor: Actor) -> Membership:
    """The card with this number opens nothing any more; another has what it had. `lost` makes it
    once, however often it is sent. Raises ConflictError for who takes no part."""
    reason = reason.strip()
    if not reason:
        message = _("Say why.")
        raise DomainError(message, errors=[FieldError("reason", message, "required")])
    # Joining and leaving take turns with it.
    Customer.objects.select_for_update().get(pk=membership.customer_id)
    member = Membership.objects.select_related("program", "customer").get(pk=membership.pk)
    if member.card_number != lost:
        return member
    if member.status not in TAKES_PART:
        raise ConflictError(_("The membership is not active."), code="not_active")
    member.card_number = new_card_number()
    member.save(update_fields=["card_number"])
    record_audit(
        actor=actor, action="membership.card_replaced", target=member.customer, about=member,
        reason=reason, before={"card_number": lost},
        after={"program": member.program.code, "card_number": member.card_number},
    )  # fmt: skip
    return member
