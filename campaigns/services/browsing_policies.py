"""What the merchant settles about what members look at."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.models import BrowsingPolicy
from members.errors import DomainError, FieldError
from members.services.audit import Actor, record_audit, snapshot

MOST_DAYS = 400
FIELDS = ["is_on", "kept_days"]


@transaction.atomic
def set_browsing_policy(*, is_on: bool, kept_days: int, actor: Actor) -> BrowsingPolicy:
    """Whether it is kept from now on, and how long. Switched off, what is there stays until its
    time is over. Raises DomainError. What changes nothing leaves no trace."""
    if not 1 <= kept_days <= MOST_DAYS:
        message = _("Between 1 and %s days.") % MOST_DAYS
        raise DomainError(message, errors=[FieldError("kept_days", message)])
    BrowsingPolicy.objects.get_or_create(pk=1)
    row = BrowsingPolicy.objects.select_for_update().get(pk=1)
    before = snapshot(row, FIELDS)
    row.is_on, row.kept_days = is_on, kept_days
    after = snapshot(row, FIELDS)
    if before != after:
        row.save()
        record_audit(actor=actor, action="browsing.policy", target=row, before=before, after=after)
    return row
