"""Gift cards in files of balances: made with the code that their holders have, or a new one;
described in an export, which never has a code."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence

from django.utils.translation import gettext as _

from loyalty.models import Program, Transfer, Wallet
from loyalty.services.balance_rows import ACTIVE, BLOCKED, BalanceRow
from loyalty.services.bearers import Bearers, register_bearers
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

    def __init__(
        self, program: Program, source: str, buyers: Mapping[int, Customer], now: dt.datetime
    ) -> None:
        self.program, self.source, self.buyers, self.now = program, source, buyers, now
        self._made: dict[int, tuple[GiftCard, bool]] = {}

    def find(self, row: BalanceRow) -> int | DomainError:
        """The account of the row's card, made where there is none."""
        code = plain(row.cells.get("code", ""))
        if row.cells.get("code") and not _CODE(code):
            words = _("Write the whole code: 6 to 40 letters and digits.")
            return _wrong("code", words, "invalid")
        key = self._key(row.card)
        known = GiftCard.objects.filter(key=key).first()
        if known is None and code:
            known = GiftCard.objects.filter(code_hash__in=hashes_of(code)).first()
        if known is None:
            return self._new(row, code, key).account_id
        if known.program_id != self.program.pk or not known.key.startswith("opening:"):
            words = _("A gift card with this code is here already.")
            return _wrong("code", words, "code_taken")
        if code and bytes(known.code_hash) not in hashes_of(code):
            words = _("This gift card has another code.")
            return _wrong("code", words, "other_code")
        if known.status not in OPEN:
            words = _("This gift card is closed.")
            return _wrong("gift_card", words, "gift_card_state")
        return known.account_id

    def conclude(self, booked: Mapping[int, Sequence[int]]) -> list[int]:
        """Cards that were made can be used from now on; those that got nothing are canceled."""
        for account, (card, blocked) in self._made.items():
            if not booked.get(account):
                _close(card, self.now)
                continue
            movements = Transfer.objects.filter(pk__in=booked[account]).order_by("pk")
            wallet = Wallet.objects.select_related("wallet_type").get(account=account)
            units = sum(movements.values_list("amount", flat=True))
            card.amount = money_of(units, wallet.wallet_type)
            card.deposit, card.status = movements.first(), Status.ACTIVE
            card.activated_at = self.now
            card.save(update_fields=["amount", "deposit", "status", "activated_at"])
            if blocked:
                card.status, card.reason = Status.BLOCKED, _("It was blocked where it came from.")
                card.save(update_fields=["status", "reason"])
        return [card.pk for account, (card, _blocked) in self._made.items() if booked.get(account)]

    def _new(self, row: BalanceRow, code: str, key: str) -> GiftCard:
        seed = None if code else new_seed()
        written = code_of_seed(seed) if seed else code
        wallet = open_bearer_wallet(row.kind)
        card = GiftCard.objects.create(
            program=self.program, account=wallet.account, key=key, seed=seed,
            amount=money_of(row.units, row.kind), source=Transfer.Source.IMPORT,
            status=Status.INACTIVE, created_at=self.now, code_hash=hash_of(written),
            last_four=last_four(written), buyer=self.buyers.get(row.number),
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


def _close(card: GiftCard, now: dt.datetime) -> None:
    """For good: its code and its name may come again with a corrected file."""
    card.status, card.closed_at, card.seed = Status.CANCELED, now, None
    card.reason = _("Its import was undone.")
    card.code_hash = hash_of(code_of_seed(new_seed()))
    card.key = f"undone:{card.pk}"
    card.save(update_fields=["status", "closed_at", "seed", "reason", "code_hash", "key"])


def _wrong(column: str, words: str, code: str) -> DomainError:
    return DomainError(words, errors=[FieldError(column, words, code)])


def register() -> None:
    """Called once, when the application is ready."""
    register_bearers(
        Bearers(
            open=OpenedCards, describe=describe_cards, here=cards_here, take_back=take_card_back
        )
    )
