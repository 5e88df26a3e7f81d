"""What is done with the money on a gift card: paid with, given back, topped up, moved to a member's
own credit. Each once for a key, whoever tells it how often.

Locks: the wallet of the card (and that of the member), then the card.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.utils.translation import gettext as _

from loyalty.errors import KeyReusedError
from loyalty.ledger.balances import holdings
from loyalty.ledger.posting import lock_wallets
from loyalty.models import Account, Membership, Order, Transfer, Wallet
from loyalty.selectors.memberships import current_wallet
from loyalty.services.redemptions import redeem_units, reverse_redemption
from loyalty.services.stored_value import (
    coins,
    credit_wallet,
    deposit,
    money_of,
    move_stored_value,
)
from members.errors import NotFoundError
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically
from rewards.errors import GiftCardRefusedError
from rewards.models import GiftCard
from rewards.selectors.gift_cards import wallet_of
from rewards.services.gift_cards import audit_card, locked

Status = GiftCard.Status
REFUSALS = {
    Status.INACTIVE: "gift_card_inactive",
    Status.BLOCKED: "gift_card_blocked",
    Status.REPLACED: "gift_card_replaced",
    Status.CANCELED: "gift_card_cancelled",
}


def redeem_gift_card(
    *,
    card: GiftCard,
    amount: Decimal,
    key: str,
    source: str,
    actor: Actor,
    now: dt.datetime,
    order: Order | None = None,
) -> tuple[Transfer, bool]:
    """Pay with a card, up to what is on it. `key`: the checkout's name; the same again answers with
    what was paid. Returns the movement, and whether it had been made before.

    Raises GiftCardRefusedError, InsufficientBalanceError, KeyReusedError (another amount).
    """

    def redeem() -> tuple[Transfer, bool]:
        found = locked(card)
        wallet = wallet_of(found)
        named = checkout_key(found, key)
        units = coins(amount, wallet.wallet_type)
        if not Transfer.objects.filter(key=named).exists():
            refuse_unusable(found)
        paid, replayed = redeem_units(
            wallet=wallet, units=units, key=named, source=source, actor=actor, now=now,
            order=order, note=key,
        )  # fmt: skip
        if not replayed:
            _forget_code(found)
        return paid, replayed

    return run_atomically(redeem)


def hold_on_gift_card(
    *, card: GiftCard, amount: Decimal, key: str, source: str, actor: Actor, now: dt.datetime,
    checkout: str, field: str = "amount",
) -> Transfer:  # fmt: skip
    """Spend from a card for the checkout that keeps it; it comes back with that alone. The caller
    says a `key` that nobody has used. Raises as `redeem_gift_card`."""

    def hold() -> Transfer:
        found = locked(card)
        refuse_unusable(found)
        wallet = wallet_of(found)
        paid, _replayed = redeem_units(
            wallet=wallet, units=coins(amount, wallet.wallet_type, field=field), key=key,
            source=source, actor=actor, now=now, note=checkout, checkout=checkout,
        )  # fmt: skip
        _forget_code(found)
        return paid

    return run_atomically(hold)


def refund_gift_card(
    *,
    card: GiftCard,
    checkout: str,
    source: str,
    actor: Actor,
    now: dt.datetime,
    amount: Decimal | None = None,
    key: str = "",
    note: str = "",
) -> tuple[Transfer, bool]:
    """Give back to the card what a checkout paid with it, or so much of it; `key` tells one such
    part from another. Of a card that was replaced it comes to the new one, for the money is the
    same. Raises NotFoundError, OverCorrectedError."""

    def refund() -> tuple[Transfer, bool]:
        found = locked(card)
        named = checkout_key(found, checkout)
        paid = Transfer.objects.select_related("wallet__wallet_type", "wallet_type").filter(
            key=named
        )
        transfer = paid.first()
        if transfer is None:
            raise NotFoundError(_("This checkout paid nothing with this card."))
        units = None if amount is None else coins(amount, transfer.wallet_type)
        part = f"{named}:back:{key}" if key else f"{named}:back"
        return reverse_redemption(
            transfer=transfer, units=units, key=part, source=source, actor=actor, now=now,
            note=note,
        )  # fmt: skip

    return run_atomically(refund)


def top_up_gift_card(
    *, card: GiftCard, amount: Decimal, key: str, source: str, actor: Actor, now: dt.datetime
) -> tuple[Transfer, bool]:
    """Pay more onto a card. Returns the movement, and whether it had been made before."""

    def top_up() -> tuple[Transfer, bool]:
        found = locked(card)
        wallet = wallet_of(found)
        named = f"gift-card:{found.account_id}:top-up:{key}"
        if not Transfer.objects.filter(key=named).exists():
            refuse_unusable(found)
        paid, replayed = deposit(
            wallet=wallet, units=coins(amount, wallet.wallet_type), paid_from=Account.Kind.SOLD,
            key=named, source=source, actor=actor, now=now,
            explanation={"paid": "top_up", "gift_card": found.last_four},
        )  # fmt: skip
        if not replayed:
            audit_card("gift_card.topped_up", found, actor, after={"amount": str(amount)})
        return paid, replayed

    return run_atomically(top_up)


def move_to_credit(
    *, card: GiftCard, membership: Membership, key: str, source: str, actor: Actor, now: dt.datetime
) -> tuple[Transfer, bool]:
    """Put all that is left on a card to a member's own credit. Returns the movement out of it, and
    whether it had been made before. Raises GiftCardRefusedError."""

    def move() -> tuple[Transfer, bool]:
        wallet, credit = wallet_of(card), _credit_of(membership, card)
        lock_wallets([wallet.pk, credit.pk])
        found = locked(card)
        named = f"gift-card:{found.account_id}:moved:{key}"
        known = Transfer.objects.select_related("wallet", "wallet_type").filter(key=named).first()
        if known is not None:
            return _same(known, credit), True
        refuse_unusable(found)
        # Of whoever was merged into another that one's.
        owner = Membership.objects.select_related("customer").get(account=credit.account_id)
        _refuse_member(owner)
        units = _spendable(wallet, now)
        refuse_empty(money_of(units, wallet.wallet_type))
        moved, _replayed = move_stored_value(
            wallet=wallet, to=credit, units=units, key=named, source=source, actor=actor, now=now,
            explanation={"gift_card": found.last_four},
        )  # fmt: skip
        _forget_code(found)
        after = {"gift_card": str(found), "amount": str(money_of(units, wallet.wallet_type))}
        record_audit(
            actor=actor, action="gift_card.moved", target=owner.customer, about=owner, after=after
        )
        return moved, False

    return run_atomically(move)


def refuse_unusable(card: GiftCard) -> None:
    """Raise GiftCardRefusedError where it is not active, with a code that says what it is."""
    if card.status == Status.ACTIVE:
        return
    words = {
        Status.INACTIVE: _("This gift card was not sold yet."),
        Status.BLOCKED: _("This gift card is blocked."),
        Status.REPLACED: _("This gift card was replaced by another one."),
        Status.CANCELED: _("This gift card was canceled."),
    }
    status = Status(card.status)
    raise GiftCardRefusedError(words[status], code=REFUSALS[status])


def refuse_elsewhere(card: GiftCard, membership: Membership) -> None:
    """Raise GiftCardRefusedError where it is of another program than the member."""
    if card.program_id != membership.program_id:
        raise GiftCardRefusedError(
            _("This gift card is of another program."), code="gift_card_elsewhere"
        )


def refuse_empty(balance: Decimal) -> None:
    """Raise GiftCardRefusedError where nothing is on it."""
    if not balance:
        raise GiftCardRefusedError(_("Nothing is left on it."), code="gift_card_empty")


def checkout_key(card: GiftCard, checkout: str) -> str:
    """What the ledger calls a payment: the same for a card and for one that it replaced."""
    return f"gift-card:{card.account_id}:{checkout}"


def _forget_code(card: GiftCard) -> None:
    """Who has used it knows it; nobody needs to be told it again."""
    GiftCard.objects.filter(pk=card.pk).update(seed=None)


def _credit_of(membership: Membership, card: GiftCard) -> Wallet:
    refuse_elsewhere(card, membership)
    wallet_type = wallet_of(card).wallet_type
    return current_wallet(credit_wallet(membership.account_id, wallet_type))


def _refuse_member(membership: Membership) -> None:
    if membership.status != Membership.Status.ACTIVE:
        raise GiftCardRefusedError(_("Only active members have credit."), code="not_active")


def _spendable(wallet: Wallet, now: dt.datetime) -> int:
    fresh = Wallet.objects.get(pk=wallet.pk)
    return holdings([fresh], now)[wallet.pk].spendable


def _same(known: Transfer, credit: Wallet) -> Transfer:
    if not Transfer.objects.filter(pair=known, wallet=credit).exists():
        raise KeyReusedError(_("This key belongs to another movement."))
    return known
