"""`evaluate(versions, occasion)`: the one place where an order becomes units.

Pure: the same call prices a live order, an import, a correction years later, a quote and a
backtest.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from loyalty.rules.bodies import (
    AwardingBody,
    CashbackBody,
    EarningBody,
    FixedBody,
    MultiplierBody,
    RateBody,
    WindowedBody,
)
from loyalty.rules.bonus import award as bonus
from loyalty.rules.bonus import counted
from loyalty.rules.caps import NO_LIMIT, Room, cap, smallest_units
from loyalty.rules.discounts import DiscountVersion
from loyalty.rules.facts import NO_CONTEXT, ZERO, Context, Occasion, When
from loyalty.rules.lots import LotTerms
from loyalty.rules.rate import Earning, earn, fixed
from loyalty.rules.reckoning import Reckoner, Step
from loyalty.rules.stacking import Base, Multiplying, best_of_groups, multiply

__all__ = ["Award", "Decision", "RuleVersion", "Rulebook", "Step", "evaluate"]

NOT_MET: tuple[Step, ...] = (("not_met",),)
STOPPED: tuple[Step, ...] = (("stopped",),)


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """A published wording of an earning rule, in force for orders placed in [starts_at,
    ends_at). `when`: its condition, if it has one."""

    id: int
    rule_name: str
    number: int
    wallet_type_id: int
    scale: int
    body: AwardingBody
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None
    rule_id: int = 0
    lot_terms: LotTerms | None = None
    rule_code: str = ""
    when: When | None = None

    def in_force(self, at: dt.datetime) -> bool:
        return (self.starts_at is None or self.starts_at <= at) and (
            self.ends_at is None or at < self.ends_at
        )


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Every published rule version of one program, in order of evaluation: those for orders, those
    for what members do besides, and what is taken off the price."""

    program_id: int
    versions: tuple[RuleVersion, ...]
    others: tuple[RuleVersion, ...] = ()
    discounts: tuple[DiscountVersion, ...] = ()

    def in_force(self, at: dt.datetime) -> tuple[RuleVersion, ...]:
        return tuple(version for version in self.versions if version.in_force(at))

    def others_in_force(self, at: dt.datetime) -> tuple[RuleVersion, ...]:
        return tuple(version for version in self.others if version.in_force(at))

    def discounts_in_force(self, at: dt.datetime) -> tuple[DiscountVersion, ...]:
        return tuple(version for version in self.discounts if version.in_force(at))

    def named(self, ids: Iterable[int]) -> tuple[RuleVersion, ...]:
        """The versions recorded when an order was first priced, in the order of evaluation of
        then."""
        known = {version.id: version for version in self.versions}
        return tuple(known[pk] for pk in ids if pk in known)


@dataclass(frozen=True, slots=True)
class Award:
    """One rule's result for one event. `units` are integers at the wallet type's scale, ≥ 0."""

    version: RuleVersion
    units: int
    steps: tuple[Step, ...]
    # Of a rule that belongs to a window: what this event brings towards it. Its units are those of
    # the window, so the event itself has none.
    counted: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    awards: tuple[Award, ...]

    def units(self) -> dict[int, int]:
        """Units by rule version id."""
        return {award.version.id: award.units for award in self.awards}


def evaluate(
    versions: Iterable[RuleVersion],
    occasion: Occasion,
    rooms: Mapping[int, Room] | None = None,
    *,
    context: Context = NO_CONTEXT,
    multiplying: Multiplying = "best",
    reckoner: Reckoner | None = None,
) -> Decision:
    """What an order deserves under these rule versions. Every version answers, also with zero.

    `rooms`: what is left under the caps of a version, by its id. `multiplying`: how several
    multipliers work together. `reckoner`: of the same basket, when it was judged by other rules
    before.
    """
    judgment = _Judgment(occasion, rooms or {}, context, multiplying, reckoner)
    versions = tuple(versions)
    for version in versions:
        judgment.ask(version)
    judgment.settle_groups()
    judgment.multiply()
    return Decision(tuple(judgment.awards[version.id] for version in versions))


