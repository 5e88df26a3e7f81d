"""Gift cards that pay a part of a cart: what fits, and keeping it. The caller of what keeps holds
the checkout's lock and those of the cards' wallets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from loyalty.models import Membership, Transfer
from loyalty.rules.facts import ZERO
from loyalty.services.order_inputs import plain
from members.errors import DomainError
from members.services.audit import Actor
from rewards.errors import CheckoutRefusedError
from rewards.models import Checkout, CheckoutGiftCard, GiftCard
from rewards.selectors.gift_cards import balance_of
from rewards.services.eligibility import Refusal
from rewards.services.gift_card_money import (
    hold_on_gift_card,
    refuse_elsewhere,
    refuse_empty,
    refuse_unusable,
)


@dataclass(frozen=True, slots=True)
class CardPayment:
    """What a card is to pay; without an amount what is on it, up to what is left to pay."""

    card: GiftCard
    amount: Decimal | None = None

    def asked(self) -> tuple[int, str]:
        """The same for the same."""
        return self.card.pk, "" if self.amount is None else plain(self.amount)


@dataclass(frozen=True, slots=True)
class CardFit:
    """A card as one cart finds it. `amount`: what it would pay."""

    card: GiftCard
    balance: Decimal
    amount: Decimal
    refusals: tuple[Refusal, ...]

    @property
    def fits(self) -> bool:
        return not self.refusals


def hold_cards(
    checkout: Checkout, payments: Sequence[CardPayment], *, source: str, actor: Actor,
    now: dt.datetime, coin: Decimal,
) -> Decimal:  # fmt: skip
    """Spend from each in turn; what they pay of it. Raises GiftCardRefusedError,
    InsufficientBalanceError, and CheckoutRefusedError where they would pay more than is left."""
    paid = ZERO
    for place, payment in enumerate(payments):
        left = checkout.to_pay - paid
        amount = payment.amount
        if amount is None:
            amount = _most(payment.card, checkout.membership, left, coin, now)
        if amount > left:
            raise CheckoutRefusedError(_("They would pay more than it costs."), code="above_total")
        transfer = hold_on_gift_card(
            card=payment.card, amount=amount, source=source, actor=actor, now=now,
            key=f"checkout:{checkout.pk}:{checkout.round}:gift-card:{payment.card.account_id}",
            checkout=checkout.cart, field=f"gift_cards[{place}].amount",
        )  # fmt: skip
        CheckoutGiftCard.objects.create(
            checkout=checkout, gift_card=payment.card, transfer=transfer, amount=amount
        )
        paid += amount
    return paid


def fits_of(
    cards: Iterable[GiftCard], membership: Membership, left: Decimal, coin: Decimal,
    now: dt.datetime,
) -> list[CardFit]:  # fmt: skip
    """What each of them would pay of so much, those before it first. Nothing is kept by it."""
    found = []
    for card in cards:
        amount, refusals = ZERO, []
        try:
            amount = _most(card, membership, left, coin, now)
        except DomainError as error:
            refusals.append(Refusal(error.code, str(error.message)))
        found.append(CardFit(card, balance_of(card, now), amount, tuple(refusals)))
        left -= amount
    return found


def refuse_cards(payments: Sequence[CardPayment], membership: Membership) -> None:
    """Raise GiftCardRefusedError where one of them is of another program."""
    for payment in payments:
        refuse_elsewhere(payment.card, membership)


def accounts_of(checkouts: Iterable[Checkout]) -> list[int]:
    """Whose money they keep, beside their members'."""
    found = CheckoutGiftCard.objects.filter(checkout__in=[item.pk for item in checkouts])
    return list(found.values_list("gift_card__account", flat=True))


def card_spends(checkout: Checkout) -> dict[Transfer, Decimal]:
    """What cards pay of it, by the spends that do."""
    rows = checkout.gift_cards.select_related("transfer__wallet_type").order_by("pk")
    return {item.transfer: item.amount for item in rows}


def _most(
    card: GiftCard, membership: Membership, left: Decimal, coin: Decimal, now: dt.datetime
) -> Decimal:
    """What is on it, up to what is left, in whole coins. Raises GiftCardRefusedError where it
    cannot pay, CheckoutRefusedError where nothing is left for it."""
    refuse_elsewhere(card, membership)
    refuse_unusable(card)
    balance = balance_of(card, now)
    refuse_empty(balance)
    amount = min(balance, left) // coin * coin
    if amount <= 0:
        raise CheckoutRefusedError(_("Nothing is left for it to pay."), code="above_total")
    return amount
