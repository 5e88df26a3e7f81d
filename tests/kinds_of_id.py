"""Addresses with something in the place of every parameter."""

from __future__ import annotations

import re

VALUES = {
    "uuid": "00000000-0000-4000-8000-000000000000",
    "int": "1",
    "slug": "points",
    "str": "x",
    "path": "x",
}


def filled(pattern: str) -> str:
    """me/memberships/<uuid:membership_id> → with an id that nothing has."""
    return re.sub(r"<(\w+):\w+>", lambda found: VALUES[found[1]], pattern)