class _Judgment:
    """One order before one program's rules."""

    def __init__(
        self,
        occasion: Occasion,
        rooms: Mapping[int, Room],
        context: Context,
        multiplying: Multiplying,
        reckoner: Reckoner | None,
    ) -> None:
        self.occasion, self.rooms, self.context = occasion, rooms, context
        self.multiplying = multiplying
        self.reckoner = reckoner or Reckoner(occasion.basket)
        self.awards: dict[int, Award] = {}
        self.bases: dict[int, dict[int, Base]] = {}
        self.multipliers: dict[int, list[RuleVersion]] = {}
        self.stopped: set[int] = set()
        self.groups: dict[int, tuple[int, str]] = {}

    def ask(self, version: RuleVersion) -> None:
        """What a version gives by itself; those that multiply wait for what they multiply."""
        body = version.body
        windowed = isinstance(body, WindowedBody) and body.windowed
        if not self._holds(version):
            self._give(version, 0, NOT_MET, ZERO if windowed else None)
        elif isinstance(body, WindowedBody) and windowed:
            amount, steps = counted(body, self.reckoner)
            self._give(version, 0, steps, amount)
        elif version.wallet_type_id in self.stopped:
            self._give(version, 0, STOPPED)
        elif isinstance(body, MultiplierBody):
            self.multipliers.setdefault(version.wallet_type_id, []).append(version)
            if body.stops and self.reckoner.eligible(body):
                self.stopped.add(version.wallet_type_id)
        else:
            self._cap_and_give(version, *self._own(version))

    def _holds(self, version: RuleVersion) -> bool:
        if version.when is None:
            return True
        return version.when.holds(self.occasion, self.context.answers.get(version.id, ""))

    def _own(self, version: RuleVersion) -> tuple[int, tuple[Step, ...]]:
        body = version.body
        if isinstance(body, RateBody | CashbackBody):
            spent = self.context.spent.get(version.id, ZERO)
            key, known = (version.id, spent), self.reckoner.earnings
            earning: Earning = known.get(key) or earn(body, self.reckoner, version.scale, spent)
            known[key] = earning
            self._remember(version, earning)
            return earning.units, earning.steps
        if isinstance(body, FixedBody):
            return fixed(body, self.reckoner, version.scale)
        assert isinstance(body, WindowedBody)
        amount, steps = counted(body, self.reckoner)
        units, more = bonus(body, amount, version.scale)
        return units, (*steps, *more)

    def _remember(self, version: RuleVersion, earning: Earning) -> None:
        if earning.units or any(earning.bases.values()):
            most = version.body.caps.per_order
            limit = None if most is None else smallest_units(most, version.scale)
            base = Base(version.rule_code, earning, limit)
            self.bases.setdefault(version.wallet_type_id, {})[version.id] = base

    def settle_groups(self) -> None:
        """Of each exclusive group only the best stays; what gave way is not multiplied."""
        if len(self.groups) < 2:
            return
        units = {pk: self.awards[pk].units for pk in self.groups}
        for loser, winner in best_of_groups(self.groups, units).items():
            award = self.awards[loser]
            if award.units:
                self._give(award.version, 0, (*award.steps, self._given_way_to(winner)))
                self.bases.get(award.version.wallet_type_id, {}).pop(loser, None)

    def multiply(self) -> None:
        for wallet_type_id, versions in self.multipliers.items():
            bases = tuple(self.bases.get(wallet_type_id, {}).values())
            left = self._best_multipliers(versions, bases)
            found = multiply(_bodies(left), bases, self.reckoner, self.multiplying)
            for version, (units, steps) in zip(left, found, strict=True):
                self._cap_and_give(version, units, steps)

    def _best_multipliers(
        self, versions: list[RuleVersion], bases: tuple[Base, ...]
    ) -> list[RuleVersion]:
        """Without those that give way in their group: each is tried alone."""
        groups = {
            version.id: (version.wallet_type_id, group)
            for version in versions
            if (group := _group(version))
        }
        if len(groups) < 2:
            return versions
        units = {
            version.id: multiply(_bodies([version]), bases, self.reckoner, "best")[0][0]
            for version in versions
            if version.id in groups
        }
        losers = best_of_groups(groups, units)
        names = {version.id: version.rule_name for version in versions}
        for version in versions:
            if version.id in losers:
                self._give(version, 0, (("given_way", names[losers[version.id]]),))
        return [version for version in versions if version.id not in losers]

    def _given_way_to(self, winner: int) -> Step:
        return "given_way", self.awards[winner].version.rule_name

    def _cap_and_give(self, version: RuleVersion, units: int, steps: tuple[Step, ...]) -> None:
        body = version.body
        assert isinstance(body, EarningBody)
        if units:
            room = self.rooms.get(version.id, NO_LIMIT)
            units, capped = cap(units, body.caps, room, version.scale)
            steps = (*steps, *capped)
        if body.group and not isinstance(body, MultiplierBody):
            self.groups[version.id] = version.wallet_type_id, body.group
        if body.stops and units and not isinstance(body, MultiplierBody):
            self.stopped.add(version.wallet_type_id)
        self._give(version, units, steps)

    def _give(
        self,
        version: RuleVersion,
        units: int,
        steps: tuple[Step, ...],
        amount: Decimal | None = None,
    ) -> None:
        self.awards[version.id] = Award(version, units, steps, amount)


def _group(version: RuleVersion) -> str:
    return version.body.group if isinstance(version.body, EarningBody) else ""


def _bodies(versions: Iterable[RuleVersion]) -> list[MultiplierBody]:
    return [version.body for version in versions if isinstance(version.body, MultiplierBody)]
