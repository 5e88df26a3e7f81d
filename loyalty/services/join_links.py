"""The secret part of a link in a mail: in the mail alone, here only its hash."""

from __future__ import annotations

import hashlib
import secrets


def new_token() -> str:
    return secrets.token_urlsafe(24)


def hash_of(token: str) -> bytes:
    """A random token needs no salt: there is nothing to guess it from."""
    return hashlib.sha256(token.encode()).digest()
