"""What gift cards say of a customer who is erased and bought them: for whom a card is stays, and
its money."""

from __future__ import annotations

from collections.abc import Sequence

from members.forgetting import register_forgetting
from members.models import Customer
from rewards.models import GiftCard


def forget_senders(customers: Sequence[Customer]) -> list[str]:
    """Neither from whom it came, nor what they wrote."""
    GiftCard.objects.filter(buyer__in=customers).update(sender_name="", message="")
    return []


def register() -> None:
    """Called once, when the application is ready."""
    register_forgetting("gift_cards", forget_senders)
