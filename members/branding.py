"""The merchant's accent color as a small stylesheet: the page's policy allows no inline styles.

Any color can be chosen, so what is written on it and beside it is computed to stay readable.
"""

from __future__ import annotations

import colorsys
import hashlib
import re
from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from members.models import Merchant
from members.picture_files import YEAR, serve_picture
from members.selectors.merchants import get_merchant

RGB = tuple[float, float, float]

WHITE: RGB = (1.0, 1.0, 1.0)
INK: RGB = (0.0, 0.0, 0.0)
# The lightest surface of the dark theme, and the darkest of the light one, that bears accent text:
DARK_SURFACE: RGB = (0.24, 0.24, 0.24)
LIGHT_SURFACE: RGB = (0.89, 0.89, 0.89)
READABLE = 4.6
STEPS = 100

HEX_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


def parse_hex(text: str) -> RGB:
    """Read "#rrggbb"; the model only holds such values."""
    red, green, blue = (int(text[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue


def to_hex(color: RGB) -> str:
    """Write a color as "#rrggbb"."""
    return "#" + "".join(f"{round(part * 255):02x}" for part in color)


def luminance(color: RGB) -> float:
    """Relative luminance as WCAG 2 defines it."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: RGB, other: RGB) -> float:
    """Contrast ratio of two colors, 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def foreground_on(color: RGB) -> RGB:
    """White or ink, whichever is easier to read on a color."""
    return WHITE if contrast(color, WHITE) >= contrast(color, INK) else INK


def readable_on(color: RGB, surface: RGB) -> RGB:
    """The same hue, as little darker or lighter as makes it readable on a surface."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*color)
    goal = 0.0 if luminance(surface) > 0.4 else 1.0
    for step in range(STEPS + 1):
        moved = lightness + (goal - lightness) * step / STEPS
        candidate = colorsys.hls_to_rgb(hue, moved, saturation)
        if contrast(candidate, surface) >= READABLE:
            return candidate
    return WHITE if goal else INK


def hovered(color: RGB) -> RGB:
    """A step away from the foreground, so that hovering never costs contrast."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*color)
    step = -0.06 if foreground_on(color) == WHITE else 0.06
    return colorsys.hls_to_rgb(hue, min(1.0, max(0.0, lightness + step)), saturation)


EVERYWHERE = ":root, [data-bs-theme]"
IN_PREVIEW = ".merchant-preview"


def accent_css(accent: str, scope: str = EVERYWHERE) -> str:
    """The custom properties that carry the accent color into every component, in both themes."""
    color = parse_hex(accent)
    on_light = to_hex(readable_on(color, LIGHT_SURFACE))
    on_dark = to_hex(readable_on(color, DARK_SURFACE))
    text = f"light-dark({on_light}, {on_dark})"
    foreground = f"light-dark({to_hex(foreground_on(parse_hex(on_light)))}, #000000)"
    properties = {
        "--setia-accent": accent,
        "--setia-accent-hover": to_hex(hovered(color)),
        "--setia-accent-fg": to_hex(foreground_on(color)),
        "--tblr-primary": text,
        "--tblr-primary-fg": foreground,
        "--tblr-link-color": text,
    }
    lines = "".join(f"  {name}: {value};\n" for name, value in properties.items())
    return f"{scope} {{\n{lines}}}\n"


@lru_cache(maxsize=16)
def accent_version(accent: str) -> str:
    """A short mark of the stylesheet's content, so that it can be kept for a year."""
    return hashlib.sha256(accent_css(accent).encode()).hexdigest()[:12]


def icon_version(merchant: Merchant) -> str:
    """Another look of the icon on the home screen has another address."""
    logo = (merchant.logo.name or "").rpartition("/")[2]
    return f"{merchant.accent_color[1:]}-{ord(merchant.name[:1] or ' ')}-{logo}"


def icon_url(merchant: Merchant, size: int) -> str:
    return f"{reverse('members:app_icon', args=[size])}?v={icon_version(merchant)}"


@require_safe
def merchant_stylesheet(request: HttpRequest) -> HttpResponse:
    """Serve the merchant's colors; a versioned address may be kept for good.

    `?preview=` shows another color inside the preview of the settings only.
    """
    tried = request.GET.get("preview", "")
    if HEX_COLOR.fullmatch(tried):
        return HttpResponse(accent_css(tried, IN_PREVIEW), content_type="text/css; charset=utf-8")
    accent = get_merchant().accent_color
    response = HttpResponse(accent_css(accent), content_type="text/css; charset=utf-8")
    known = request.GET.get("v") == accent_version(accent)
    response["Cache-Control"] = f"public, max-age={YEAR}, immutable" if known else "no-cache"
    return response


@require_safe
def merchant_logo(request: HttpRequest, name: str) -> HttpResponseBase:
    """Serve the logo; its name is made from its content, so it may be kept for good."""
    logo = get_merchant().logo
    return serve_picture(logo if logo.name == f"merchant/{name}" else None)
