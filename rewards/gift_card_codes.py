"""The codes of gift cards: worked out from a seed with the installation's key, looked up by a keyed
hash. So the database alone, or a backup of it, tells nobody's code."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator

from django.conf import settings
from django.utils.crypto import salted_hmac

from rewards.codes import code_from, plain

SEED_BYTES = 16
LAST = 4


def new_seed() -> bytes:
    return secrets.token_bytes(SEED_BYTES)


def code_of_seed(seed: bytes, code_hash: bytes | None = None) -> str:
    """The code as people read it. `code_hash`: of which it must be, where the installation's key
    has changed since; empty if no key gives it."""
    for key in _keys():
        written = _code(seed, key)
        if code_hash is None or hmac.compare_digest(_hash(plain(written), key), code_hash):
            return written
    return ""


def hash_of(written: str) -> bytes:
    """What is kept of a new code."""
    return _hash(plain(written), settings.SECRET_KEY)


def hashes_of(written: str) -> list[bytes]:
    """What may have been kept of a code, with this key and those before it."""
    return [_hash(plain(written), key) for key in _keys()]


def last_four(written: str) -> str:
    return plain(written)[-LAST:]


def _keys() -> Iterator[str]:
    yield settings.SECRET_KEY
    yield from settings.SECRET_KEY_FALLBACKS


def _code(seed: bytes, key: str) -> str:
    found = salted_hmac("setia.gift_cards.code", seed, secret=key, algorithm="sha256")
    return code_from(int.from_bytes(found.digest()))


def _hash(code: str, key: str) -> bytes:
    return salted_hmac("setia.gift_cards.hash", code, secret=key, algorithm="sha256").digest()
