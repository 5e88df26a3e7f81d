"""Gift cards in files of balances: made with the code that their holders have, or a new one;
described in an export, which never has a code."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from loyalty.models import Program, Transfer, Wallet
from loyalty.services.adjustments import undo_key
from loyalty.services.balance_rows import ACTIVE, BLOCKED, BalanceRow
from loyalty.services.bearers import Bearers, Buyers, register_bearers
from loyalty.services.stored_value import money_of, open_bearer_wallet
from members.errors import DomainError, FieldError
from members.models import Customer
from rewards.codes import plain
from rewards.gift_card_codes import code_of_seed, hash_of, hashes_of, last_four, new_seed
from rewards.models import GiftCard

Status = GiftCard.Status
# Of what can be typed at a till, and is not guessed at once.
_CODE = re.compile(r"[A-Z0-9]{6,40}").fullmatch
OPEN = (Status.INACTIVE, Status.ACTIVE, Status.BLOCKED)


class OpenedCards:
    """The cards of one piece of a file."""

    def __init__(self, program: Program, source: str, buyers: Buyers, now: dt.datetime) -> None:
        self.program, self.source, self.buyers, self.now = program, source, buyers, now
        self._made: dict[int, tuple[GiftCard, bool]] = {}
        self._known: set[int] = set()

    def find(self, row: BalanceRow) -> int | DomainError:
        """The account of the row's card, made where there is none. One that was replaced is the
        card that replaced it."""
        code = plain(row.cells.get("code", ""))
        if row.cells.get("code") and not _CODE(code):
            words = _("Write the whole code: 6 to 40 letters and digits.")
            return _wrong("code", words, "invalid")
        buyer = self.buyers.get(row.number)
        if isinstance(buyer, DomainError):
            return buyer
        key = self._key(row.card)
        known = GiftCard.objects.filter(key=key).first()
        if known is None and code:
            known = GiftCard.objects.filter(code_hash__in=hashes_of(code)).first()
        if known is None:
            return self._new(row, code, key, buyer).account_id
        if known.program_id != self.program.pk or not known.key.startswith("opening:"):
            words = _("A gift card with this code is here already.")
            return _wrong("code", words, "code_taken")
        if code and bytes(known.code_hash) not in hashes_of(code):
            words = _("This gift card has another code.")
            return _wrong("code", words, "other_code")
        valid = GiftCard.objects.filter(account=known.account_id, status__in=OPEN).first()
        if valid is None:
            words = _("This gift card is closed.")
            return _wrong("gift_card", words, "gift_card_state")
        if valid.account_id not in self._made:
            self._known.add(valid.account_id)
        return _bought(valid, buyer) or valid.account_id

    def conclude(self, booked: Mapping[int, Sequence[int]]) -> list[int]:
        """Cards that were made can be used from now on; those that got nothing are canceled."""
        for account, (card, blocked) in self._made.items():
            if not booked.get(account):
                _close(card, self.now)
                continue
            first = Transfer.objects.get(pk=min(booked[account]))
            card.amount = _brought(account)
            card.deposit, card.status = first, Status.ACTIVE
            card.activated_at = self.now
            card.save(update_fields=["amount", "deposit", "status", "activated_at"])
            if blocked:
                card.status, card.reason = Status.BLOCKED, _("It was blocked where it came from.")
                card.save(update_fields=["status", "reason"])
        for account in self._known & booked.keys():
            # However a file was cut into pieces, it was issued with all that files brought.
            cards = GiftCard.objects.filter(account=account, status__in=OPEN)
            cards.update(amount=_brought(account))
        return [card.pk for account, (card, _blocked) in self._made.items() if booked.get(account)]

    def _new(self, row: BalanceRow, code: str, key: str, buyer: Customer | None) -> GiftCard:
        seed = None if code else new_seed()
        written = code_of_seed(seed) if seed else code
        wallet = open_bearer_wallet(row.kind)
        card = GiftCard.objects.create(
            program=self.program, account=wallet.account, key=key, seed=seed,
            amount=money_of(row.units, row.kind), source=Transfer.Source.IMPORT,
            status=Status.INACTIVE, created_at=self.now, code_hash=hash_of(written),
            last_four=last_four(written), buyer=buyer,
        )  # fmt: skip
        blocked = row.cells.get("card_state") == BLOCKED
        self._made[card.account_id] = (card, blocked)
        return card

    def _key(self, named: str) -> str:
        told = hashlib.sha256(f"{self.source}|{named}".encode()).hexdigest()[:40]
        return f"opening:{self.program.pk}:{told}"


def describe_cards(accounts: Collection[int]) -> dict[int, dict[str, str]]:
    """By account what a file says of its card."""
    cards = GiftCard.objects.filter(account__in=accounts, status__in=OPEN).select_related("buyer")
    return {
        card.account_id: {
            "gift_card": str(card.public_id),
            "card_state": BLOCKED if card.status == Status.BLOCKED else ACTIVE,
            "customer_id": (card.buyer.external_id or "") if card.buyer else "",
            "customer": str(card.buyer.public_id) if card.buyer else "",
        }
        for card in cards
    }


def cards_here(program: Program, public_ids: Collection[str]) -> set[str]:
    found = GiftCard.objects.filter(program=program, public_id__in=public_ids)
    return {str(public_id) for public_id in found.values_list("public_id", flat=True)}


def cards_there(cards: Collection[int]) -> int:
    """How many of these are open, or replaced by one that is."""
    accounts = GiftCard.objects.filter(pk__in=cards).values("account")
    return GiftCard.objects.filter(account__in=accounts, status__in=OPEN).count()


def take_card_back(card_id: int, now: dt.datetime) -> bool:
    """Cancel a card that an import made, or what replaced it; not where it was used since."""
    account = GiftCard.objects.values_list("account", flat=True).get(pk=card_id)
    card = GiftCard.objects.select_for_update(of=("self",)).filter(
        account=account, status__in=OPEN
    ).first()  # fmt: skip
    moved = Transfer.objects.filter(wallet__account=account)
    used = moved.exclude(key__startswith="opening:").exclude(key__startswith="undo:")
    held = Wallet.objects.filter(account=account).exclude(balance=0, pending=0)
    if card is None or used.exists() or held.exists():
        return False
    _close(card, now)
    return True


def _brought(account: int) -> Decimal:
    """What files brought onto a card, but for what was undone."""
    opened = Transfer.objects.filter(
        wallet__account=account, kind=Transfer.Kind.DEPOSIT, key__startswith="opening:"
    ).select_related("wallet_type")
    keys = {undo_key(item.pk): item for item in opened}
    for key in Transfer.objects.filter(key__in=keys).values_list("key", flat=True):
        del keys[key]
    there = list(keys.values())
    return money_of(sum(item.amount for item in there), there[0].wallet_type)


def _bought(card: GiftCard, buyer: Customer | None) -> DomainError | None:
    """Keep who bought a card that is here; why not, where it is known to be somebody else."""
    if buyer is None or card.buyer_id == buyer.pk:
        return None
    if card.buyer_id is not None:
        words = _("Somebody else is known to have bought this gift card.")
        return _wrong("customer_id", words, "other_buyer")
    card.buyer = buyer
    card.save(update_fields=["buyer"])
    return None


def _close(card: GiftCard, now: dt.datetime) -> None:
    """For good: its code and its name may come again with a corrected file, as may those of the
    cards that it replaced."""
    card.status, card.closed_at, card.seed = Status.CANCELED, now, None
    card.reason = _("Its import was undone.")
    card.save(update_fields=["status", "closed_at", "seed", "reason"])
    for one in GiftCard.objects.filter(account=card.account_id):
        one.code_hash, one.key = hash_of(code_of_seed(new_seed())), f"undone:{one.pk}"
        one.save(update_fields=["code_hash", "key"])


def _wrong(column: str, words: str, code: str) -> DomainError:
    return DomainError(words, errors=[FieldError(column, words, code)])


def register() -> None:
    """Called once, when the application is ready."""
    register_bearers(
        Bearers(
            open=OpenedCards, describe=describe_cards, here=cards_here, take_back=take_card_back,
            there=cards_there,
        )
    )  # fmt: skip
