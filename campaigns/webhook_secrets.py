"""Secrets of webhooks, worked out from a seed with the installation's key, and what they sign, as
the Standard Webhooks specification says (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping

from django.conf import settings
from django.utils.crypto import salted_hmac

SEED_BYTES = 32
PREFIX = "whsec_"
# Seconds that two clocks may be apart; digits of a time.
MOST_APART = 300
LONGEST_TIME = 12


def new_seed() -> bytes:
    return secrets.token_bytes(SEED_BYTES)


def fingerprint_of(seed: bytes) -> bytes:
    """What is kept of a new secret."""
    return hashlib.sha256(_secret(seed, settings.SECRET_KEY)).digest()


def secret_of(seed: bytes, fingerprint: bytes) -> bytes | None:
    """The secret; None if neither the installation's key nor those before it give it."""
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        found = _secret(seed, key)
        if hmac.compare_digest(hashlib.sha256(found).digest(), fingerprint):
            return found
    return None


def written(secret: bytes) -> str:
    """As people copy it, and libraries take it."""
    return PREFIX + base64.b64encode(secret).decode()


def read(secret: str) -> bytes:
    """What signs, from how people copy it; nothing for none."""
    return base64.b64decode(secret.removeprefix(PREFIX))


def signed_headers(
    *, message_id: str, body: bytes, at: dt.datetime, keys: Iterable[bytes]
) -> dict[str, str]:
    """The three headers; one signature for each secret, so that either verifies."""
    timestamp = str(int(at.timestamp()))
    content = b".".join((message_id.encode(), timestamp.encode(), body))
    signatures = (hmac.digest(key, content, "sha256") for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(
            f"v1,{base64.b64encode(signature).decode()}" for signature in signatures
        ),
    }


def is_signed(*, headers: Mapping[str, str], body: bytes, at: dt.datetime, key: bytes) -> bool:
    """Whether who knows this secret has signed it, within five minutes."""
    named, told = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not named or not told.isascii() or not told.isdecimal() or len(told) > LONGEST_TIME:
        return False
    if abs(int(told) - at.timestamp()) > MOST_APART:
        return False
    content = b".".join((named.encode(), told.encode(), body))
    right = base64.b64encode(hmac.digest(key, content, "sha256"))
    given = (found.partition(",") for found in headers.get("webhook-signature", "").split())
    return any(
        version == "v1" and hmac.compare_digest(right, signature.encode())
        for version, _comma, signature in given
    )


def _secret(seed: bytes, key: str) -> bytes:
    return salted_hmac("setia.webhooks.secret", seed, secret=key, algorithm="sha256").digest()
