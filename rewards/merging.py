"""This application's part in a merge of two customers: who bought which gift cards, and what they
save for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from members.merging import MergeHandler, MergeSection, Merging, Record, register_merge_handler
from members.models import Customer
from rewards.models import GiftCard
from rewards.services import merged_wishes


def merge_buyers(merging: Merging) -> Record:
    """Cards that the duplicate bought are the kept one's."""
    cards = list(GiftCard.objects.filter(buyer=merging.merged).values_list("pk", flat=True))
    GiftCard.objects.filter(pk__in=cards).update(buyer=merging.kept)
    return {"gift_cards": cards}


def part_buyers(merging: Merging, record: Record) -> None:
    """They go back to whoever bought them."""
    came = GiftCard.objects.filter(pk__in=record["gift_cards"], buyer=merging.kept)
    came.update(buyer=merging.merged)


def nothing_to_show(_kept: Customer, _merged: Customer, _now: datetime) -> Sequence[MergeSection]:
    return ()


def register() -> None:
    """Called once, when the application is ready."""
    register_merge_handler(
        "gift_cards",
        MergeHandler(
            fields=("rewards.giftcard.buyer",),
            preview=nothing_to_show,
            merge=merge_buyers,
            undo=part_buyers,
        ),
        order=70,
    )
    register_merge_handler(
        "wishes",
        MergeHandler(
            fields=(),
            preview=merged_wishes.preview_wishes,
            merge=merged_wishes.merge_wishes,
            undo=merged_wishes.part_wishes,
        ),
        order=71,
    )
