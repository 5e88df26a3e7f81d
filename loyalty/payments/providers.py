"""The payment providers there are, and the one that new plans are paid through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from django.conf import settings

from loyalty.payments.base import PaymentProvider
from loyalty.payments.by_hand import ByHand


@cache
def _stripe() -> PaymentProvider:
    # What it brings along takes a twentieth of the time in which a process starts.
    from loyalty.payments.stripe import Stripe

    return Stripe()


PROVIDERS: Mapping[str, Callable[[], PaymentProvider]] = {
    ByHand.code: ByHand,
    "stripe": _stripe,
}


def provider_named(code: str) -> PaymentProvider:
    return PROVIDERS[code]()


def usual_provider() -> PaymentProvider:
    """As PAYMENT_PROVIDER says."""
    return provider_named(settings.PAYMENT_PROVIDER)
