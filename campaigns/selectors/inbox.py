"""What a customer can read on their own pages."""

from __future__ import annotations

from django.db.models import QuerySet

from campaigns.models import Delivery
from members.models import Customer

CHANNEL = "inbox"


def inbox_of(customer: Customer) -> QuerySet[Delivery]:
    """Newest first."""
    found = Delivery.objects.filter(
        message__customer=customer, channel=CHANNEL, state=Delivery.State.SENT
    )
    return found.select_related("message").order_by("-message__created_at", "-pk")


def unread_of(customer: Customer) -> int:
    return inbox_of(customer).filter(read_at=None).count()
