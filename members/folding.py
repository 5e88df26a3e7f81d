"""Letters without their accents, so that "Muller" finds Müller and "Jose" finds José.

The database folds with the same table (`translate`), which is why it is written out: a table made
by the running Python could differ from the one in the column.
"""

from __future__ import annotations

FOLDED = {
    "a": "àáâãäåāăąạảấầẩẫậắằẳẵặ",
    "c": "çćĉċč",
    "d": "ďđ",
    "e": "èéêëēĕėęěẹẻẽếềểễệ",
    "g": "ĝğġģ",
    "h": "ĥħ",
    "i": "ìíîïĩīĭįıỉị",
    "j": "ĵ",
    "k": "ķ",
    "l": "ĺļľł",
    "n": "ñńņň",
    "o": "òóôõöøōŏőơọỏốồổỗộớờởỡợ",
    "r": "ŕŗř",
    "s": "śŝşšș",
    "t": "ţťŧț",
    "u": "ùúûüũūŭůűųưụủứừửữự",
    "w": "ŵ",
    "y": "ýÿŷỳỵỷỹ",
    "z": "źżž",
    "α": "ά",
    "ε": "έ",
    "η": "ή",
    "ι": "ίϊΐ",
    "ο": "ό",
    "σ": "ς",
    "υ": "ύϋΰ",
    "ω": "ώ",
}
ACCENTED = "".join(FOLDED.values())
PLAIN = "".join(letter * len(accented) for letter, accented in FOLDED.items())

_TABLE = str.maketrans(ACCENTED, PLAIN)


def fold(text: str) -> str:
    """Lower case without accents, as `Customer.search_text` is kept."""
    return text.lower().translate(_TABLE)
