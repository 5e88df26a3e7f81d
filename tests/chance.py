"""What is drawn at random, so that no test fails by it.

A page holds keys and the tokens of its forms. Drawn from all letters and digits, they hold "4711"
or "Edit" once in some thousand runs, and a test that such words are not there fails. So while
tests run, the signs of keys are those beside their digits, and tokens are of letters that hardly
meet in a word. They are as unlike each other as ever. And what is won as good as certainly is won.
"""

import os
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.middleware import csrf

from campaigns import fair_draws

# Of hexadecimal digits those that are no numbers, and letters that make no words.
HEX, SIGNS = b"abcdef", "JQXZjqxz"
# What each random byte is written as.
WRITTEN = bytes(HEX[byte % len(HEX)] for byte in range(256))
# The sign of a key that says how it was made as well: of these two it keeps what was drawn.
VARIANT, KEPT = 16, b"ab"
MILLION = fair_draws.MOST_WEIGHT


def install() -> None:
    """Before the first test of a process."""
    uuid.os = Drawing()  # type: ignore[attr-defined]
    csrf.CSRF_ALLOWED_CHARS = SIGNS
    fair_draws.number_of = certain(fair_draws.number_of)


def certain(number_of: Callable[[str, int], int | None]) -> Callable[[str, int], int | None]:
    """Passes over the last number of a million, as numbers of an incomplete round are: a prize that
    has all the others, which is what a game can promise at most, is never missed."""

    @wraps(number_of)
    def number(proof: str, total: int) -> int | None:
        found = number_of(proof, total)
        return None if (found, total) == (MILLION - 1, MILLION) else found

    return number


class Drawing:
    """The module `os` as `uuid` sees it, whose random bytes are written without a digit."""

    def urandom(self, count: int) -> bytes:
        drawn = bytearray(os.urandom(2 * count).translate(WRITTEN))
        if count * 2 > VARIANT and drawn[VARIANT] not in KEPT:
            drawn[VARIANT] = KEPT[drawn[VARIANT] % len(KEPT)]
        return bytes.fromhex(drawn.decode())

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)
