"""What tiers are worked out from. Plain values: no database, no clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from loyalty.tiers.ladders import Ladder


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that counts: `amount` of a `measure`, dated `at`. `key` names it, as "order:7".

    `of`: it takes back, below zero, from the fact with that key. `of_order`: it belongs to an
    order, which was confirmed at `confirmed_at`; None: not yet.
    """

    key: str
    measure: str
    at: dt.datetime
    amount: Decimal
    of: str = ""
    of_order: bool = False
    confirmed_at: dt.datetime | None = None


def in_utc(fact: Fact) -> Fact:
    """Instants of one zone compare fast."""
    if fact.at.tzinfo is dt.UTC and fact.confirmed_at is None:
        return fact
    return replace(
        fact,
        at=fact.at.astimezone(dt.UTC),
        confirmed_at=fact.confirmed_at and fact.confirmed_at.astimezone(dt.UTC),
    )


@dataclass(frozen=True, slots=True)
class Manual:
    """A tier given by hand in [since, until): the member has at least this one. `key` names the
    assignment."""

    key: str
    code: str
    since: dt.datetime
    until: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Why:
    """Why a tier began. `kind`: joined, reached, revoked, review, grace, dropped_out, changed,
    manual, manual_ended. `key`: the fact that did it, if one did."""

    kind: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A tier from an instant up to another, exclusively; `to` None: until something happens."""

    tier: str
    since: dt.datetime
    to: dt.datetime | None
    why: Why


class TierHeld(str):
    """The code of a tier, which knows those at or below it."""

    reached: frozenset[str]

    @classmethod
    def of(cls, code: str, codes: Sequence[str]) -> TierHeld:
        """Among a ladder's codes, from the first on."""
        held = cls(code)
        rank = codes.index(code) if code in codes else -1
        held.reached = frozenset(codes[: rank + 1])
        return held

    @classmethod
    def on(cls, ladder: Ladder, code: str) -> TierHeld:
        return cls.of(code, [level.code for level in ladder.levels])
