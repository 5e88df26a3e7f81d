"""Finding customers by what loyalty knows of them: the number of their card or of an order."""

from __future__ import annotations

import re

from django.db.models import Max
from django.utils.translation import gettext as _

from loyalty.models import Membership, Order
from members.search import FoundBy

_CARD = re.compile(r"[0-9](?:[ -]?[0-9]){7,31}").fullmatch


def find_by_card(text: str, limit: int) -> list[FoundBy]:
    """By the whole card number, with or without the gaps it is printed with."""
    if not _CARD(text):
        return []
    number = re.sub(r"[ -]", "", text)
    found = Membership.objects.filter(card_number=number).values_list("customer_id", flat=True)
    return [FoundBy(customer_id, _("Card %s") % number) for customer_id in found[:limit]]


def find_by_order(text: str, limit: int) -> list[FoundBy]:
    """By the whole order number, as the shop writes it or with a # before it."""
    number = text.removeprefix("#").strip()
    if not number or len(number) > 128 or "\x00" in number:
        return []
    found = (
        Order.objects.filter(
            external_id__in={number, number.upper(), number.lower()}, customer__isnull=False
        )
        .values("customer_id")
        .annotate(newest=Max("placed_at"), number=Max("external_id"))
        .order_by("-newest")
    )
    return [FoundBy(row["customer_id"], _("Order %s") % row["number"]) for row in found[:limit]]
