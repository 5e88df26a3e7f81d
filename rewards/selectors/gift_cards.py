"""Gift cards, what is on them, and what they were used for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from loyalty.ledger.balances import holdings
from loyalty.models import Lot, Transfer, Wallet
from loyalty.services.stored_value import money_of
from members.errors import NotFoundError
from members.models import Customer
from rewards.models import GiftCard

Status = GiftCard.Status
# What a card is in by its money, beside its own states.
USED_UP, EXPIRED = "used_up", "expired"
STATES = (*Status.values, USED_UP, EXPIRED)


def gift_cards() -> QuerySet[GiftCard]:
    """With what is shown of each: its wallet's number, and whether something on it expired."""
    wallets = Wallet.objects.filter(account=OuterRef("account"))
    lapsed = Transfer.objects.filter(wallet__account=OuterRef("account"), kind="expiry")
    return GiftCard.objects.select_related("program", "buyer", "batch", "deposit").annotate(
        held=Subquery(wallets.values("balance")[:1]),
        scale=Subquery(wallets.values("wallet_type__scale")[:1]),
        lapsed=Exists(lapsed),
    )


def get_gift_card(public_id: UUID | str) -> GiftCard:
    """Raises NotFoundError."""
    found = gift_cards().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError("There is no such gift card.")
    return found


def wallet_of(card: GiftCard) -> Wallet:
    wallets = Wallet.objects.select_related("wallet_type__program")
    return wallets.get(account=card.account_id)


def balance_of(card: GiftCard, now: datetime) -> Decimal:
    """What can be spent with it, if it can be used."""
    wallet = wallet_of(card)
    return money_of(holdings([wallet], now)[wallet.pk].spendable, wallet.wallet_type)


def balances_of(cards: Sequence[GiftCard], now: datetime) -> dict[int, Decimal]:
    """What is on each, by its key."""
    wallets = Wallet.objects.select_related("wallet_type").filter(
        account__in=[card.account_id for card in cards]
    )
    by_account = {wallet.account_id: wallet for wallet in wallets}
    held = holdings(by_account.values(), now)
    return {
        card.pk: money_of(
            held[by_account[card.account_id].pk].spendable,
            by_account[card.account_id].wallet_type,
        )
        for card in cards
    }


def state_of(card: GiftCard, balance: Decimal, now: datetime) -> str:
    """Its own state, or what its money makes of it: used up, expired."""
    if card.status != Status.ACTIVE or balance:
        return card.status
    lots = Lot.objects.filter(wallet__account=card.account_id, due_at__lte=now)
    lapsed = Transfer.objects.filter(wallet__account=card.account_id, kind="expiry")
    return EXPIRED if lots.exists() or lapsed.exists() else USED_UP


def in_state(found: QuerySet[GiftCard], state: str) -> QuerySet[GiftCard]:
    """Those of a state, by what the ledger has written down."""
    by_money: dict[str, dict[str, Any]] = {
        "active": {"held__gt": 0},
        USED_UP: {"held": 0, "lapsed": False},
        EXPIRED: {"held": 0, "lapsed": True},
    }
    if state in by_money:
        return found.filter(status=Status.ACTIVE, **by_money[state])
    return found.filter(status=state)


def movements_of(card: GiftCard) -> QuerySet[Transfer]:
    """What was paid in and spent, the newest first; also before it replaced a lost card."""
    found = Transfer.objects.select_related("wallet", "wallet_type", "order", "actor", "pair")
    return found.filter(wallet__account=card.account_id).order_by("-occurred_at", "-pk")


def bought_by(customer: Customer) -> QuerySet[GiftCard]:
    """Cards in force that a customer bought or took as a reward."""
    closed = [Status.REPLACED, Status.CANCELED]
    return gift_cards().filter(buyer=customer).exclude(status__in=closed).order_by("-pk")
