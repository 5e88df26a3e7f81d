"""Words of what somebody searched for, as they are kept and asked for."""

from __future__ import annotations

import re

from members.folding import fold

MOST_WORDS = 8
LONGEST_WORD = 64
_WORD = re.compile(r"\w+")


def words_of(searched: str) -> list[str]:
    """Each once, folded, in their order; those behind the eighth are left out."""
    found = dict.fromkeys(_WORD.findall(fold(searched)))
    return [word[:LONGEST_WORD] for word in found][:MOST_WORDS]
