"""Short ways to gift cards. All go through the services."""

import datetime as dt
from decimal import Decimal
from typing import Any

from loyalty.models import Program, Transfer
from members.services.audit import SYSTEM
from rewards.models import GiftCard
from rewards.selectors.gift_cards import balance_of, get_gift_card
from rewards.services.gift_card_money import redeem_gift_card, refund_gift_card
from rewards.services.gift_cards import issue_gift_card
from tests.loyalty.factories import NOW, make_program

CREDIT = {
    "code": "credit",
    "singular": "store credit",
    "plural": "store credit",
    "decimals": 2,
    "stored_value": True,
}


def money_program(code: str = "club", **changes: Any) -> Program:
    """A program with points and stored value."""
    return make_program(code, wallet_types=[{}, CREDIT], **changes)


def issue(
    program: Program,
    amount: str = "100",
    key: str = "g1",
    *,
    at: dt.datetime = NOW,
    **how: Any,
) -> GiftCard:
    card, _replayed = issue_gift_card(
        program=program, amount=Decimal(amount), key=key, source="api", actor=SYSTEM, now=at, **how
    )
    return get_gift_card(card.public_id)


def pay(
    card: GiftCard, amount: str, checkout: str = "t1", at: dt.datetime = NOW, **how: Any
) -> Transfer:
    return redeem_gift_card(
        card=card, amount=Decimal(amount), key=checkout, source="api", actor=SYSTEM, now=at, **how
    )[0]


def give_back(
    card: GiftCard,
    checkout: str = "t1",
    amount: str | None = None,
    key: str = "",
    at: dt.datetime = NOW,
) -> Transfer:
    return refund_gift_card(
        card=card, checkout=checkout, amount=Decimal(amount) if amount else None, key=key,
        source="api", actor=SYSTEM, now=at,
    )[0]  # fmt: skip


def left(card: GiftCard, at: dt.datetime = NOW) -> str:
    return f"{balance_of(card, at):f}"
