"""What is forgotten here of a customer who is erased: where parcels went, and what gift cards say
of who bought them; for whom a card is stays, and its money."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from members.forgetting import register_erased, register_forgetting
from members.models import Customer
from rewards.models import FulfillmentTask, GiftCard

ERASED = {
    "rewards": _("That something was taken stays, without a name."),
    "parcels": _("Where it went is forgotten; of what is still to be sent, once it is sent."),
    "gift_cards": _(
        "The card and its money stay. From whom it came, and what they wrote, is forgotten."
    ),
    "carts": _("They stay as sales, and name nobody."),
}
Status = FulfillmentTask.Status
# Somebody is about to send it, and has promised to.
_NEED_IT = (Status.TO_DO, Status.PACKED)


def forget_senders(customers: Sequence[Customer]) -> list[str]:
    """Neither from whom it came, nor what they wrote."""
    GiftCard.objects.filter(buyer__in=customers).update(sender_name="", message="")
    return []


def forget_parcels(customers: Sequence[Customer]) -> list[str]:
    """Where parcels went. One that is still to be sent keeps it until it is sent or given up."""
    theirs = FulfillmentTask.objects.filter(
        membership__customer__in=customers, address__isnull=False
    )
    # All of them first, so that none takes a step in between.
    theirs.update(forgets_address=True)
    theirs.exclude(status__in=_NEED_IT).update(address=None)
    return []


def register() -> None:
    """Called once, when the application is ready."""
    register_forgetting("gift_cards", forget_senders)
    register_forgetting("parcels", forget_parcels)
    register_erased(ERASED)
