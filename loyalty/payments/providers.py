"""The payment providers there are, and the one that new plans are paid through."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings

from loyalty.payments.base import PaymentProvider
from loyalty.payments.by_hand import ByHand
from loyalty.payments.stripe import Stripe

_ALL: tuple[PaymentProvider, ...] = (ByHand(), Stripe())
PROVIDERS: Mapping[str, PaymentProvider] = {provider.code: provider for provider in _ALL}


def provider_named(code: str) -> PaymentProvider:
    return PROVIDERS[code]


def usual_provider() -> PaymentProvider:
    """As PAYMENT_PROVIDER says."""
    return PROVIDERS[settings.PAYMENT_PROVIDER]
