"""What results look like: the fields of their dataclasses, and of those that are in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from inspect import isroutine
from typing import Any, get_args, get_type_hints


@cache
def shape_of_result(work: Callable[..., Any]) -> str:
    """Another one once what is returned has other fields, or has them in another order."""
    function = work if isroutine(work) else type(work).__call__
    found: dict[str, list[str]] = {}
    returned = get_type_hints(function).get("return")
    _look(returned, found)
    return f"{returned} {sorted(found.items())}"


def _look(said: Any, found: dict[str, list[str]]) -> None:
    for part in get_args(said):
        _look(part, found)
    name = f"{said}"
    if name in found or not (isinstance(said, type) and is_dataclass(said)):
        return
    hints = get_type_hints(said)
    found[name] = [f"{field.name}: {hints[field.name]}" for field in fields(said)]
    for field in fields(said):
        _look(hints[field.name], found)
