"""What higher applications add to the terms of a program, as members and the team read them, and
what the team alone reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loyalty.models import Program


@dataclass(frozen=True, slots=True)
class TermsItem:
    """Something that a program has: its name, what it takes, and what applies to it."""

    name: str
    note: str
    sentences: Sequence[str]


@dataclass(frozen=True, slots=True)
class TermsPanel:
    """`more`: what is not in it, in a sentence, or nothing."""

    title: str
    icon: str
    items: Sequence[TermsItem]
    more: str = ""


# None: the program has nothing of the kind.
PanelSource = Callable[["Program", dt.datetime], TermsPanel | None]

_sources: dict[str, PanelSource] = {}
_for_team: dict[str, PanelSource] = {}


def register_terms_panel(key: str, source: PanelSource) -> None:
    """Add a panel; the same key again replaces it. It asks the database as often for many as for
    one."""
    _sources[key] = source


def register_team_panel(key: str, source: PanelSource) -> None:
    """The same for what the team alone reads: members find it elsewhere, in other words."""
    _for_team[key] = source


def team_panels(program: Program, now: dt.datetime) -> list[TermsPanel]:
    """In the order of registration."""
    found = (source(program, now) for source in _for_team.values())
    return [panel for panel in found if panel is not None]


def terms_panels(program: Program, now: dt.datetime) -> list[TermsPanel]:
    """In the order of registration."""
    found = (source(program, now) for source in _sources.values())
    return [panel for panel in found if panel is not None]
