"""Stripe, through its own client: cards are kept there, and charged without their holder being
present.

What is secret comes from the environment and goes nowhere else. Payers type their card on Stripe's
own page, so no number of one ever comes here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import stripe
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from loyalty.payments.base import (
    BadSignatureError,
    Collected,
    Notice,
    PaymentProvider,
    ProviderError,
    RefusedError,
    Wanted,
)

# Currencies whose smallest coin is not a hundredth, as Stripe counts them.
WITHOUT_CENTS = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
     "XOF", "XPF")
)  # fmt: skip
THOUSANDTHS = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))
SECONDS = 10
# What a refund has come to whose money never left, or came back.
_NOT_GIVEN = ("failed", "canceled")


class Stripe(PaymentProvider):
    code = "stripe"
    label = _("Card")
    collects = True

    def collect(self, wanted: Wanted) -> Collected:
        try:
            intent = _client().v1.payment_intents.create(
                {
                    "amount": minor_units(wanted.amount, wanted.currency),
                    "currency": wanted.currency.lower(),
                    "customer": wanted.customer,
                    "payment_method": wanted.method,
                    "confirm": True,
                    "off_session": True,
                    "metadata": {"charge": wanted.charge},
                },
                {"idempotency_key": wanted.key},
            )
        except stripe.CardError as error:
            return Collected("failed", _reference_of(error), _code_of(error))
        except stripe.IdempotencyError as error:
            raise ProviderError("the key was used for something else") from error
        except stripe.InvalidRequestError as error:
            # A card or payer that is not there any more: asking again helps nothing.
            return Collected("failed", "", error.code or "invalid_request")
        except stripe.StripeError as error:
            raise ProviderError(type(error).__name__) from error
        return _collected(intent)

    def look_up(self, reference: str) -> Collected:
        try:
            return _collected(_client().v1.payment_intents.retrieve(reference))
        except stripe.StripeError as error:
            raise ProviderError(type(error).__name__) from error

    def give_back(
        self, *, reference: str, amount: Decimal, currency: str, key: str, again: bool
    ) -> None:
        """What was paid by hand is given back by hand. Stripe forgets keys after a day, so whoever
        asks again looks first whether it was given."""
        if not reference:
            return
        try:
            if again and _was_given_back(reference, key):
                return
            found = _client().v1.refunds.create(
                {
                    "payment_intent": reference,
                    "amount": minor_units(amount, currency),
                    "metadata": {"refund": key},
                },
                {"idempotency_key": key},
            )
        except (stripe.CardError, stripe.InvalidRequestError) as error:
            raise RefusedError(error.code or "invalid_request") from error
        except stripe.StripeError as error:
            raise ProviderError(type(error).__name__) from error
        if found.status in _NOT_GIVEN:
            raise RefusedError(_read(found, "failure_reason") or str(found.status))

    def permission_url(self, *, subscription: str, email: str, done: str, back: str) -> str:
        """A page at Stripe that takes a card for later."""
        said: Any = {
            "mode": "setup",
            "payment_method_types": ["card"],
            "customer_creation": "always",
            "client_reference_id": subscription,
            "setup_intent_data": {"metadata": {"subscription": subscription}},
            "success_url": done,
            "cancel_url": back,
        }
        if email:
            said["customer_email"] = email
        try:
            session = _client().v1.checkout.sessions.create(said)
        except stripe.StripeError as error:
            raise ProviderError(type(error).__name__) from error
        if not session.url:
            raise ProviderError("no address")
        return session.url

    def read_notice(self, body: bytes, headers: Mapping[str, str]) -> Notice | None:
        secret, signature = settings.STRIPE_WEBHOOK_SECRET, headers.get("Stripe-Signature", "")
        if not secret:
            raise BadSignatureError("no secret is set")
        try:
            event = stripe.Webhook.construct_event(body, signature, secret)
        except (ValueError, stripe.SignatureVerificationError) as error:
            raise BadSignatureError("not signed by Stripe") from error
        return _notice(event)


def minor_units(amount: Decimal, currency: str) -> int:
    """9.90 EUR is 990, 1000 JPY is 1000."""
    digits = 0 if currency in WITHOUT_CENTS else 3 if currency in THOUSANDTHS else 2
    return int(amount.scaleb(digits))


@cache
def _client_for(key: str, base: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        base_addresses={"api": base},
        # Whoever asked asks again later, under the same key.
        max_network_retries=0,
        http_client=stripe.RequestsClient(timeout=SECONDS),
    )


def _client() -> stripe.StripeClient:
    return _client_for(settings.STRIPE_API_KEY, settings.STRIPE_API_BASE)


def _was_given_back(reference: str, key: str) -> bool:
    known = _client().v1.refunds.list({"payment_intent": reference, "limit": 100})
    return any(
        _read(found.metadata, "refund") == key and found.status not in _NOT_GIVEN
        for found in known.auto_paging_iter()
    )


def _collected(intent: Any) -> Collected:
    match intent.status:
        case "succeeded":
            return Collected("paid", intent.id)
        case "processing":
            return Collected("open", intent.id)
    # Nobody is there to confirm anything: what asks for it has failed.
    error = getattr(intent, "last_payment_error", None)
    code = _read(error, "decline_code") or _read(error, "code") or intent.status
    return Collected("failed", intent.id, code)


def _read(found: Any, name: str) -> str:
    if not found:
        return ""
    value = found.get(name) if isinstance(found, Mapping) else getattr(found, name, None)
    return str(value or "")


def _code_of(error: stripe.CardError) -> str:
    return _read(error.error, "decline_code") or error.code or "card_error"


def _reference_of(error: stripe.CardError) -> str:
    return _read(getattr(error.error, "payment_intent", None), "id")


def _notice(event: Any) -> Notice | None:
    found = event.data.object
    about = getattr(found, "metadata", None)
    said: dict[str, Any] = {
        "event_id": event.id,
        "kind": event.type,
        "happened_at": dt.datetime.fromtimestamp(event.created, dt.UTC),
    }
    match event.type:
        case "payment_intent.succeeded" | "payment_intent.payment_failed":
            charge = _read(about, "charge")
            return Notice(**said, charge=charge, collected=_collected(found)) if charge else None
        case "refund.failed" | "refund.updated" | "charge.refund.updated":
            if found.status in _NOT_GIVEN and _read(about, "refund"):
                return Notice(
                    **said, refund=_read(about, "refund"), refund_of=_read(found, "payment_intent"),
                    failure=_read(found, "failure_reason") or str(found.status),
                )  # fmt: skip
        case "setup_intent.succeeded":
            subscription = _read(about, "subscription")
            if subscription and found.customer and found.payment_method:
                return Notice(
                    **said, subscription=subscription, customer=str(found.customer),
                    method=str(found.payment_method),
                )  # fmt: skip
    return None
