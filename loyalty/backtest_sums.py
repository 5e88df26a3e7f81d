"""What a backtest adds up: live rules beside a draft. Sums of disjoint customers can be merged, so
parts of the work may be done anywhere, in any order, and kept as JSON meanwhile.

Units are integers at their wallet type's scale, by wallet type code; money is decimal text in JSON.
"""

from __future__ import annotations

import datetime as dt
import heapq
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any

from loyalty.backtest_members import Member, Unit
from loyalty.rules.events import Credit, Event, Sale
from loyalty.rules.facts import ZERO

SIDES = ("live", "draft")
BOTH = "both"
EXAMPLES = 10
# How far a member's difference goes, in money or units: 0.01, 0.02, 0.05, 0.1 … 5,000,000.
EDGES = [Decimal(step).scaleb(power) for power in range(-2, 7) for step in (1, 2, 5)]

Units = Counter[str]
Lasting = Callable[[Credit, dt.date], bool]


@dataclass(slots=True)
class Figures:
    """Orders and what was given for them, on both sides."""

    orders: int = 0
    members: int = 0
    revenue: Decimal = ZERO
    units: dict[str, Units] = field(default_factory=lambda: {side: Counter() for side in SIDES})

    def add(self, other: Figures) -> None:
        self.orders += other.orders
        self.members += other.members
        self.revenue += other.revenue
        for side in SIDES:
            self.units[side].update(other.units[side])

    def as_json(self) -> dict[str, Any]:
        return {
            "orders": self.orders, "members": self.members, "revenue": str(self.revenue),
            **{side: dict(self.units[side]) for side in SIDES},
        }  # fmt: skip

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Figures:
        return cls(
            kept["orders"], kept["members"], Decimal(kept["revenue"]),
            {side: Counter(kept[side]) for side in SIDES},
        )  # fmt: skip


@dataclass(slots=True)
class Example:
    """A member to whom the draft makes a difference, and the order where it is the largest."""

    difference: Decimal
    customer: int
    live: Units
    draft: Units
    order: int | None = None
    order_live: Units = field(default_factory=Counter)
    order_draft: Units = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        return {
            "difference": str(self.difference), "customer": self.customer, "order": self.order,
            "live": dict(self.live), "draft": dict(self.draft),
            "order_live": dict(self.order_live), "order_draft": dict(self.order_draft),
        }  # fmt: skip

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Example:
        return cls(
            Decimal(kept["difference"]), kept["customer"], Counter(kept["live"]),
            Counter(kept["draft"]), kept["order"], Counter(kept["order_live"]),
            Counter(kept["order_draft"]),
        )  # fmt: skip


