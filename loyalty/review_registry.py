"""What a review of a program looks at: what there is to be used, and what members said. Higher
applications add theirs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.functional import Promise

from loyalty.quarters import Quarter

if TYPE_CHECKING:
    from loyalty.models import Program


@dataclass(frozen=True, slots=True)
class Use:
    """How often something was used in a quarter. `days`: of it in which it could be. `cost`: what
    one of its uses costs the merchant, where that is known; `limit`: what that is to be at most.
    `measured`: the cost is that of what would not have been without it, told by members kept
    aside. `ended`: it is over, so there is no more to come. `place`: the name of its page's
    address, and `place_key` what that takes, with "/" between."""

    kind: str
    key: str
    name: str
    used: int
    days: int
    place: str
    place_key: str
    cost: Decimal | None = None
    limit: Decimal | None = None
    measured: bool = False
    ended: bool = False


@dataclass(frozen=True, slots=True)
class UseKind:
    """`unused` and `dear`: what is said of one, with %(name)s, and %(days)s or %(cost)s and
    %(limit)s; `dear_measured`: of one whose cost is measured; `…_advice`: what is proposed."""

    code: str
    label: str | Promise
    unused: str | Promise
    unused_advice: str | Promise
    dear: str | Promise = ""
    dear_measured: str | Promise = ""
    dear_advice: str | Promise = ""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a question came to in a quarter. `scale`: `nps`, from −100 to 100, or `mean` of 1 to
    `most`. Never what somebody wrote."""

    key: str
    survey: str
    question: str
    scale: str
    score: Decimal
    answers: int
    most: int
    place: str
    place_key: str


# All of a quarter, up to a day of it, in a constant number of queries.
UseSource = Callable[["Program", Quarter, dt.date], Sequence[Use]]
OpinionSource = Callable[["Program", Quarter, dt.date], Sequence[Opinion]]
# Whether members answered anything at all.
AnswerSource = Callable[["Program", Quarter, dt.date], bool]

_uses: dict[str, tuple[UseKind, UseSource]] = {}
_opinions: dict[str, tuple[OpinionSource, AnswerSource]] = {}
_start: list[str] = []


def register_uses(kind: UseKind, source: UseSource) -> None:
    """The same kind again replaces it."""
    _uses[kind.code] = (kind, source)


def register_opinions(key: str, source: OpinionSource, answered: AnswerSource, start: str) -> None:
    """`answered`: also what has no scale. `start`: the name of the page on which something new is
    asked, which takes a program's code. The same key again replaces it."""
    _opinions[key] = (source, answered)
    _start[:] = [start]


def use_kinds() -> dict[str, UseKind]:
    return {code: kind for code, (kind, _source) in _uses.items()}


def uses_of(program: Program, quarter: Quarter, day: dt.date) -> list[Use]:
    return [item for _kind, source in _uses.values() for item in source(program, quarter, day)]


def opinions_of(program: Program, quarter: Quarter, day: dt.date) -> list[Opinion]:
    found = [source for source, _answered in _opinions.values()]
    return [item for source in found for item in source(program, quarter, day)]


def did_answer(program: Program, quarter: Quarter, day: dt.date) -> bool:
    """Whether members said anything at all, also without a scale."""
    return any(answered(program, quarter, day) for _source, answered in _opinions.values())


def start_of_asking() -> str:
    """The name of the page on which members are asked something; empty: nothing asks."""
    return _start[0] if _start else ""
