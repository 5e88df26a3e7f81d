"""The form of tiers, as it is sent."""

from __future__ import annotations

import re
from html import unescape

from django.test import Client

from tests.loyalty.backoffice.conftest import url

LADDER = [
    {"code": "base", "name": "Member"},
    {"code": "silver", "name": "Silver", "threshold": 500, "color": "azure", "icon": "star",
     "benefits": [
         {"kind": "multiplier", "factor": "1.25"}, {"kind": "free_shipping", "above": 20},
         {"kind": "gift", "text": "A mug"}, {"kind": "gift", "text": "A cap"},
         {"kind": "concierge"}, {"kind": "custom", "name": "Barista course", "text": "In spring"},
     ]},
]  # fmt: skip


def form(client: Client, code: str = "club") -> dict[str, str]:
    return values_of(client.get(url("tier_set_edit", code)).content.decode())


def values_of(page: str) -> dict[str, str]:
    """What a browser would send of the form."""
    found: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]*>", page):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name is None or name[1] == "csrfmiddlewaretoken":
            continue
        if 'type="checkbox"' in tag and " checked" not in tag:
            continue
        usual = "on" if 'type="checkbox"' in tag else ""
        found[name[1]] = unescape(value[1]) if value else usual
    for name, inner in re.findall(
        r'<textarea [^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', page, re.DOTALL
    ):
        found[name] = unescape(inner.removeprefix("\n").removeprefix("\r\n"))
    for name, inner in re.findall(
        r'<select [^>]*name="([^"]*)"[^>]*>(.*?)</select>', page, re.DOTALL
    ):
        chosen = re.search(r'value="([^"]*)" selected', inner)
        found[name] = chosen[1] if chosen else ""
    return found
