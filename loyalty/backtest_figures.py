"""A finished backtest's figures, as screens, the API and the command say them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from loyalty.backtest_rules import Wordings
from loyalty.backtest_sums import EDGES, SIDES, Example, Figures, Sums
from loyalty.models import Backtest
from loyalty.rules.facts import ZERO

HUNDRED = Decimal(100)
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class UnitFigures:
    """A kind of units as it was when the backtest was done; it names them like a wallet type."""

    code: str
    singular: str
    plural: str
    scale: int
    unit_value: Decimal
    plural_language: str = ""
    plural_forms: Mapping[str, str] = field(default_factory=dict, hash=False)

    def whole(self, units: int) -> Decimal:
        return Decimal(units).scaleb(-self.scale)

    def worth(self, units: int) -> Decimal:
        return self.whole(units) * self.unit_value


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """What one rule gave on both sides."""

    code: str
    name: str
    unit: UnitFigures
    change: str
    live: int
    draft: int
    live_orders: int
    draft_orders: int

    @property
    def more(self) -> int:
        return self.draft - self.live


@dataclass(frozen=True, slots=True)
class DiscountFigures:
    """What a discount that is tried takes off within its limits. `used_up`: the day on which one of
    these is reached. `wanted`: by day, without the limits for everybody, what it takes off and how
    many orders."""

    code: str
    name: str
    off: Decimal
    orders: int
    members: int
    used_up: dt.date | None
    wanted: Mapping[dt.date, tuple[Decimal, int]] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Bar:
    """How many members a difference from `least` to `most` concerns; below zero, they lose it."""

    least: Decimal
    most: Decimal
    members: int


@dataclass(frozen=True, slots=True)
class TierFigures:
    """A tier on both sides: its members after the last day, and what those were given."""

    code: str
    live: int
    draft: int
    live_units: Mapping[str, int]
    draft_units: Mapping[str, int]


@dataclass(frozen=True)
class BacktestFigures:
    """All that came of a backtest."""

    backtest: Backtest

    @property
    def result(self) -> Mapping[str, Any]:
        kept: Mapping[str, Any] = self.backtest.result or {}
        return kept

    @cached_property
    def sums(self) -> Sums:
        return Sums.from_json(self.result)

    @cached_property
    def units(self) -> list[UnitFigures]:
        return [
            UnitFigures(
                kept["code"], kept["singular"], kept["plural"], kept["scale"],
                Decimal(kept["unit_value"]), kept.get("plural_language", ""),
                kept.get("plural_forms", {}),
            )
            for kept in self.result["units"]
        ]  # fmt: skip

    @property
    def awarded(self) -> list[UnitFigures]:
        """Those of which anything was given."""
        whole = self.sums.whole
        found = [unit for unit in self.units if any(whole.units[side][unit.code] for side in SIDES)]
        return found or self.units[:1]

    @property
    def whole(self) -> Figures:
        return self.sums.whole

    @property
    def in_money(self) -> bool:
        """Whether members were compared by what their units are worth; else by whole units."""
        return bool(self.result["in_money"])

    def cost(self, figures: Figures, side: str) -> Decimal:
        """What the units of a side are worth."""
        return self.worth(figures.units[side])

    def worth(self, units: Mapping[str, int]) -> Decimal:
        return sum((unit.worth(units.get(unit.code, 0)) for unit in self.units), ZERO)

    def share(self, figures: Figures, side: str) -> Decimal | None:
        """What they cost, as a part of what was sold; None where nothing was."""
        return self.cost(figures, side) / figures.revenue if figures.revenue > 0 else None

    @property
    def better(self) -> int:
        return sum(count for place, count in self.sums.spread.items() if place > 0)

    @property
    def worse(self) -> int:
        return sum(count for place, count in self.sums.spread.items() if place < 0)

    @property
    def same(self) -> int:
        return self.sums.spread[0]

    def rules(self) -> Iterator[RuleFigures]:
        """In their order of evaluation; those that the draft leaves out come last."""
        sums, changes = self.sums, self.changes
        units = {unit.code: unit for unit in self.units}
        codes = dict.fromkeys(
            [
                *(rule["code"] for rule in self.backtest.draft["earning_rules"]),
                *(rule["code"] for rule in self.backtest.live["earning_rules"]),
                *sums.rules["live"],
                *sums.rules["draft"],
            ]
        )
        # What no order awards by was not replayed.
        for code in [code for code in codes if code in self.result["rule_names"]]:
            yield RuleFigures(
                code, self.result["rule_names"].get(code, code),
                units[self.result["rule_units"].get(code, self.units[0].code)],
                changes.get(code, ""), sums.rules["live"][code], sums.rules["draft"][code],
                sums.rule_orders["live"][code], sums.rule_orders["draft"][code],
            )  # fmt: skip

    def discounts(self) -> list[DiscountFigures]:
        """Of those that were tried, in their order."""
        tried = Wordings.from_json(self.backtest.draft).beside.discounts
        found = [(item.rule.code, self.result["discounts"][item.rule.code]) for item in tried]
        return [
            DiscountFigures(
                code, kept["name"], Decimal(kept["off"]), kept["orders"], kept["members"],
                dt.date.fromisoformat(kept["used_up"]) if kept["used_up"] else None,
                {
                    dt.date.fromisoformat(day): (Decimal(amount), kept["wanted_orders"][day])
                    for day, amount in kept["wanted"].items()
                },
            )
            for code, kept in found
        ]  # fmt: skip

    @cached_property
    def changes(self) -> dict[str, str]:
        """What became of which rule: added, changed or removed."""
        live, draft = map(Wordings.from_json, (self.backtest.live, self.backtest.draft))
        return live.changed_to(draft)

    def tiers(self) -> list[TierFigures]:
        """The draft's from the first to the highest, then those that only life has; none where no
        other tiers were tried."""
        sums, wanted = self.sums, Wordings.from_json(self.backtest.draft).tiers
        if wanted is None:
            return []
        codes = dict.fromkeys(
            [*(tier.code for tier in wanted.tiers), *sorted(sums.tier_members["live"])]
        )
        return [
            TierFigures(
                code, sums.tier_members["live"][code], sums.tier_members["draft"][code],
                sums.tier_units["live"].get(code, {}), sums.tier_units["draft"].get(code, {}),
            )
            for code in codes
        ]  # fmt: skip

    def moved(self) -> tuple[int, int]:
        """How many members would stand higher among the draft's tiers, and how many lower."""
        wanted = Wordings.from_json(self.backtest.draft).tiers
        ranks = {tier.code: rank for rank, tier in enumerate(wanted.tiers)} if wanted else {}
        pairs = [
            (ranks[new] - ranks[was], count)
            for (was, new), count in self.sums.tier_moves.items()
            if was in ranks and new in ranks
        ]
        return (
            sum(count for more, count in pairs if more > 0),
            sum(count for more, count in pairs if more < 0),
        )

    def months(self) -> list[tuple[str, Figures]]:
        """Those of the period and, where a bonus came later, after it."""
        return sorted(self.sums.months.items())

    def bars(self) -> list[Bar]:
        """The distribution, from the largest loss to the largest gain."""
        spread = self.sums.spread
        if not spread:
            return []
        first, last = min(0, *spread), max(0, *spread)
        return [self._bar(place) for place in range(first, last + 1)]

    def _bar(self, place: int) -> Bar:
        members = self.sums.spread[place]
        if not place:
            return Bar(ZERO, ZERO, members)
        number = abs(place) - 1
        most = EDGES[min(number, len(EDGES) - 1)]
        least = EDGES[number - 1] if number else ZERO
        return Bar(least, most, members) if place > 0 else Bar(-most, -least, members)

    def outstanding(self, side: str) -> Mapping[str, int]:
        return self.sums.outstanding[side]

    @property
    def winners(self) -> list[Example]:
        return self.sums.winners

    @property
    def losers(self) -> list[Example]:
        return self.sums.losers
