"""A payment provider that can be told to kill whoever asks it, to refuse, or not to answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import ClassVar

import pytest

from loyalty.models import Program, Subscription
from loyalty.payments import providers
from loyalty.payments.base import (
    Collected,
    Notice,
    PaymentProvider,
    ProviderError,
    RefusedError,
    Wanted,
)
from loyalty.services.subscriptions import permit_collecting
from tests.loyalty.factories import NOW
from tests.loyalty.planning import join, member


class Killed(BaseException):
    """As SIGKILL is: nothing after it is done."""


class Bank(PaymentProvider):
    """Takes money, and gives it back, once for a key."""

    code, label, collects = "bank", "Bank", True
    taken: ClassVar[dict[str, Decimal]] = {}
    given: ClassVar[dict[str, Decimal]] = {}
    refuses = kills = is_silent = False

    def collect(self, wanted: Wanted) -> Collected:
        if self.refuses:
            return Collected("failed", "r", "card_declined")
        self.taken.setdefault(wanted.key, wanted.amount)
        self._may_not_answer()
        return Collected("paid", f"ref-{wanted.key}")

    def look_up(self, reference: str) -> Collected:
        return Collected("paid", reference)

    def give_back(
        self, *, reference: str, amount: Decimal, currency: str, key: str, again: bool
    ) -> None:
        if self.refuses:
            raise RefusedError("charge_disputed")
        assert reference.startswith("ref-")
        assert again or key not in self.given
        assert self.given.setdefault(key, amount) == amount
        self._may_not_answer()

    def _may_not_answer(self) -> None:
        if self.kills:
            raise Killed
        if self.is_silent:
            raise ProviderError

    def permission_url(self, *, subscription: str, email: str, done: str, back: str) -> str:
        return "https://bank.example/"

    def read_notice(self, body: bytes, headers: Mapping[str, str]) -> Notice | None:
        return None


@contextmanager
def open_bank() -> Iterator[Bank]:
    """It is a provider meanwhile, and knows of no money from before."""
    found = Bank()
    found.taken.clear()
    found.given.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(providers, "PROVIDERS", {**providers.PROVIDERS, "bank": lambda: found})
        yield found
    found.taken.clear()
    found.given.clear()


def paid_by_card(club: Program, code: str = "plus", number: str = "c1") -> Subscription:
    """Somebody's plan, whose card may be charged from now on and was for the first period."""
    found = join(member(club, number), code, provider="bank")
    return permit_collecting(subscription=found, customer="c", method="card", now=NOW)
