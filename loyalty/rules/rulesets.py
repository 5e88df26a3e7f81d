"""Rule versions made ready to judge many orders: which are in force when, what they ask, and which
of several sets give the same for an order."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from loyalty.rules.bodies import CashbackBody, EarningBody, MultiplierBody, RateBody, WindowedBody
from loyalty.rules.caps import Room
from loyalty.rules.discounts import DiscountVersion
from loyalty.rules.engine import NO_ROOMS, Award, Holds, Judge, RuleVersion, judged
from loyalty.rules.facts import NO_CONTEXT, Context, Occasion
from loyalty.rules.reckoning import Reckoner
from loyalty.rules.stacking import Multiplying


@dataclass(frozen=True, slots=True, eq=False)
class InForce:
    """The versions of a stretch of time. `asking`: those that ask about the member; `capped`: those
    that count in a member's or everybody's cap; `by_brackets`: those that ask what was spent;
    `multiplying`: how several multipliers work together."""

    versions: tuple[RuleVersion, ...]
    asking: tuple[RuleVersion, ...]
    capped: tuple[RuleVersion, ...]
    by_brackets: tuple[RuleVersion, ...]
    multiplying: Multiplying
    # Whether the order alone decides what all of them come to, but for caps.
    impersonal: bool

    @classmethod
    def of(cls, versions: Iterable[RuleVersion], multiplying: Multiplying) -> InForce:
        versions = tuple(versions)
        asking = tuple(item for item in versions if item.when is not None and item.when.outer)
        by_brackets = tuple(item for item in versions if _by_brackets(item))
        return cls(
            versions, asking, tuple(item for item in versions if item.counts), by_brackets,
            multiplying, not asking and not by_brackets,
        )  # fmt: skip

    def stopping(self) -> frozenset[int]:
        """The wallet types whose rules may stop those that come after them."""
        return frozenset(item.wallet_type_id for item in self.versions if _body(item).stops)

    def multiplied(self) -> frozenset[int]:
        """The wallet types that have multipliers."""
        multipliers = [item for item in self.versions if isinstance(item.body, MultiplierBody)]
        return frozenset(item.wallet_type_id for item in multipliers)

    def tied(self) -> dict[int, list[RuleVersion]]:
        """By wallet type the versions that others matter to, or that matter to others."""
        stopping, multiplied = self.stopping(), self.multiplied()
        found: defaultdict[int, list[RuleVersion]] = defaultdict(list)
        for item in self.versions:
            body, wallet_type_id = _body(item), item.wallet_type_id
            in_product = isinstance(body, MultiplierBody | RateBody | CashbackBody)
            if (
                body.group
                or wallet_type_id in stopping
                or (in_product and wallet_type_id in multiplied)
            ):
                found[wallet_type_id].append(item)
        return found

    def personal(self) -> frozenset[int]:
        """Those whose result is not decided by the order alone."""
        return frozenset(map(id, (*self.asking, *self.capped, *self.by_brackets)))


EARLIEST = dt.datetime.min.replace(tzinfo=dt.UTC)

# Versions that give the same under several sets of rules, and what each set has besides.
Split = tuple[tuple[RuleVersion, ...], tuple[tuple[RuleVersion, ...], ...]]


@lru_cache(maxsize=1000)
def alike(*sides: InForce) -> Split:
    """Split the versions in force: those that every side has, and that give the same for an order
    on each because neither the member nor any other version there matters to it."""
    if len(sides) == 1:
        return (), (sides[0].versions,)
    owns = [_judged_alone(side) for side in sides]
    shared = frozenset.intersection(*owns) | _tied_alike(sides)
    return (
        tuple(item for item in sides[0].versions if id(item) in shared),
        tuple(tuple(item for item in side.versions if id(item) not in shared) for side in sides),
    )


def _judged_alone(side: InForce) -> frozenset[int]:
    tied = {id(item) for items in side.tied().values() for item in items}
    return frozenset(map(id, side.versions)) - tied - side.personal()


def _tied_alike(sides: Sequence[InForce]) -> frozenset[int]:
    """What is tied to each other, where all of that is the same on every side."""
    first, *others = ({key: [*map(id, v)] for key, v in side.tied().items()} for side in sides)
    if len({side.multiplying for side in sides}) > 1:
        return frozenset()
    return frozenset(
        pk
        for wallet_type_id, ids in first.items()
        if all(other.get(wallet_type_id) == ids for other in others)
        and sides[0].personal().isdisjoint(ids)
        for pk in ids
    )


class RuleSet:
    """Rule versions in order of evaluation; `calendar`: those for days of the year; `discounts`:
    those that price orders, which ask about their buyers too."""

    def __init__(
        self,
        versions: Iterable[RuleVersion],
        multiplying: Multiplying = "best",
        calendar: Iterable[RuleVersion] = (),
        discounts: Iterable[DiscountVersion] = (),
    ) -> None:
        self.versions, self.multiplying = tuple(versions), multiplying
        self.calendar = tuple(calendar)
        ends = {at for item in self.versions for at in (item.starts_at, item.ends_at) if at}
        # Instants of one zone are compared many times faster than those of several.
        self.turns = sorted({at.astimezone(dt.UTC) for at in ends})
        # Before the first turn, and from each of them on.
        self._stretches: list[InForce] = [
            InForce.of([item for item in self.versions if item.in_force(at)], multiplying)
            for at in self._samples()
        ]
        asked = [*(item.when for item in self.everything), *(item.when for item in discounts)]
        self.scopes = frozenset(
            scope for when in asked if when is not None for scope in when.scopes
        )
        self.by_brackets = any(map(_by_brackets, self.versions))

    @property
    def everything(self) -> tuple[RuleVersion, ...]:
        return (*self.versions, *self.calendar)

    def at(self, at: dt.datetime) -> InForce:
        return self._stretches[bisect_right(self.turns, at)]

    def periods_before(self, at: dt.datetime) -> frozenset[str]:
        """The periods over which orders are looked at together, by versions that were in force
        before then: of caps, windows, the year and budgets."""
        begun = [item for item in self.everything if item.starts_at is None or item.starts_at < at]
        return frozenset(period for item in begun for period in _periods(item))

    @property
    def has_budgets(self) -> bool:
        return any(item.body.caps.has_budget for item in self.everything)

    def _samples(self) -> list[dt.datetime]:
        """A moment in each stretch."""
        return [EARLIEST, *self.turns]


class Panel:
    """Versions made ready to judge many orders together, as `evaluate` judges one."""

    __slots__ = ("_judges", "_multiplying")

    def __init__(
        self, versions: Iterable[RuleVersion], multiplying: Multiplying,
        conditions: Mapping[int, Holds],
    ) -> None:  # fmt: skip
        """`conditions`: to be asked instead of a version's own, by its identity."""
        self._multiplying = multiplying
        self._judges: list[Judge] = []
        for version in versions:
            pk, holds, unmet, ask = version.judge
            self._judges.append((pk, conditions.get(id(version), holds), unmet, ask))

    def awards(
        self,
        occasion: Occasion,
        reckoner: Reckoner,
        rooms: Mapping[int, Room] = NO_ROOMS,
        context: Context = NO_CONTEXT,
    ) -> list[Award]:
        """What an order deserves; `reckoner` is of its basket."""
        return judged(self._judges, occasion, reckoner, rooms, context, self._multiplying)


