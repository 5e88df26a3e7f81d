"""The codes of vouchers: nobody can guess them, and a typing error is found at once.

Twelve signs of an alphabet of 31 without those that are taken for each other (0 O, 1 I L) are 59
bits by chance; the last sign is a check sign.
"""

from __future__ import annotations

import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
SIGNS = 12
GROUP = 4


def new_code(prefix: str = "") -> str:
    """As people read it: GIFT-7K3M-9QXF-2HWD-P. Capital letters and digits may come before it."""
    body = "".join(secrets.choice(ALPHABET) for _sign in range(SIGNS))
    groups = [body[at : at + GROUP] for at in range(0, SIGNS, GROUP)]
    return "-".join([*([prefix] if prefix else []), *groups, check_sign(body)])


def code_from(number: int) -> str:
    """The code that a number stands for: the same number is the same code."""
    body = ""
    for _sign in range(SIGNS):
        number, place = divmod(number, len(ALPHABET))
        body += ALPHABET[place]
    groups = [body[at : at + GROUP] for at in range(0, SIGNS, GROUP)]
    return "-".join([*groups, check_sign(body)])


def plain(written: str) -> str:
    """As it is compared: whatever a person put between its signs does not matter."""
    return "".join(sign for sign in written.upper() if sign.isascii() and sign.isalnum())


def masked(written: str) -> str:
    """For who may know that there is a code, and not use it: its last two signs, where these are
    few of it."""
    code = plain(written)
    return f"••••{code[-2:]}" if len(code) >= 2 * GROUP else "••••"


def check_sign(body: str) -> str:
    """The sign after a body: its signs, each times its place, as the check digit of ISBN-10. As the
    alphabet's size is a prime, it tells any wrong sign and any two that are swapped."""
    total = sum(place * ALPHABET.index(sign) for place, sign in enumerate(body, start=2))
    return ALPHABET[total % len(ALPHABET)]


def is_mistyped(code: str) -> bool:
    """Whether a plain code of ours cannot be right; of one that came from elsewhere nothing is
    known."""
    body, check = code[-SIGNS - 1 : -1], code[-1:]
    return len(body) == SIGNS and set(body) <= set(ALPHABET) and check_sign(body) != check
