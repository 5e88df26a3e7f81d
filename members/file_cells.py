"""What is written into the cells of files that people open with a spreadsheet."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from django.core.serializers.json import DjangoJSONEncoder

# What opens a formula in a spreadsheet; a cell of somebody's file must not run in another's.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def harmless(text: str) -> str:
    """A number stays a number; anything else that a spreadsheet would calculate becomes text."""
    plain = text.removeprefix("-").replace(".", "", 1).isdigit()
    return f"'{text}" if text.startswith(FORMULA) and not plain else text


def written(text: str) -> str:
    """What a cell that was made harmless said before."""
    return text[1:] if text[:1] == "'" and text[1:].startswith(FORMULA) else text


def cell(value: object) -> object:
    """A value as a cell holds it: never a formula, and structure as JSON."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, cls=DjangoJSONEncoder)
    return harmless(value) if isinstance(value, str) else value
