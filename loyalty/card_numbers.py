"""The member card: a number that a person can read out and a code that a till can scan."""

from __future__ import annotations

import segno
from django.utils.safestring import SafeString

GROUP = 4


def grouped(number: str) -> str:
    """ "9123 4567 8901 2345": narrow enough to read out, the way bank cards do it."""
    return " ".join(number[start : start + GROUP] for start in range(0, len(number), GROUP))


def qr_code(number: str) -> SafeString:
    """The number as a QR code: an inline picture without styles, which the page's policy forbids.

    The white margin of four modules that scanners need comes with it.
    """
    code = segno.make_qr(number, error="m")
    svg = code.svg_inline(
        border=4, omitsize=True, svgclass="qr-picture", lineclass=None, light="#fff"
    )
    return SafeString(svg)
