"""By what a phone shows that it has a pass: worked out from the serial number, kept nowhere."""

from __future__ import annotations

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac


def pass_token(serial: str) -> str:
    """What a pass that is made now says."""
    return _token(serial, settings.SECRET_KEY)


def is_token_of(token: str, serial: str) -> bool:
    """Also of a pass that was made before the key was replaced."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(constant_time_compare(token, _token(serial, key)) for key in keys)


def _token(serial: str, key: str) -> str:
    return salted_hmac(
        "setia.wallet_passes", serial.lower(), secret=key, algorithm="sha256"
    ).hexdigest()
