"""What higher applications say in a program's definition: lists of things of their own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from loyalty.rules.body_parts import Part

if TYPE_CHECKING:
    from loyalty.models import Program
    from members.services.audit import Actor


@dataclass(frozen=True, slots=True)
class ProgramPart:
    """A field of `ProgramDefinition` that a higher application fills. `item`: what its list holds;
    `read`: what the program has of it; `apply`: brings the program to what a definition says. It
    leaves alone what the definition does not name, and notes what it did in the first argument, the
    `Applied` of `loyalty.services`. `once_live`: after the program is live, if the definition says
    so, for what writes rules that count."""

    name: str
    item: type[Part]
    read: Callable[[Program], Sequence[Part]]
    apply: Callable[[Any, Sequence[Any], Actor, dt.datetime], None]
    once_live: bool = False


_parts: dict[str, ProgramPart] = {}


def register_program_part(part: ProgramPart) -> None:
    """Make it known; the same name again replaces it. Applied in the order of registration."""
    _parts[part.name] = part


def program_parts() -> list[ProgramPart]:
    return list(_parts.values())


def item_of(name: str) -> type[Part] | None:
    """What the list of this name holds; None: it is no part of a higher application."""
    return _parts[name].item if name in _parts else None


def read_items(name: str, value: Any) -> Any:
    """What a file says in the list of this name, validated by whom it belongs to."""
    item = item_of(name)
    return value if item is None else TypeAdapter(tuple[item, ...]).validate_python(value)  # type: ignore[valid-type]
