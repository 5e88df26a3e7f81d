"""How long a text is where every character costs: what networks make of it (3GPP TS 23.038)."""

from __future__ import annotations

from dataclasses import dataclass

# One character each; those after them take two.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_DOUBLE = frozenset("^{}\\[~]|€\f")
# As many fit into one alone, and into each of several.
_ALONE, _EACH = 160, 153
_WIDE_ALONE, _WIDE_EACH = 70, 67


@dataclass(frozen=True, slots=True)
class Length:
    """`segments`: how many are paid for. `wide`: characters of which each makes all of them take
    twice the room; empty: there are none."""

    characters: int
    segments: int
    wide: str = ""


def length_of(text: str) -> Length:
    wide = "".join(dict.fromkeys(one for one in text if one not in _BASIC and one not in _DOUBLE))
    if wide:
        sizes = [1 + (ord(one) > 0xFFFF) for one in text]
        return Length(sum(sizes), _pieces(sizes, _WIDE_ALONE, _WIDE_EACH), wide)
    sizes = [1 + (one in _DOUBLE) for one in text]
    return Length(sum(sizes), _pieces(sizes, _ALONE, _EACH))


def _pieces(sizes: list[int], alone: int, each: int) -> int:
    """No character is torn between two."""
    if sum(sizes) <= alone:
        return 1
    pieces, room = 1, each
    for size in sizes:
        if size > room:
            pieces, room = pieces + 1, each
        room -= size
    return pieces
