"""Bar codes of the symbology Code 128 (ISO/IEC 15417), as pictures that any till scans.

A symbol is a start sign, a sign for each character (for two digits in set C), a check sign and a
stop. Each sign but the stop is three bars and three gaps, eleven modules wide together.
"""

from __future__ import annotations

from itertools import accumulate

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

# The widths of bars and gaps of each sign, in their order.
_WRITTEN = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212"
    " 112232 122132 122231 113222 123122 123221 223211 221132 221231 213212 223112 312131"
    " 311222 321122 321221 312212 322112 322211 212123 212321 232121 111323 131123 131321"
    " 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121"
    " 313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111"
    " 314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114"
    " 122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212"
    " 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113"
    " 114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112"
)
PATTERNS = tuple(_WRITTEN.split())
TO_C, TO_B, START_B, START_C, STOP = 99, 100, 104, 105, 106
QUIET = 10
HEIGHT = 60


def signs(text: str) -> list[int]:
    """The signs of a text of printable ASCII, with check and stop: digits in pairs where four and
    more stand together. Raises ValueError for other text."""
    if not text or not all(" " <= sign <= "~" for sign in text):
        raise ValueError(text)
    found: list[int] = []
    pairs, at = False, 0
    while at < len(text):
        count = _digits(text, at) // 2 * 2
        wanted = count >= 4
        if not found:
            found.append(START_C if wanted else START_B)
        elif wanted != pairs:
            found.append(TO_C if wanted else TO_B)
        pairs, step = wanted, count if wanted else 1
        part = text[at : at + step]
        found += [int(part[k : k + 2]) for k in range(0, step, 2)] if pairs else [ord(part) - 32]
        at += step
    check = (found[0] + sum(place * sign for place, sign in enumerate(found[1:], 1))) % 103
    return [*found, check, STOP]


def barcode(text: str, label: str) -> SafeString:
    """The text as an inline picture without styles, with the white margin that scanners need."""
    widths = [int(width) for sign in signs(text) for width in PATTERNS[sign]]
    starts = [QUIET, *accumulate(widths, initial=QUIET)][1:]
    bars = [(starts[place], widths[place]) for place in range(0, len(widths), 2)]
    whole = sum(widths) + 2 * QUIET
    shapes = format_html_join(
        "", '<rect x="{}" y="0" width="{}" height="{}"/>', ((x, w, HEIGHT) for x, w in bars)
    )
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" class="barcode-picture" viewBox="0 0 {} {}"'
        ' preserveAspectRatio="none" shape-rendering="crispEdges" role="img" aria-label="{}">'
        '<rect width="{}" height="{}" fill="#fff"/><g fill="#000">{}</g></svg>',
        whole, HEIGHT, label, whole, HEIGHT, shapes,
    )  # fmt: skip


def _digits(text: str, at: int) -> int:
    """How many digits stand there in a row."""
    end = at
    while end < len(text) and text[end].isdigit():
        end += 1
    return end - at
