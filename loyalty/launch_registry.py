"""What is looked at before a launch: the checks that higher applications add."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loyalty.models import Program


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to be ready. `why`: what was found, in a sentence."""

    key: str
    label: str
    done: bool
    why: str


@dataclass(frozen=True, slots=True)
class LaunchCheck:
    """A check of a higher application. `look`: in a constant number of queries; `place`: the name
    of the page on which it is done, for whoever has this permission; `of_program`: each program has
    a page of its own for it."""

    key: str
    look: Callable[[Program, dt.datetime], Check]
    place: str
    permission: str
    of_program: bool = False


_checks: dict[str, LaunchCheck] = {}


def register_launch_check(check: LaunchCheck) -> None:
    """Make it known; the same key again replaces it."""
    _checks[check.key] = check


def registered_checks() -> list[LaunchCheck]:
    return list(_checks.values())
