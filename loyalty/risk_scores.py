"""How likely it is that a member takes advantage of a program, from 0 to 100: the sum of what is
found, no more than 100. Pure; each signal says by which facts it was found.

What somebody has looked at and let pass counts no more, whatever it would speak for.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from loyalty import risk_signals as known
from loyalty.risk_signals import Fact, Signal

MOST = 100
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """What is known of one member, within the days that are looked at."""

    duplicates: Sequence[Fact] = ()
    # What these, and they themselves, took of what joining brings: of each account its own.
    bonuses: Sequence[Sequence[Fact]] = ()
    orders: Sequence[Fact] = ()
    # Of the orders, by their names.
    returned: frozenset[str] = frozenset()
    spent_before_return: frozenset[str] = frozenset()
    redemptions: Sequence[Fact] = ()
    activities: Sequence[Fact] = ()
    joined_together: Sequence[Fact] = ()
    adjustments: Sequence[Fact] = ()
    # Of signals that were added, by their keys.
    others: Mapping[str, Sequence[Fact]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """A signal that speaks against somebody, with the facts and the numbers of its reason."""

    key: str
    weight: int
    facts: tuple[Fact, ...]
    told: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Score:
    points: int
    found: tuple[Found, ...]

    @property
    def keys(self) -> set[str]:
        """The names of all facts that it rests on."""
        return {fact.key for found in self.found for fact in found.facts}


# A signal's facts and numbers, or nothing.
_Look = tuple[Sequence[Fact], dict[str, int]] | None


def score(
    facts: MemberFacts,
    weights: Mapping[str, int],
    limits: Mapping[str, Mapping[str, int]],
    *,
    usual_returns: int,
    cleared: Collection[str] = (),
) -> Score:
    """`usual_returns`: how many of 100 orders come back in the shop. A weight of 0 switches a
    signal off."""
    left = _without(facts, frozenset(cleared))
    found = []
    for signal in known.risk_signals():
        weight = weights.get(signal.key, signal.weight)
        looked = _look(signal, left, limits[signal.key], usual_returns) if weight else None
        if looked is not None:
            rows, told = looked
            ordered = tuple(sorted(rows, key=lambda fact: (fact.at, fact.key), reverse=True))
            found.append(Found(signal.key, weight, ordered, {"n": len(ordered), **told}))
    return Score(min(MOST, sum(item.weight for item in found)), tuple(found))


def _look(signal: Signal, facts: MemberFacts, limits: Mapping[str, int], usual: int) -> _Look:
    look = _LOOKS.get(signal.key)
    if look is not None:
        return look(facts, limits, usual)
    return _at_least(facts.others.get(signal.key, ()), limits["least"])


def _without(facts: MemberFacts, cleared: frozenset[str]) -> MemberFacts:
    if not cleared:
        return facts

    def rest(rows: Iterable[Fact]) -> list[Fact]:
        return [fact for fact in rows if fact.key not in cleared]

    return replace(
        facts,
        duplicates=rest(facts.duplicates),
        bonuses=[left for own in facts.bonuses if (left := rest(own))],
        orders=rest(facts.orders),
        redemptions=rest(facts.redemptions), activities=rest(facts.activities),
        joined_together=rest(facts.joined_together), adjustments=rest(facts.adjustments),
        others={key: rest(rows) for key, rows in facts.others.items()},
    )  # fmt: skip


def _at_least(rows: Sequence[Fact], least: int) -> _Look:
    return (rows, {}) if len(rows) >= least else None


def _duplicates(facts: MemberFacts, limits: Mapping[str, int], _usual: int) -> _Look:
    return _at_least(facts.duplicates, limits["least"])


def _bonus_farming(facts: MemberFacts, limits: Mapping[str, int], _usual: int) -> _Look:
    if not facts.duplicates or len(facts.bonuses) < limits["least"]:
        return None
    return [fact for own in facts.bonuses for fact in own], {"n": len(facts.bonuses)}


def _returns(facts: MemberFacts, limits: Mapping[str, int], usual: int) -> _Look:
    back = [fact for fact in facts.orders if fact.key in facts.returned]
    if len(back) < limits["least"]:
        return None
    percent = 100 * len(back) // len(facts.orders)
    if percent < limits["percent"] or percent < limits["times"] * usual:
        return None
    return back, {"orders": len(facts.orders), "percent": percent, "usual": usual}


def _after_spending(facts: MemberFacts, limits: Mapping[str, int], _usual: int) -> _Look:
    rows = [fact for fact in facts.orders if fact.key in facts.spent_before_return]
    return _at_least(rows, limits["least"])


def _sharing(facts: MemberFacts, limits: Mapping[str, int], _usual: int) -> _Look:
    placed = sorted((fact for fact in facts.orders if fact.place), key=lambda fact: fact.at)
    close = dt.timedelta(minutes=limits["minutes"])
    rows: dict[str, Fact] = {}
    for first, second in pairwise(placed):
        if first.place != second.place and second.at - first.at < close:
            rows |= {first.key: first, second.key: second}
    day = _densest(placed, DAY, lambda fact: fact.place)
    if len({fact.place for fact in day}) >= limits["stores"]:
        rows |= {fact.key: fact for fact in day}
    return (list(rows.values()), {"stores": len({fact.place for fact in rows.values()})}) if (
        rows
    ) else None  # fmt: skip


def _velocity(facts: MemberFacts, limits: Mapping[str, int], _usual: int) -> _Look:
    rows: dict[str, Fact] = {}
    for happened, span, most in (
        (facts.orders, HOUR, limits["orders_hour"]),
        (facts.orders, DAY, limits["orders_day"]),
        (facts.redemptions, DAY, limits["redemptions_day"]),
        (facts.activities, HOUR, limits["activities_hour"]),
    ):
        group = _densest(happened, span)
        if len(group) > most:
            rows |= {fact.key: fact for fact in group}
    return (list(rows.values()), {}) if rows else None


def _bots(facts: MemberFacts, limits: Mapping[str, int], _usual: int) -> _Look:
    seconds = dt.timedelta(seconds=limits["seconds"])
    rows: dict[str, Fact] = {}
    for happened, least in (
        (facts.joined_together, limits["joined"]), (facts.activities, limits["activities"]),
    ):  # fmt: skip
        group = _densest(happened, seconds)
        if len(group) >= least:
            rows |= {fact.key: fact for fact in group}
    return (list(rows.values()), {"seconds": limits["seconds"]}) if rows else None


def _adjustments(facts: MemberFacts, limits: Mapping[str, int], _usual: int) -> _Look:
    return _at_least(facts.adjustments, limits["least"])


def _densest(
    rows: Iterable[Fact], span: dt.timedelta, what: Callable[[Fact], str] = lambda fact: fact.key
) -> list[Fact]:
    """Those that lie within a span, wherever it begins, with most that differ in this."""
    ordered = sorted(rows, key=lambda fact: fact.at)
    within: Counter[str] = Counter()
    most, best, start = 0, slice(0), 0
    for end, last in enumerate(ordered):
        within[what(last)] += 1
        while last.at - ordered[start].at > span:
            first = what(ordered[start])
            within[first] -= 1
            if not within[first]:
                del within[first]
            start += 1
        if len(within) > most:
            most, best = len(within), slice(start, end + 1)
    return ordered[best]


_LOOKS: dict[str, Callable[[MemberFacts, Mapping[str, int], int], _Look]] = {
    known.DUPLICATES.key: _duplicates,
    known.BONUS_FARMING.key: _bonus_farming,
    known.RETURNS.key: _returns,
    known.RETURNS_AFTER_SPENDING.key: _after_spending,
    known.SHARING.key: _sharing,
    known.VELOCITY.key: _velocity,
    known.BOTS.key: _bots,
    known.ADJUSTMENTS.key: _adjustments,
}
