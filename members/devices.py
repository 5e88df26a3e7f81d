"""Browsers as people call them: what is kept of one, and how it is said."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

_BROWSERS = (
    ("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("Windows", "Windows"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"),
    ("CrOS", "ChromeOS"), ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip
# Kept with it, in whatever language somebody signed in: whether a device is new goes by the name.
_ON = " on "
_UNKNOWN = "Unknown"


def device_of(user_agent: str) -> str:
    """As it is kept: "Firefox on Windows". Versions change too often to tell one device from
    another."""
    browser = next((name for mark, name in _BROWSERS if f"{mark}/" in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if browser and system:
        return f"{browser}{_ON}{system}"
    first = re.split(r"[\s/;(]", user_agent.strip(), maxsplit=1)[0]
    return (browser or system or first or _UNKNOWN)[:100]


def device_words(kept: str) -> str:
    """The same in the reader's language."""
    browser, on, system = kept.partition(_ON)
    if on:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return _("Unknown device") if kept == _UNKNOWN else kept
