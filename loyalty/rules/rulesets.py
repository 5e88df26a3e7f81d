"""Rule versions made ready to judge many orders: which are in force when, and what they ask."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from loyalty.rules.bodies import CashbackBody, WindowedBody
from loyalty.rules.engine import RuleVersion
from loyalty.rules.stacking import Multiplying


@dataclass(frozen=True, slots=True)
class InForce:
    """The versions of a stretch of time. `asking`: those that ask about the member; `capped`: those
    that count in a member's or everybody's cap; `by_brackets`: those that ask what was spent."""

    versions: tuple[RuleVersion, ...]
    asking: tuple[RuleVersion, ...]
    capped: tuple[RuleVersion, ...]
    by_brackets: tuple[RuleVersion, ...]

    @classmethod
    def of(cls, versions: Iterable[RuleVersion]) -> InForce:
        versions = tuple(versions)
        return cls(
            versions,
            tuple(item for item in versions if item.when is not None and item.when.outer),
            tuple(item for item in versions if _counts(item)),
            tuple(item for item in versions if _by_brackets(item)),
        )


class RuleSet:
    """Rule versions in order of evaluation."""

    def __init__(self, versions: Iterable[RuleVersion], multiplying: Multiplying = "best") -> None:
        self.versions, self.multiplying = tuple(versions), multiplying
        ends = {at for item in self.versions for at in (item.starts_at, item.ends_at) if at}
        self._turns = sorted(ends)
        # Before the first turn, and from each of them on.
        self._stretches: list[InForce] = [
            InForce.of(item for item in self.versions if item.in_force(at))
            for at in self._samples()
        ]
        self.scopes = frozenset(
            scope for item in self.versions if item.when is not None for scope in item.when.scopes
        )
        self.by_brackets = any(map(_by_brackets, self.versions))

    def at(self, at: dt.datetime) -> InForce:
        return self._stretches[bisect_right(self._turns, at)]

    def periods_before(self, at: dt.datetime) -> frozenset[str]:
        """The periods over which orders are looked at together, by versions that were in force
        before then: of caps, windows, the year and budgets."""
        begun = [item for item in self.versions if item.starts_at is None or item.starts_at < at]
        return frozenset(period for item in begun for period in _periods(item))

    @property
    def has_budgets(self) -> bool:
        return any(item.body.caps.budget is not None for item in self.versions)

    def _samples(self) -> list[dt.datetime]:
        """A moment in each stretch."""
        earliest = dt.datetime.min.replace(tzinfo=dt.UTC)
        return [earliest, *self._turns]


def _periods(version: RuleVersion) -> Iterator[str]:
    body, caps = version.body, version.body.caps
    if caps.per_member is not None:
        yield caps.period
    if caps.budget is not None:
        yield "lifetime"
    if isinstance(body, WindowedBody) and body.windowed:
        yield body.period
    if _by_brackets(version):
        yield "year"


def _counts(version: RuleVersion) -> bool:
    caps = version.body.caps
    return caps.per_member is not None or caps.budget is not None


def _by_brackets(version: RuleVersion) -> bool:
    return isinstance(version.body, CashbackBody) and bool(version.body.brackets)
