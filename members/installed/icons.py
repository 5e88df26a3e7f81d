"""The merchant as a square picture: the logo on white, or the first letter of the name on the
accent color."""

from __future__ import annotations

import io
from functools import lru_cache

from django.utils.translation import get_language
from PIL import Image, ImageDraw, ImageFont

from members.branding import foreground_on, parse_hex, to_hex
from members.images import UNDRAWABLE
from members.models import Merchant
from members.pdf_fonts import fonts_for
from members.selectors.merchants import get_merchant

# The part of the side that every shape keeps.
SAFE = 0.6


def draw_icon(merchant: Merchant, size: int) -> bytes:
    """As a PNG."""
    letter = merchant.name[:1].upper()
    return _drawn(size, letter, merchant.accent_color, merchant.logo.name or "")


@lru_cache(maxsize=16)
def _drawn(size: int, letter: str, accent: str, logo: str) -> bytes:
    shown = _logo(logo) if logo else None
    picture = Image.new("RGB", (size, size), accent if shown is None else "#ffffff")
    if shown is None:
        _put_letter(picture, letter, to_hex(foreground_on(parse_hex(accent))))
    else:
        _put_logo(picture, shown)
    content = io.BytesIO()
    picture.save(content, "PNG", optimize=True)
    return content.getvalue()


def _logo(name: str) -> Image.Image | None:
    """None: the file is damaged, or lost."""
    try:
        with get_merchant().logo.storage.open(name, "rb") as file, Image.open(file) as opened:
            return opened.convert("RGBA")
    except UNDRAWABLE:
        return None


def _put_logo(picture: Image.Image, shown: Image.Image) -> None:
    side = round(picture.width * SAFE)
    shown.thumbnail((side, side))
    place = ((picture.width - shown.width) // 2, (picture.height - shown.height) // 2)
    picture.paste(shown, place, shown)


def _put_letter(picture: Image.Image, letter: str, color: str) -> None:
    *_latin, file = fonts_for([letter], get_language() or "en")
    font = ImageFont.truetype(str(file.path), round(picture.width * 0.5))
    middle = (picture.width / 2, picture.height / 2)
    ImageDraw.Draw(picture).text(middle, letter, fill=color, font=font, anchor="mm")
