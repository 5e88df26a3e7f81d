"""A gift card's life: issued, sold, blocked, replaced, canceled. What is done with the money on it
is in `rewards.services.gift_card_money`.

Locks: the card's wallet, then its row.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from loyalty.errors import KeyReusedError, StoredValueError
from loyalty.ledger.posting import lock_wallets
from loyalty.models import Account, Program, Transfer
from loyalty.services.stored_value import (
    coins,
    deposit,
    open_bearer_wallet,
    stored_value_type,
    take_deposit_back,
)
from members.errors import DomainError, FieldError, NotFoundError
from members.models import Customer
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically
from rewards.codes import is_mistyped, plain
from rewards.errors import GiftCardRefusedError
from rewards.gift_card_codes import code_of_seed, hash_of, hashes_of, last_four, new_seed
from rewards.models import GiftCard, GiftCardBatch
from rewards.selectors.gift_cards import gift_cards, wallet_of
from rewards.services.gift_card_mail import mail_gift_card
from rewards.services.guesses import count_wrong_code, refuse_guessing

Status = GiftCard.Status


@dataclass(frozen=True, slots=True)
class GiftCardPeople:
    """Who bought a card and for whom it is; all of it may be unknown."""

    buyer: Customer | None = None
    recipient_name: str = ""
    recipient_email: str = ""
    message: str = ""
    sender_name: str = ""


NOBODY = GiftCardPeople()


def issue_gift_card(
    *,
    program: Program,
    amount: Decimal,
    key: str,
    source: str,
    actor: Actor,
    now: dt.datetime,
    people: GiftCardPeople = NOBODY,
    active: bool = True,
    paid_from: str = Account.Kind.SOLD,
    why: dict[str, Any] | None = None,
    batch: GiftCardBatch | None = None,
) -> tuple[GiftCard, bool]:
    """A new card with so much on it, or without `active` one that a till sells later. Returns it,
    and whether that had been done before by this key. Raises StoredValueError where the program
    has no stored value, KeyReusedError.

    `paid_from`: which account of the program the money comes from; `why`: what it was for.
    """
    wallet_type = stored_value_type(program)
    units = coins(amount, wallet_type)

    def issue() -> tuple[GiftCard, bool]:
        known = gift_cards().filter(key=key).first()
        if known is not None:
            return _same_card(known, program, amount), True
        wallet = open_bearer_wallet(wallet_type)
        card = _new_card(
            program=program, account=wallet.account, amount=amount, people=people, batch=batch,
            key=key, source=source, now=now,
        )  # fmt: skip
        # First the row, whose key is there once: whoever comes second waits for it, and finds it.
        card.save()
        if active:
            said = {"paid": "sold", **(why or {}), "gift_card": card.last_four}
            card.deposit, _replayed = deposit(
                wallet=wallet, units=units, paid_from=paid_from, key=f"gift-card:{key}",
                source=source, actor=actor, now=now, explanation=said,
            )  # fmt: skip
            card.status, card.activated_at = Status.ACTIVE, now
            card.save(update_fields=["deposit", "status", "activated_at"])
        if batch is None:
            audit_card("gift_card.issued", card, actor, after={"amount": str(amount)})
        if active and people.recipient_email:
            mail_gift_card(card)
        return card, False

    return run_atomically(issue)


def _same_card(known: GiftCard, program: Program, amount: Decimal) -> GiftCard:
    if (known.program_id, known.amount) != (program.pk, amount):
        raise KeyReusedError(_("This key belongs to another gift card."))
    return known


def activate_gift_card(*, card: GiftCard, source: str, actor: Actor, now: dt.datetime) -> GiftCard:
    """A till sold it: from now on it can be used. Doing it again changes nothing."""

    def activate() -> GiftCard:
        found = locked(card)
        if found.status == Status.ACTIVE:
            return found
        if found.status != Status.INACTIVE:
            raise GiftCardRefusedError(_("It cannot be sold any more."), code="gift_card_state")
        wallet = wallet_of(found)
        found.deposit, _replayed = deposit(
            wallet=wallet, units=coins(found.amount, wallet.wallet_type),
            paid_from=Account.Kind.SOLD, key=f"gift-card:{found.key}", source=source, actor=actor,
            now=now, explanation={"paid": "sold", "gift_card": found.last_four},
        )  # fmt: skip
        found.status, found.activated_at = Status.ACTIVE, now
        found.save(update_fields=["deposit", "status", "activated_at"])
        audit_card("gift_card.activated", found, actor)
        return found

    return run_atomically(activate)


def find_gift_card(written: str, *places: tuple[str, int]) -> GiftCard:
    """The card with this code, however it was typed. `places`: where it was typed, with how many
    wrong ones may come from there. Raises NotFoundError, TooManyGuessesError."""
    refuse_guessing(*places)
    code = plain(written)
    found = gift_cards().filter(code_hash__in=hashes_of(code)).first() if code else None
    if found is None:
        count_wrong_code(*places)
        raise NotFoundError(
            _("There is no such gift card: a sign of it is mistyped.")
            if is_mistyped(code)
            else _("There is no such gift card.")
        )
    return found


def block_gift_card(*, card: GiftCard, reason: str, actor: Actor, now: dt.datetime) -> GiftCard:
    """Nothing can be spent with it until it is let go. Doing it again changes nothing."""
    return _set_state(card, (Status.ACTIVE,), Status.BLOCKED, reason, "gift_card.blocked", actor)


def unblock_gift_card(*, card: GiftCard, reason: str, actor: Actor, now: dt.datetime) -> GiftCard:
    """It can be used again. Doing it again changes nothing."""
    return _set_state(card, (Status.BLOCKED,), Status.ACTIVE, reason, "gift_card.unblocked", actor)


def replace_gift_card(
    *, card: GiftCard, reason: str, key: str, source: str, actor: Actor, now: dt.datetime
) -> tuple[GiftCard, bool]:
    """Another code for the same money: the old card was lost, and is worth nothing from now on.
    Returns the new card, and whether that had been done before by this key."""

    def replace() -> tuple[GiftCard, bool]:
        found = locked(card)
        known = gift_cards().filter(key=key).first()
        if known is not None:
            if known.replaces_id != found.pk:
                raise KeyReusedError(_("This key belongs to another gift card."))
            return known, True
        if found.status not in (Status.INACTIVE, Status.ACTIVE, Status.BLOCKED):
            raise GiftCardRefusedError(_("It is closed already."), code="gift_card_state")
        sold = found.deposit_id is not None
        people = GiftCardPeople(
            found.buyer, found.recipient_name, found.recipient_email, found.message,
            found.sender_name,
        )  # fmt: skip
        found.status, found.closed_at, found.reason = Status.REPLACED, now, reason
        found.seed = None
        found.save(update_fields=["status", "closed_at", "reason", "seed"])
        other = _new_card(
            program=found.program, account=found.account, amount=found.amount, people=people,
            batch=None, key=key, source=source, now=now,
        )  # fmt: skip
        other.replaces = found
        if sold:
            other.status, other.deposit = Status.ACTIVE, found.deposit
            other.activated_at = found.activated_at
        other.save()
        audit_card("gift_card.replaced", found, actor, reason, after={"gift_card": str(other)})
        return other, False

    return run_atomically(replace)


def cancel_gift_card(
    *, card: GiftCard, reason: str, source: str, actor: Actor, now: dt.datetime
) -> GiftCard:
    """Take back what was paid in, while none of it was spent: the sale did not happen. Doing it
    again changes nothing. Raises GiftCardRefusedError (`gift_card_spent`)."""

    def cancel() -> GiftCard:
        found = locked(card)
        if found.status == Status.CANCELED:
            return found
        if found.status == Status.REPLACED:
            words = _("Cancel the card that replaced it.")
            raise GiftCardRefusedError(words, code="gift_card_state")
        paid = Transfer.objects.filter(
            wallet__account=found.account_id, kind=Transfer.Kind.DEPOSIT
        ).order_by("pk")
        try:
            for transfer in paid:
                take_deposit_back(
                    transfer=transfer, source=source, actor=actor, now=now, note=reason
                )
        except StoredValueError as error:
            raise GiftCardRefusedError(str(error.message), code="gift_card_spent") from error
        found.status, found.closed_at, found.reason = Status.CANCELED, now, reason
        found.seed = None
        found.save(update_fields=["status", "closed_at", "reason", "seed"])
        audit_card("gift_card.cancelled", found, actor, reason)
        return found

    return run_atomically(cancel)


def forget_people(*, card: GiftCard, actor: Actor) -> GiftCard:
    """Erase what is known of whom a card is for, on those that it replaced, too. Who bought it is
    the customer's own record."""

    def forget() -> GiftCard:
        found = locked(card)
        nothing = {
            "recipient_name": "", "recipient_email": "", "message": "", "sender_name": "",
        }  # fmt: skip
        GiftCard.objects.filter(account=found.account_id).update(**nothing)
        for name, value in nothing.items():
            setattr(found, name, value)
        audit_card("gift_card.people_forgotten", found, actor)
        return found

    return run_atomically(forget)


