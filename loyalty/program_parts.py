"""What higher applications say in a program's definition: lists of things of their own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from loyalty.rules.body_parts import Part

if TYPE_CHECKING:
    from loyalty.definitions import ProgramDefinition
    from loyalty.models import Program
    from members.services.audit import Actor


@dataclass(frozen=True, slots=True)
class PartWords:
    """One thing of a definition in sentences, before there is a program."""

    title: str
    icon: str
    sentences: Sequence[str]


@dataclass(frozen=True, slots=True)
class ProgramPart:
    """A field of `ProgramDefinition` that a higher application fills. `item`: what its list holds;
    `read`: what the program has of it; `apply`: brings the program to what a definition says. It
    leaves alone what the definition does not name, and notes what it did in the first argument, the
    `Applied` of `loyalty.services`. `once_live`: after the program is live, if the definition says
    so, for what writes rules that count. `begin`: what of it waited for the program to be taken
    live for the first time; `words`: what a definition promises of it, for whoever starts from a
    template. `turn`: those with a smaller one are applied before."""

    name: str
    item: type[Part]
    read: Callable[[Program], Sequence[Part]]
    apply: Callable[[Any, Sequence[Any], Actor, dt.datetime], None]
    once_live: bool = False
    begin: Callable[[Program, Actor, dt.datetime], None] | None = None
    turn: int = 2
    words: Callable[[ProgramDefinition], Sequence[PartWords]] | None = None


_parts: dict[str, ProgramPart] = {}


def register_program_part(part: ProgramPart) -> None:
    """Make it known; the same name again replaces it."""
    _parts[part.name] = part


def program_parts() -> list[ProgramPart]:
    """In the order in which they are applied: what others name comes first, such as the reward that
    a game gives. Of one application as it has registered them."""
    return sorted(_parts.values(), key=lambda part: part.turn)


def parts_in_words(program: ProgramDefinition) -> list[PartWords]:
    """What higher applications would have of it."""
    return [said for part in program_parts() if part.words for said in part.words(program)]


def item_of(name: str) -> type[Part] | None:
    """What the list of this name holds; None: it is no part of a higher application."""
    return _parts[name].item if name in _parts else None


def read_items(name: str, value: Any) -> Any:
    """What a file says in the list of this name, validated by whom it belongs to."""
    item = item_of(name)
    return value if item is None else TypeAdapter(tuple[item, ...]).validate_python(value)  # type: ignore[valid-type]
