"""Which tiers conditions name, where they ask for one themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def tiers_in(found: Any) -> Iterator[str]:
    """Their codes, wherever in a condition they are."""
    if isinstance(found, dict):
        if found.get("field") == "membership.tier":
            value = found.get("value")
            yield from value if isinstance(value, list) else [value] if value else []
        found = list(found.values())
    if isinstance(found, list):
        for item in found:
            yield from tiers_in(item)