def code_of(card: GiftCard) -> str:
    """Its code, for whoever it is told to; empty once it is forgotten."""
    if card.seed is None:
        return ""
    return code_of_seed(bytes(card.seed), bytes(card.code_hash))


def locked(card: GiftCard) -> GiftCard:
    """The row as it is now, its wallet locked before it."""
    lock_wallets([wallet_of(card).pk])
    rows = GiftCard.objects.select_related("program", "account", "buyer", "deposit")
    return rows.select_for_update(of=("self",)).get(pk=card.pk)


def audit_card(
    action: str, card: GiftCard, actor: Actor, reason: str = "", after: dict[str, Any] | None = None
) -> None:
    record_audit(
        actor=actor, action=action, target=card,
        after={"gift_card": str(card), **(after or {})}, reason=reason,
    )  # fmt: skip


def require_reason(reason: str) -> str:
    """Raises DomainError where none is given."""
    if not reason.strip():
        wrong = FieldError("reason", _("Say why."))
        raise DomainError(_("Say why."), errors=[wrong])
    return reason.strip()


def _new_card(
    *, program: Program, account: Account, amount: Decimal, people: GiftCardPeople,
    batch: GiftCardBatch | None, key: str, source: str, now: dt.datetime,
) -> GiftCard:  # fmt: skip
    """Not stored yet. Two codes alike are refused by the database, and have never come about."""
    seed = new_seed()
    written = code_of_seed(seed)
    return GiftCard(
        program=program, account=account, amount=amount, batch=batch, key=key, source=source,
        status=Status.INACTIVE, created_at=now, seed=seed, code_hash=hash_of(written),
        last_four=last_four(written), buyer=people.buyer, recipient_name=people.recipient_name,
        recipient_email=people.recipient_email, message=people.message,
        sender_name=people.sender_name,
    )  # fmt: skip


def _set_state(
    card: GiftCard, before: tuple[str, ...], after: str, reason: str, action: str, actor: Actor
) -> GiftCard:
    reason = require_reason(reason)

    def go() -> GiftCard:
        found = locked(card)
        if found.status == after:
            return found
        if found.status not in before:
            raise GiftCardRefusedError(
                _("That is not possible any more with this card."), code="gift_card_state"
            )
        found.status, found.reason = after, reason
        found.save(update_fields=["status", "reason"])
        audit_card(action, found, actor, reason)
        return found

    return run_atomically(go)
