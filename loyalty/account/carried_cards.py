"""A member's stamp cards and discount cards, as the home page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loyalty.card_words import (
    cashback_sentences,
    cashback_title,
    discount_sentences,
    discount_title,
    stamp_sentences,
    stamp_title,
)
from loyalty.services.member_cards import Cards

# So many stamps are drawn one by one; more are a bar.
DRAWN = 24


@dataclass(frozen=True, slots=True)
class StampView:
    """`places`: whether each is stamped; empty where there are too many to draw."""

    name: str
    title: str
    sentences: Sequence[str]
    icon: str
    places: Sequence[bool]
    share: int


@dataclass(frozen=True, slots=True)
class DiscountView:
    """Of a discount card, or of cashback that grows with what is spent."""

    name: str
    title: str
    sentences: Sequence[str]
    icon: str = "tag"


def stamp_views(cards: Cards, currency: str) -> list[StampView]:
    return [
        StampView(
            card.version.rule_name,
            stamp_title(card),
            stamp_sentences(card, currency),
            card.wallet_type.icon,
            [place < card.stamps for place in range(card.body.full_at)]
            if card.body.full_at <= DRAWN
            else [],
            int(card.stamps * 100 / card.body.full_at),
        )
        for card in cards.stamps
    ]


def discount_views(cards: Cards, currency: str) -> list[DiscountView]:
    return [
        *(
            DiscountView(
                card.version.rule_name,
                discount_title(card, currency),
                discount_sentences(card, currency),
            )
            for card in cards.discounts
        ),
        *(
            DiscountView(
                card.version.rule_name,
                cashback_title(card),
                cashback_sentences(card, currency),
                "cash",
            )
            for card in cards.cashback
        ),
    ]