@dataclass(slots=True)
class Sums:
    """Of a number of members."""

    whole: Figures = field(default_factory=Figures)
    months: defaultdict[str, Figures] = field(default_factory=lambda: defaultdict(Figures))
    segments: defaultdict[str, Figures] = field(default_factory=lambda: defaultdict(Figures))
    # By side and rule code: units and orders.
    rules: dict[str, Counter[str]] = field(
        default_factory=lambda: {side: Counter() for side in SIDES}
    )
    rule_orders: dict[str, Counter[str]] = field(
        default_factory=lambda: {side: Counter() for side in SIDES}
    )
    outstanding: dict[str, Units] = field(
        default_factory=lambda: {side: Counter() for side in SIDES}
    )
    # By side and tier: how many have it in the end, and what those were given, by wallet type.
    tier_members: dict[str, Counter[str]] = field(
        default_factory=lambda: {side: Counter() for side in SIDES}
    )
    tier_units: dict[str, defaultdict[str, Units]] = field(
        default_factory=lambda: {side: defaultdict(Counter) for side in SIDES}
    )
    # How many have which tier in life and which under the draft.
    tier_moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    # By place among the edges; below zero for members who are worse off.
    spread: Counter[int] = field(default_factory=Counter)
    winners: list[Example] = field(default_factory=list)
    losers: list[Example] = field(default_factory=list)

    def merge(self, other: Sums) -> None:
        self.whole.add(other.whole)
        for own, theirs in ((self.months, other.months), (self.segments, other.segments)):
            for key, figures in theirs.items():
                own[key].add(figures)
        for side in SIDES:
            self.rules[side].update(other.rules[side])
            self.rule_orders[side].update(other.rule_orders[side])
            self.outstanding[side].update(other.outstanding[side])
            self.tier_members[side].update(other.tier_members[side])
            for tier, units in other.tier_units[side].items():
                self.tier_units[side][tier].update(units)
        self.tier_moves.update(other.tier_moves)
        self.spread.update(other.spread)
        self.winners = _furthest([*self.winners, *other.winners], 1)
        self.losers = _furthest([*self.losers, *other.losers], -1)

    def as_json(self) -> dict[str, Any]:
        return {
            "whole": self.whole.as_json(),
            "months": {key: self.months[key].as_json() for key in sorted(self.months)},
            "segments": {key: self.segments[key].as_json() for key in sorted(self.segments)},
            "rules": {side: dict(self.rules[side]) for side in SIDES},
            "rule_orders": {side: dict(self.rule_orders[side]) for side in SIDES},
            "outstanding": {side: dict(self.outstanding[side]) for side in SIDES},
            "tiers": {
                "members": {side: dict(self.tier_members[side]) for side in SIDES},
                "units": {
                    side: {tier: dict(units) for tier, units in self.tier_units[side].items()}
                    for side in SIDES
                },
                "moves": [[*pair, count] for pair, count in sorted(self.tier_moves.items())],
            },
            "spread": {str(place): count for place, count in sorted(self.spread.items())},
            "winners": [example.as_json() for example in self.winners],
            "losers": [example.as_json() for example in self.losers],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Sums:
        sums = cls(Figures.from_json(kept["whole"]))
        for key, figures in kept["months"].items():
            sums.months[key] = Figures.from_json(figures)
        for key, figures in kept["segments"].items():
            sums.segments[key] = Figures.from_json(figures)
        for side in SIDES:
            sums.rules[side].update(kept["rules"][side])
            sums.rule_orders[side].update(kept["rule_orders"][side])
            sums.outstanding[side].update(kept["outstanding"][side])
        # Older answers know of no tiers.
        if tiers := kept.get("tiers"):
            for side in SIDES:
                sums.tier_members[side].update(tiers["members"][side])
                for tier, units in tiers["units"][side].items():
                    sums.tier_units[side][tier].update(units)
            sums.tier_moves.update({(was, new): count for was, new, count in tiers["moves"]})
        sums.spread.update({int(place): count for place, count in kept["spread"].items()})
        sums.winners = [Example.from_json(example) for example in kept["winners"]]
        sums.losers = [Example.from_json(example) for example in kept["losers"]]
        return sums


# A version and the local day.
_Given = tuple[int, dt.date]


class _DayOfRule:
    """What a version gave on a day, and for how many orders; `first`: a credit of it, all of which
    are kept alike."""

    __slots__ = ("first", "orders", "units")

    def __init__(self, first: Credit) -> None:
        self.first, self.units, self.orders = first, 0, 0


class Adder:
    """Adds members to sums. `lasting`: whether what was credited on a local day is still there in
    the end."""

    def __init__(self, units: Mapping[int, Unit], zone: dt.tzinfo, lasting: Lasting) -> None:
        self.sums, self.units, self.zone, self.lasting = Sums(), units, zone, lasting
        # Of the member's moments: each is that of several credits.
        self._days: dict[dt.datetime, dt.date] = {}
        self._weights = {unit.code: unit.weight for unit in units.values()}
        # By side, and of both together: what a version gave on a local day.
        self._given: dict[str, dict[_Given, _DayOfRule]] = {side: {} for side in (BOTH, *SIDES)}

    def add(self, member: Member) -> None:
        own = Figures(members=1)
        self._days.clear()
        self._add_events(member.events, own)
        alike = self._add_credits(BOTH, member.shared)
        for side in SIDES:
            for found in (alike, self._add_credits(side, member.credits[side])):
                for wallet_type_id, amount in found.items():
                    own.units[side][self.units[wallet_type_id].code] += amount
            self._count_later(side, member)
        self._add_tiers(member, own)
        if not own.orders and not any(own.units.values()):
            return
        self.sums.whole.add(own)
        for code in member.segments:
            self.sums.segments[code].add(own)
        self._compare(member, own)

    def _add_tiers(self, member: Member, own: Figures) -> None:
        if not member.tiers:
            return
        for side, tier in member.tiers.items():
            self.sums.tier_members[side][tier] += 1
            self.sums.tier_units[side][tier].update(own.units[side])
        self.sums.tier_moves[member.tiers.get("live", ""), member.tiers.get("draft", "")] += 1

    def _add_events(self, events: Iterable[Event], own: Figures) -> None:
        months, days = self.sums.months, self._days
        orders, revenue = 0, ZERO
        for event in events:
            if isinstance(event, Sale):
                moment, total = event.occasion.moment, event.occasion.basket.total
                # Known already, where a rule asked for it.
                own_zone = moment.zone is self.zone
                day = moment.local.date() if own_zone else self._day(event.at)
                month = months[_month(day)]
                days[event.at] = day
                month.orders += 1
                orders += 1
            else:
                total = -event.given.total
                month = months[_month(self._day(_begin(event)))]
            month.revenue += total
            revenue += total
        own.orders, own.revenue = orders, revenue

    def _add_credits(self, side: str, found: Iterable[Credit]) -> dict[int, int]:
        """The member's units by wallet type. To all other sums they come when everybody's are
        together."""
        given, days = self._given[side], self._days
        units: dict[int, int] = {}
        last = None
        for credit in found:
            version, at, amount = credit.version, credit.at, credit.units
            # Several in a row are of one moment.
            if at is not last:
                last, day = at, days.get(at) or self._day(at)
            key = version.id, day
            known = given.get(key)
            if known is None:
                known = given[key] = _DayOfRule(credit)
            known.units += amount
            if credit.sale is not None and not credit.later:
                known.orders += 1
            wallet_type_id = version.wallet_type_id
            units[wallet_type_id] = units.get(wallet_type_id, 0) + amount
        return units

    def _count_later(self, side: str, member: Member) -> None:
        """Orders for which a rule gave something, but not when they were placed."""
        later = [
            (credit.version.rule_code, credit.sale.id)
            for credit in member.credits[side]
            if credit.later and credit.sale is not None
        ]
        if later:
            known = {
                (credit.version.rule_code, credit.sale.id)
                for credit in (*member.shared, *member.credits[side])
                if not credit.later and credit.sale is not None
            }
            self.sums.rule_orders[side].update([rule for rule, _sale in {*later} - known])

    def total(self) -> Sums:
        """Of all members that were added."""
        for given_to, given in self._given.items():
            for (_version, day), known in given.items():
                version = known.first.version
                code, lasts = (
                    self.units[version.wallet_type_id].code,
                    self.lasting(known.first, day),
                )
                for side in SIDES if given_to == BOTH else (given_to,):
                    self.sums.months[_month(day)].units[side][code] += known.units
                    self.sums.rules[side][version.rule_code] += known.units
                    if known.orders:
                        self.sums.rule_orders[side][version.rule_code] += known.orders
                    if lasts:
                        self.sums.outstanding[side][code] += known.units
            given.clear()
        return self.sums

    def _compare(self, member: Member, own: Figures) -> None:
        sums, live, draft = self.sums, own.units["live"], own.units["draft"]
        difference = self._worth(draft) - self._worth(live)
        sums.spread[place_of(difference)] += 1
        if not difference:
            return
        examples, sign = (sums.winners, 1) if difference > 0 else (sums.losers, -1)
        if len(examples) == EXAMPLES and sign * difference <= sign * examples[-1].difference:
            return
        example = Example(difference, member.customer, live, draft)
        by_order = self._by_order(member)
        if by_order:
            order = max(by_order, key=lambda pk: sign * self._difference(by_order[pk]))
            example.order = order
            example.order_live, example.order_draft = (by_order[order][side] for side in SIDES)
        found = _furthest([*examples, example], sign)
        if sign > 0:
            sums.winners = found
        else:
            sums.losers = found

    def _by_order(self, member: Member) -> dict[int, dict[str, Units]]:
        """Only asked of the few members who become examples."""
        found: defaultdict[int, dict[str, Units]] = defaultdict(_both_sides)
        for side in SIDES:
            own = (*member.shared, *member.credits[side])
            # Of orders that differ as much the first is shown.
            for credit in sorted(own, key=attrgetter("at")):
                if credit.sale is not None:
                    code = self.units[credit.version.wallet_type_id].code
                    found[credit.sale.id][side][code] += credit.units
        return found

    def _difference(self, sides: Mapping[str, Units]) -> Decimal:
        return self._worth(sides["draft"]) - self._worth(sides["live"])

    def _worth(self, units: Units) -> Decimal:
        return sum((count * self._weights[code] for code, count in units.items()), ZERO)

    def _day(self, at: dt.datetime) -> dt.date:
        """By the program's clocks."""
        found = self._days.get(at)
        if found is None:
            found = self._days[at] = at.astimezone(self.zone).date()
        return found


def place_of(difference: Decimal) -> int:
    """Where a difference is among the edges: 0 for none, n for one up to the n-th edge, and the
    same below zero."""
    if not difference:
        return 0
    place = bisect_left(EDGES, abs(difference)) + 1
    return place if difference > 0 else -place


@lru_cache(maxsize=4_000)
def _month(day: dt.date) -> str:
    return f"{day.year:04}-{day.month:02}"


def _begin(event: Event) -> dt.datetime:
    """A return belongs to the order it is of."""
    if isinstance(event, Sale) or event.sale is None:
        return event.at
    return event.sale.at


def _both_sides() -> dict[str, Units]:
    return {side: Counter() for side in SIDES}


def _furthest(examples: list[Example], sign: int) -> list[Example]:
    return heapq.nsmallest(
        EXAMPLES, examples, key=lambda item: (-sign * item.difference, item.customer)
    )
