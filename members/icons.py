"""Outline icons, read once from the icon package and put into the page as SVG."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

_SHAPES = re.compile(r"<svg[^>]*>(?P<shapes>.*)</svg>", re.DOTALL)
_NAME = re.compile(r"[a-z0-9-]+")


@cache
def icon_shapes(name: str) -> SafeString:
    """Return the shapes inside an icon's SVG; an unknown name is a programming error."""
    if not _NAME.fullmatch(name):
        raise LookupError(f"{name!r} is not the name of an icon.")
    folder = Path(settings.NODE_MODULES) / "@tabler" / "icons" / "icons" / "outline"
    path = folder / f"{name}.svg"
    if not path.is_file():
        raise LookupError(f"The icon package has no icon {name!r}.")
    found = _SHAPES.search(path.read_text(encoding="utf-8"))
    if found is None:
        raise LookupError(f"The file of icon {name!r} holds no SVG.")
    # The file comes from the locked icon package, not from anyone's input.
    return mark_safe(" ".join(found["shapes"].split()))


def icon_svg(name: str, *, size: int = 20, label: str = "", css: str = "") -> SafeString:
    """Return an icon as SVG that takes the color of the text around it."""
    # What is said of somebody is not kept.
    return _draw(name, size, label, css) if label else _drawn(name, size, "", css)


def _draw(name: str, size: int, label: str, css: str) -> SafeString:
    access = format_html('role="img" aria-label="{}"', label) if label else 'aria-hidden="true"'
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" class="icon{}" width="{}" height="{}" '
        'viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
        'stroke-linecap="round" stroke-linejoin="round" focusable="false" {}>{}</svg>',
        f" {css}" if css else "",
        size,
        size,
        mark_safe(access),
        icon_shapes(name),
    )


# A page has dozens of them, and nearly always the same.
_drawn = lru_cache(maxsize=2000)(_draw)
