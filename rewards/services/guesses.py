"""How many wrong codes may come from one place: whoever tries them out is stopped.

Counted where all processes see it, for each key or customer, and apart from that for each shopper
that a shop names. Codes that are right are never counted, so a busy shop is not stopped by them.
"""

from __future__ import annotations

import hashlib

from django.core.cache import cache
from django.utils.translation import gettext as _

from rewards.errors import TooManyGuessesError

WINDOW = 10 * 60
# Wrong codes within the window, by a person and by a shop as a whole.
MOST_OF_A_PERSON = 10
MOST_OF_A_SHOP = 200


def refuse_guessing(*places: tuple[str, int]) -> None:
    """Raise TooManyGuessesError where so many wrong codes came from one of these places."""
    for name, most in places:
        if int(cache.get(_key(name)) or 0) >= most:
            raise TooManyGuessesError(_("Too many wrong codes. Try again in ten minutes."))


def count_wrong_code(*places: tuple[str, int]) -> None:
    for name, _most in places:
        key = _key(name)
        if not cache.add(key, 1, WINDOW):
            try:
                cache.incr(key)
            except ValueError:
                # The window ended in this moment.
                cache.set(key, 1, WINDOW)


def _key(name: str) -> str:
    return f"wrong-codes:{hashlib.sha256(name.encode()).hexdigest()}"
