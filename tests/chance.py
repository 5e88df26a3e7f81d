"""What is drawn at random, so that no test fails by it.

A page holds keys and the tokens of its forms. Drawn from all letters and digits, they hold "4711"
or "Edit" once in some thousand runs, and a test that such words are not there fails. So while
tests run, the signs of keys are those beside their digits, and tokens are of letters that hardly
meet in a word. They are as unlike each other as ever. And what is won as good as certainly is won.
"""

import os
import random
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.middleware import csrf

from campaigns import fair_draws

# Of hexadecimal digits those that are no numbers, and letters that make no words.
HEX, SIGNS = "abcdef", "JQXZjqxz"
DRAWN = random.SystemRandom()
# The sign of a key that says how it was made as well: of these two it keeps what was drawn.
VARIANT = 16
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
        drawn = DRAWN.choices(HEX, k=2 * count)
        if count * 2 > VARIANT:
            drawn[VARIANT] = DRAWN.choice("ab")
        return bytes.fromhex("".join(drawn))

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)
