"""Whom the rows of a bulk adjustment name: looked up for many rows at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models.functions import Coalesce, Lower
from django.utils.translation import gettext as _

from loyalty.models import Membership, Wallet, WalletType
from loyalty.services.bulk_sources import NAMES, Cells
from members.errors import DomainError
from members.models import Customer
from members.phones import normalize_phone

# A duplicate that was merged is whom it was merged into.
CURRENT = Coalesce("merged_into_id", "pk")
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch
_CARD = re.compile(r"[0-9](?:[ -]?[0-9]){7,31}").fullmatch


@dataclass(frozen=True, slots=True)
class Found:
    """Whose row it is, or what is wrong with the cell that should say so."""

    customer_id: int | None = None
    problem: str = ""


class Directory:
    """The customers that some rows name, with their wallets: seven queries, however many rows."""

    def __init__(self, wallet_type: WalletType, rows: Sequence[Cells], *, region: str) -> None:
        self._region = region
        self._by_number = _customers("external_id", _texts(rows, "customer_id"))
        self._by_email = _customers("email", map(str.lower, _texts(rows, "email")))
        phones = (self._phone(text)[0] for text in _texts(rows, "phone"))
        self._by_phone = _customers("phone", phones)
        cards = (_card(text) for text in _texts(rows, "card_number"))
        self._by_card = dict(
            Membership.objects.filter(card_number__in=_kept(cards)).values_list(
                "card_number", Coalesce("merged_into__customer_id", "customer_id")
            )
        )
        self._by_membership = {
            str(public_id): customer
            for public_id, customer in Membership.objects.filter(
                program=wallet_type.program_id,
                public_id__in=_kept(map(_public_id, _texts(rows, "membership"))),
            ).values_list("public_id", Coalesce("merged_into__customer_id", "customer_id"))
        }
        self._members = self._load_members(wallet_type)

    def find(self, column: str, text: str) -> Found:
        """The customer that a cell names."""
        if column == "customer":
            return self._find_any(text)
        if column == "phone":
            number, problem = self._phone(text)
            if problem:
                return Found(problem=problem)
            return self._answer(self._by_phone.get(number))
        if column == "email":
            return self._answer(self._by_email.get(text.lower()))
        if column == "card_number":
            return self._answer(self._by_card.get(_card(text)))
        if column == "membership":
            return self._answer(self._by_membership.get(_public_id(text)))
        return self._answer(self._by_number.get(text))

    def member(self, customer_id: int) -> tuple[Wallet, str] | None:
        """The customer's wallet and the state of their membership; None: they are no member."""
        return self._members.get(customer_id)

    def _find_any(self, text: str) -> Found:
        number, _problem = self._phone(text)
        found = (
            self._by_number.get(text)
            or self._by_card.get(_card(text))
            or self._by_membership.get(_public_id(text))
            or self._by_email.get(text.lower())
            or self._by_phone.get(number)
        )
        return self._answer(found)

    def _answer(self, customer_id: int | None) -> Found:
        if customer_id is None:
            return Found(problem=_("There is no such customer."))
        return Found(customer_id)

    def _phone(self, text: str) -> tuple[str, str]:
        try:
            return normalize_phone(text, region=self._region), ""
        except DomainError as error:
            return "", str(error.message)

    def _load_members(self, wallet_type: WalletType) -> dict[int, tuple[Wallet, str]]:
        customers = {
            *self._by_number.values(), *self._by_email.values(), *self._by_phone.values(),
            *self._by_card.values(), *self._by_membership.values(),
        }  # fmt: skip
        memberships = Membership.objects.filter(
            program=wallet_type.program_id, customer__in=customers
        )
        by_account = {item.account_id: item for item in memberships}
        wallets = Wallet.objects.filter(account__in=by_account, wallet_type=wallet_type)
        found = {}
        for wallet in wallets:
            wallet.wallet_type = wallet_type
            member = by_account[wallet.account_id]
            found[member.customer_id] = (wallet, member.status)
        return found


def _customers(field: str, texts: Iterable[str]) -> dict[str, int]:
    wanted = _kept(texts)
    if not wanted:
        return {}
    if field == "email":
        rows = Customer.objects.annotate(address=Lower("email")).filter(address__in=wanted)
        return dict(rows.values_list("address", CURRENT))
    return dict(Customer.objects.filter(**{f"{field}__in": wanted}).values_list(field, CURRENT))


def _texts(rows: Sequence[Cells], column: str) -> list[str]:
    """What a column says, and what the column that takes anything says."""
    texts = [row.get(name, "") for row in rows for name in (column, NAMES[-1])]
    return [text for text in texts if text]


def _kept(texts: Iterable[str]) -> list[str]:
    return sorted({text for text in texts if text})


def _public_id(text: str) -> str:
    return text.lower() if _ID(text) else ""


def _card(text: str) -> str:
    return re.sub(r"[ -]", "", text) if _CARD(text) else ""
