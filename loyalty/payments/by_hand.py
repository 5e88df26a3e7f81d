"""Invoices that people pay as they like: one is open until somebody has seen the money."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from loyalty.payments.base import (
    BadSignatureError,
    Collected,
    Notice,
    PaymentProvider,
    ProviderError,
    Wanted,
)


class ByHand(PaymentProvider):
    code = "by_hand"
    label = _("Invoice")
    collects = False

    def collect(self, wanted: Wanted) -> Collected:
        """Nobody is asked: the invoice says it all."""
        return Collected("open")

    def look_up(self, reference: str) -> Collected:
        return Collected("open", reference)

    def give_back(
        self, *, reference: str, amount: Decimal, currency: str, key: str, again: bool
    ) -> None:
        """Whoever refunds it transfers the money."""

    def permission_url(self, *, subscription: str, email: str, done: str, back: str) -> str:
        raise ProviderError("invoices need no permission")

    def read_notice(self, body: bytes, headers: Mapping[str, str]) -> Notice | None:
        raise BadSignatureError("invoices tell nothing by themselves")
