"""By which clock a person lives, as far as it is known."""

from __future__ import annotations

import zoneinfo
from functools import cache

from babel.core import get_global

from members.choices import known_zones


@cache
def zone_of_country(country: str) -> str:
    """The time zone of a country that has one alone; empty: it has several, or is not known."""
    found: list[str] = get_global("territory_zones").get(country.upper(), [])
    usable = [name for name in found if name in known_zones()]
    return usable[0] if len(usable) == 1 else ""


def choose_zone(*, said: str, country: str, otherwise: str) -> zoneinfo.ZoneInfo:
    """What they said, else that of their country, else that of the program or the merchant."""
    for name in (said, zone_of_country(country) if country else "", otherwise):
        if name in known_zones():
            return zoneinfo.ZoneInfo(name)
    return zoneinfo.ZoneInfo("UTC")
