"""Secrets of others that are needed again: what shops sign with, keys of their APIs.

What is kept of them is encrypted with the installation's key, so the database alone, or a backup of
it, tells nobody's. What was encrypted with a key that is gone can be read no more.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac


def hidden(secret: str) -> bytes:
    """The secret as it is kept; nothing for none."""
    return _box().encrypt(secret.encode()) if secret else b""


def revealed(kept: bytes | memoryview) -> str:
    """The secret itself; empty if there is none, or no key of the installation opens it."""
    if not kept:
        return ""
    try:
        return _box().decrypt(bytes(kept)).decode()
    except InvalidToken:
        return ""


def _box() -> MultiFernet:
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(_key(key)) for key in keys])


def _key(key: str) -> bytes:
    digest = salted_hmac("setia.kept_secrets", "", secret=key, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest)