class Plan(NamedTuple):
    """What is asked of an order under several sets of rules: versions that come out alike for all
    of them, then what each has in force and those that it is judged by besides. None: nothing."""

    shared: Panel | None
    sides: tuple[tuple[InForce, Panel | None], ...]

    @classmethod
    def of(cls, in_force: Sequence[InForce]) -> Plan:
        shared, owns = alike(*in_force)
        asked_often = [item for own in owns for item in own]
        conditions = {
            id(item): asked_once(item.when.holds)
            for item in asked_often
            if item.when is not None
            and not item.when.outer
            and sum(item is other for other in asked_often) > 1
        }
        return cls(
            _panel(shared, in_force[0].multiplying, {}),
            tuple(
                (side, _panel(own, side.multiplying, conditions))
                for side, own in zip(in_force, owns, strict=True)
            ),
        )


class Plans:
    """The plans of several sets of rules, stretch by stretch."""

    def __init__(self, sides: Sequence[RuleSet]) -> None:
        self._turns = sorted({at for side in sides for at in side.turns})
        self._plans = [Plan.of([side.at(at) for side in sides]) for at in (EARLIEST, *self._turns)]

    def at(self, at: dt.datetime) -> Plan:
        return self._plans[bisect_right(self._turns, at)]


@lru_cache(maxsize=100)
def plans_of(*sides: RuleSet) -> Plans:
    return Plans(sides)


def _panel(
    versions: Sequence[RuleVersion], multiplying: Multiplying, conditions: Mapping[int, Holds]
) -> Panel | None:
    return Panel(versions, multiplying, conditions) if versions else None


def asked_once(holds: Holds) -> Holds:
    """A condition of the order alone that several sides ask one after the other."""
    last: tuple[Occasion | None, bool] = None, False

    def holds_for(occasion: Occasion, answers: str) -> bool:
        nonlocal last
        # Read and written as a whole, so that two threads that ask do not mix answers.
        known = last
        if known[0] is not occasion:
            last = known = occasion, holds(occasion, answers)
        return known[1]

    return holds_for


def _periods(version: RuleVersion) -> Iterator[str]:
    body, caps = version.body, version.body.caps
    for period, _most in caps.per_member.said:
        yield period
    if caps.has_budget:
        yield "lifetime"
    if isinstance(body, WindowedBody) and body.windowed:
        yield body.period
    if _by_brackets(version):
        yield "year"


def _by_brackets(version: RuleVersion) -> bool:
    return isinstance(version.body, CashbackBody) and bool(version.body.brackets)


def _body(version: RuleVersion) -> EarningBody:
    assert isinstance(version.body, EarningBody)
    return version.body
