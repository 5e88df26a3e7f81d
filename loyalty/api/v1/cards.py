"""/memberships/{id}/cards: the stamp cards and discount cards that a member carries."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.card_words import (
    cashback_sentences,
    cashback_title,
    discount_sentences,
    discount_title,
    stamp_sentences,
    stamp_title,
)
from loyalty.selectors.memberships import get_membership
from loyalty.services.member_cards import CashbackCard, DiscountCard, StampCard, cards_of
from members.api.bodies import Answer, answer, money_text, plain_text
from members.api.views import ApiView


class StampCardOut(Answer):
    """How full the card of a rule of stamps is. What full cards brought is in the balances."""

    rule: str
    name: str
    wallet_type: str
    stamps: str
    full_at: int
    missing: str
    in_words: list[str]


class DiscountCardOut(Answer):
    """What a discount rule gives the member now."""

    rule: str
    name: str
    percent: str | None = Field(description="Off an order now; null where its basket decides.")
    spent: str | None = Field(description="Where it goes by what was spent: how much so far.")
    missing: str | None = Field(
        description="More than this has to be spent for the next bracket; null: there is none."
    )
    in_words: list[str]


class CashbackCardOut(Answer):
    """What a rule of cashback by spending gives for what is bought next."""

    rule: str
    name: str
    percent: str
    spent: str = Field(description="In the calendar year so far.")
    missing: str | None = Field(
        description="After so much more the next bracket begins; null: there is none."
    )
    in_words: list[str]


class CardsOut(Answer):
    stamp_cards: list[StampCardOut]
    discount_cards: list[DiscountCardOut]
    cashback_cards: list[CashbackCardOut]


class Cards(ApiView):
    scopes = {"GET": "balances:read"}

    @extend_schema(operation_id="getCards", responses={200: CardsOut})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Read how full a member's stamp cards are, and what their discount cards give now."""
        membership = get_membership(membership_id)
        cards = cards_of(membership, timezone.now())
        currency = membership.program.currency
        return answer(
            CardsOut(
                stamp_cards=[_stamps(card, currency) for card in cards.stamps],
                discount_cards=[_discount(card, currency) for card in cards.discounts],
                cashback_cards=[_cashback(card, currency) for card in cards.cashback],
            )
        )


def _stamps(card: StampCard, currency: str) -> StampCardOut:
    return StampCardOut(
        rule=card.version.rule_code,
        name=card.version.rule_name,
        wallet_type=card.wallet_type.code,
        stamps=plain_text(card.stamps),
        full_at=card.body.full_at,
        missing=plain_text(card.missing),
        in_words=[stamp_title(card), *stamp_sentences(card, currency)],
    )


def _discount(card: DiscountCard, currency: str) -> DiscountCardOut:
    body = card.version.body
    percent = card.bracket.percent if card.bracket else body.percent
    return DiscountCardOut(
        rule=card.version.rule_code,
        name=card.version.rule_name,
        percent=None if percent is None else plain_text(percent),
        spent=None if card.spent is None else money_text(card.spent),
        missing=None if card.missing is None else money_text(card.missing),
        in_words=[discount_title(card, currency), *discount_sentences(card, currency)],
    )


def _cashback(card: CashbackCard, currency: str) -> CashbackCardOut:
    return CashbackCardOut(
        rule=card.version.rule_code,
        name=card.version.rule_name,
        percent=plain_text(card.bracket.percent) if card.bracket else "0",
        spent=money_text(card.spent),
        missing=None if card.missing is None else money_text(card.missing),
        in_words=[cashback_title(card), *cashback_sentences(card, currency)],
    )
