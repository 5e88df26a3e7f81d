"""The data that comes with an activity, and the JSON schemas that say what it has to be like."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError

from members.errors import FieldError

LONGEST_SCHEMA = 20_000
LONGEST_DATA = 10_000
DEEPEST = 20
MOST_PROBLEMS = 20
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


def problem_of_schema(schema: Mapping[str, Any]) -> str:
    """Why something is no schema that data can be held against; empty: it is one. Nothing is ever
    fetched to read it, so it may refer to itself only."""
    if _depth(schema) > DEEPEST:
        return _("The schema is nested too deeply.")
    text = _as_json(schema)
    if text is None:
        return _("The schema holds something that JSON does not know.")
    if len(text) > LONGEST_SCHEMA:
        return _("The schema is too long.")
    for key, value in _pairs(schema):
        if key == "$id" or (key in _REFERENCES and not str(value).startswith("#")):
            return _("The schema refers to something outside of it: %s.") % str(value)
        if key in _REFERENCES and not _leads_somewhere(schema, str(value)):
            return _("The schema refers to something that is not in it: %s.") % str(value)
    try:
        Draft202012Validator.check_schema(dict(schema))
    except SchemaError as error:
        place = ".".join(map(str, error.path))
        return f"{place}: {error.message}" if place else f"{error.message}"
    return ""


def problems_of_data(data: Mapping[str, Any], schema: Mapping[str, Any]) -> list[FieldError]:
    """What is wrong with an activity's data, field by field."""
    if _depth(data) > DEEPEST:
        return [FieldError("data", _("It is nested too deeply."))]
    text = _as_json(data)
    if text is None:
        return [FieldError("data", _("It holds something that JSON does not know."))]
    if len(text) > LONGEST_DATA:
        return [FieldError("data", _("At most %s characters.") % LONGEST_DATA)]
    try:
        wrong = islice(Draft202012Validator(dict(schema)).iter_errors(data), MOST_PROBLEMS)
        found = [FieldError(_place(e), str(e.message)[:300], "schema") for e in wrong]
    except RecursionError:
        return [FieldError("data", _("The schema of this type has no end."), "schema")]
    return sorted(found, key=lambda problem: problem.field)


def _as_json(value: Any) -> str | None:
    """As text; None for what the database could not keep: no number, a character of no text."""
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return None
    return None if "\\u0000" in text else text


def _leads_somewhere(schema: Mapping[str, Any], reference: str) -> bool:
    """Whether a reference within a schema finds something: a path, or an anchor."""
    path = reference.removeprefix("#")
    if path and not path.startswith("/"):
        return any(key.endswith("nchor") and value == path for key, value in _pairs(schema))
    found: Any = schema
    for part in path.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping) and name in found:
            found = found[name]
        elif isinstance(found, list | tuple) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            return False
    return True


def _place(error: ValidationError) -> str:
    place = "data"
    for part in error.absolute_path:
        place += f"[{part}]" if isinstance(part, int) else f".{part}"
    return place


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key with its value, however deep."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key), inner
            yield from _pairs(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _pairs(inner)


def _depth(value: Any, so_far: int = 0) -> int:
    """How deep it is nested; counting ends where it is too deep."""
    if so_far > DEEPEST or not isinstance(value, Mapping | list | tuple):
        return so_far
    inner = value.values() if isinstance(value, Mapping) else value
    return max((_depth(item, so_far + 1) for item in inner), default=so_far + 1)
