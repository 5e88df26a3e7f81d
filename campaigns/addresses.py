"""Addresses as they are kept where only their likeness is needed."""

from __future__ import annotations

from django.utils.crypto import salted_hmac


def digest_of(address: str) -> bytes:
    """The same for the same address, and of no use to whoever has not the installation's key."""
    lowered = address.strip().casefold()
    return salted_hmac("setia.messages.address", lowered, algorithm="sha256").digest()
