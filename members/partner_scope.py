"""Which partners somebody may work for, or an API key may speak for. Who they are is known to a
higher application, which says so in AppConfig.ready."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from members.program_scope import of_all_programs


@dataclass(frozen=True, slots=True)
class PartnerChoice:
    """A partner that takes part: its key, its name with that of its program, and the program's
    key."""

    key: int
    name: str
    program: int


_choices: list[Callable[[], Iterable[PartnerChoice]]] = []


def register_partner_choices(choices: Callable[[], Iterable[PartnerChoice]]) -> None:
    """Say which partners there are."""
    _choices[:] = [choices]


def partner_choices() -> dict[int, PartnerChoice]:
    """All that take part, by key."""
    with of_all_programs():
        return {item.key: item for item in _choices[0]()} if _choices else {}
