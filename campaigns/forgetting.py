"""What messages said to a customer who is erased, and where they were sent: that they were written
stays, not their words."""

from __future__ import annotations

from collections.abc import Sequence

from campaigns.models import ContactAddress, Delivery, Message
from members.forgetting import register_forgetting
from members.models import Customer


def forget_words(customers: Sequence[Customer]) -> list[str]:
    """What still waits goes nowhere: nobody has an address any more."""
    found = Message.objects.filter(customer__in=customers)
    Delivery.objects.filter(message__in=found).update(subject="", text="", detail="")
    found.update(values={})
    return []


def forget_addresses(customers: Sequence[Customer]) -> list[str]:
    """Nothing is sent to their devices and numbers any more."""
    ContactAddress.objects.filter(customer__in=[one.pk for one in customers]).delete()
    return []


def register() -> None:
    """Called once, when the application is ready."""
    register_forgetting("addresses", forget_addresses)
    register_forgetting("messages", forget_words)
