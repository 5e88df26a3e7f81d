"""`evaluate(versions, occasion)`: the one place where an order becomes units.

Pure: the same call prices a live order, an import, a correction years later, a quote and a
backtest.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property, lru_cache

from loyalty.rules.bodies import (
    AwardingBody,
    CashbackBody,
    EarningBody,
    FixedBody,
    MultiplierBody,
    RateBody,
    WindowedBody,
)
from loyalty.rules.bonus import awarder, counter
from loyalty.rules.caps import NO_LIMIT, Room, cap, smallest_units
from loyalty.rules.discounts import DiscountVersion
from loyalty.rules.facts import NO_CONTEXT, NOTHING, ZERO, Context, Occasion, When
from loyalty.rules.lots import LotTerms
from loyalty.rules.rate import Earned, earner, fixed, measures_quantity
from loyalty.rules.reckoning import Measured, Reckoner, yardstick_of
from loyalty.rules.stacking import Base, Multiplier, Multiplying, best_of_groups, together_as
from loyalty.rules.steps import Kept, Step, Steps, says, told
from loyalty.rules.worth import NO_WORTH, Worth

__all__ = ["Award", "Decision", "RuleVersion", "Rulebook", "Step", "evaluate"]

NOT_MET: Steps = (("not_met",),)
# Awards of nothing that a rule keeps ready, one for each number of lines.
NOTHINGS = 100
NO_RECKONER = Reckoner(NOTHING)
NO_ROOMS: Mapping[int, Room] = {}
NOTHING_STOPPED: frozenset[int] = frozenset()
STOPPED: Steps = (("stopped",),)


@dataclass(frozen=True)
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
    # The rule in whose counters the caps are kept that several share; 0: it has its own.
    shared_budget: int = 0
    # What its units are worth, where it has a budget in money.
    worth: Worth = NO_WORTH

    @property
    def budget_key(self) -> int:
        """The rule by which its caps for a member and in all are counted."""
        return self.shared_budget or self.rule_id

    def in_force(self, at: dt.datetime) -> bool:
        return (self.starts_at is None or self.starts_at <= at) and (
            self.ends_at is None or at < self.ends_at
        )

    @cached_property
    def most(self) -> int | None:
        """Its limit for one order, in the smallest units."""
        most = self.body.caps.per_order
        return None if most is None else smallest_units(most, self.scale)

    @cached_property
    def counts(self) -> bool:
        """Whether what it gives counts in a member's or everybody's cap."""
        return self.body.caps.counted

    def worth_of(self, units: int, at: dt.datetime) -> Decimal:
        """What so many of its units are worth when they are given for what happened then."""
        return self.worth.of(units, self.scale, at)

    @cached_property
    def judge(self) -> Judge:
        """Made ready once to judge many orders."""
        return _judge(self)


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


@dataclass(slots=True)
class Award:
    """One rule's result for one event. `units` are integers at the wallet type's scale, ≥ 0. Never
    changed once it is made; to be frozen as well would cost more than what is in it."""

    version: RuleVersion
    units: int
    kept: Kept
    # Of a rule that belongs to a window: what this event brings towards it. Its units are those of
    # the window, so the event itself has none.
    counted: Decimal | None = None

    @property
    def steps(self) -> Steps:
        """The arithmetic, in text."""
        return told(self.kept)

    def says(self, code: str) -> bool:
        """Whether the rule itself made this step."""
        return says(self.kept, code)


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
) -> Decision:
    """What an order deserves under these rule versions. Every version answers, also with zero.

    `rooms`: what is left under the caps of a version, by its id. `multiplying`: how several
    multipliers work together.
    """
    judges, reckoner = [version.judge for version in versions], Reckoner(occasion.basket)
    found = judged(judges, occasion, reckoner, rooms or NO_ROOMS, context, multiplying)
    return Decision(tuple(found))


def judged(
    judges: Sequence[Judge],
    occasion: Occasion,
    reckoner: Reckoner,
    rooms: Mapping[int, Room],
    context: Context,
    multiplying: Multiplying,
) -> list[Award]:
    """The same by what versions are to judge by; `reckoner` is of the order's basket."""
    judgment, answers = _Judgment(rooms, context.spent, reckoner), context.answers
    judgment.awards = awards = [
        ask(judgment, place)
        if holds is None or holds(occasion, answers.get(pk, "") if answers else "")
        else unmet
        for place, (pk, holds, unmet, ask) in enumerate(judges)
    ]
    if judgment.groups is not None and len(judgment.groups) > 1:
        judgment.settle_groups(judgment.groups)
    if judgment.multipliers:
        judgment.multiply(multiplying)
    return awards


class _Judgment:
    """One order before one program's rules. Rules are known by their places in the list."""

    __slots__ = (
        "awards", "bases", "groups", "multipliers", "reckoner", "rooms", "spent", "stopped",
        "taken",
    )  # fmt: skip

    def __init__(
        self, rooms: Mapping[int, Room], spent: Mapping[int, Decimal], reckoner: Reckoner
    ) -> None:
        self.rooms, self.spent, self.reckoner = rooms, spent, reckoner
        self.awards: list[Award] = []
        # With the wallet type of each; by place.
        self.bases: dict[int, tuple[int, Base, Earned]] = {}
        self.multipliers: dict[int, tuple[int, Multiplier]] = {}
        self.stopped = NOTHING_STOPPED
        self.groups: dict[int, tuple[int, str]] | None = None
        # What rules before have left less of the caps that they share, by the rule that counts.
        self.taken: dict[int, int] | None = None

    def settle_groups(self, groups: Mapping[int, tuple[int, str]]) -> None:
        """Of each exclusive group only the best stays; what gave way is not multiplied."""
        units = {place: self.awards[place].units for place in groups}
        for loser, winner in best_of_groups(groups, units).items():
            award = self.awards[loser]
            if award.units:
                kept = (*award.kept, self._given_way_to(winner))
                self.awards[loser] = replace(award, units=0, kept=kept)
                self.bases.pop(loser, None)

    def multiply(self, how: Multiplying) -> None:
        """Multipliers multiply what their own units' rates and cashback gave."""
        if len(self.multipliers) == 1:
            [(place, (unit, multiplier))] = self.multipliers.items()
            self._add(place, *multiplier.alone(self._bases_of(unit), self.reckoner))
            return
        for unit in dict.fromkeys([unit for unit, _each in self.multipliers.values()]):
            multipliers = {
                place: each for place, (own, each) in self.multipliers.items() if own == unit
            }
            bases = self._bases_of(unit)
            together = together_as(tuple(multipliers.values()), how)
            if together.grouped:
                self._drop_losers(multipliers, bases)
                together = together_as(tuple(multipliers.values()), how)
            found = together.multiply(bases, self.reckoner)
            for place, (units, kept) in zip(multipliers, found, strict=True):
                self._add(place, units, kept)

    def _bases_of(self, unit: int) -> list[tuple[Base, Earned]]:
        return [(base, earned) for own, base, earned in self.bases.values() if own == unit]

    def _add(self, place: int, units: int, kept: Kept) -> None:
        """What a multiplier adds, if it does."""
        if kept:
            version = self.awards[place].version
            award = Award(version, units, kept)
            if self.rooms or version.most is not None:
                award = self.capped(award)
            self.awards[place] = award

    def _drop_losers(
        self, multipliers: dict[int, Multiplier], bases: Sequence[tuple[Base, Earned]]
    ) -> None:
        """Leave out those that give way in their group: each is tried alone."""
        groups = {place: (0, each.group) for place, each in multipliers.items() if each.group}
        units = {place: multipliers[place].alone(bases, self.reckoner)[0] for place in groups}
        for loser, winner in best_of_groups(groups, units).items():
            kept = (self._given_way_to(winner),)
            self.awards[loser] = replace(self.awards[loser], kept=kept)
            del multipliers[loser]

    def _given_way_to(self, winner: int) -> Step:
        return "given_way", self.awards[winner].version.rule_name

    def capped(self, award: Award) -> Award:
        """What the caps leave of its units."""
        version = award.version
        room = self.rooms.get(version.id, NO_LIMIT)
        if version.shared_budget and room is not NO_LIMIT:
            return self.capped_together(award, room)
        units, more = cap(award.units, version.body.caps, room, version.scale)
        return Award(version, units, (*award.kept, *more)) if more else award

    def capped_together(self, award: Award, room: Room) -> Award:
        """The same where rules share their caps: those before have left less of them."""
        version = award.version
        if self.taken is None:
            self.taken = {}
        taken = self.taken.get(version.shared_budget, 0)
        less = room.with_less(taken)
        units, more = cap(award.units, version.body.caps, less, version.scale)
        self.taken[version.shared_budget] = taken + units
        return Award(version, units, (*award.kept, *more)) if more else award


# What a rule version gives for an order, at its place in the list.
Ask = Callable[[_Judgment, int], Award]
Own = Callable[[Reckoner], tuple[int, Kept]]
Bear = Callable[[_Judgment, int, Award], None]
Holds = Callable[[Occasion, str], bool]
Judge = tuple[int, Holds | None, Award, Ask]


def _judge(version: RuleVersion) -> Judge:
    """Its id and its condition, what it gives where that is not met, and where it is."""
    windowed = isinstance(version.body, WindowedBody) and version.body.windowed
    unmet = Award(version, 0, NOT_MET, ZERO if windowed else None)
    holds = None if version.when is None else version.when.holds
    return version.id, holds, unmet, _asked(version)


def _asked(version: RuleVersion) -> Ask:
    body = version.body
    if isinstance(body, MultiplierBody):
        return _waiting(version, body)
    if isinstance(body, WindowedBody) and body.windowed:
        return _counting(version, body)
    assert isinstance(body, EarningBody)
    if isinstance(body, RateBody | CashbackBody):
        return _earning(version, body, _bearing(version, body))
    return _awarding(version, _own(version, body), _bearing(version, body))


def _counting(version: RuleVersion, body: WindowedBody) -> Ask:
    count = counter(body)

    def ask(judgment: _Judgment, _place: int) -> Award:
        amount, measured = count(judgment.reckoner)
        return Award(version, 0, (measured,), amount)

    return ask


def _waiting(version: RuleVersion, body: MultiplierBody) -> Ask:
    """A multiplier waits for what it multiplies."""
    multiplier, wallet_type_id, stops = Multiplier(body), version.wallet_type_id, body.stops
    nothing, stopped = Award(version, 0, ()), Award(version, 0, STOPPED)
    entry = wallet_type_id, multiplier
    scope, idle = multiplier.scope, not multiplier.scope.whole and not multiplier.group

    def ask(judgment: _Judgment, place: int) -> Award:
        if wallet_type_id in judgment.stopped:
            return stopped
        if idle and not judgment.reckoner.eligible(scope):
            return nothing
        judgment.multipliers[place] = entry
        if stops and judgment.reckoner.eligible(scope):
            judgment.stopped |= {wallet_type_id}
        return nothing

    return ask


def _awarding(version: RuleVersion, own: Own, bear: Bear | None) -> Ask:
    wallet_type_id, stopped, most = version.wallet_type_id, Award(version, 0, STOPPED), version.most

    def ask(judgment: _Judgment, place: int) -> Award:
        if wallet_type_id in judgment.stopped:
            return stopped
        units, kept = own(judgment.reckoner)
        award = Award(version, units, kept)
        if judgment.rooms or (most is not None and units > most):
            award = judgment.capped(award)
        if bear is not None:
            bear(judgment, place, award)
        return award

    return ask


def _earning(version: RuleVersion, body: RateBody | CashbackBody, bear: Bear | None) -> Ask:
    """Rates and cashback are remembered for what multiplies them."""
    yardstick, by_quantity = yardstick_of(body), measures_quantity(body)
    earn, scope = earner(body, version.scale), yardstick.scope
    pk, wallet_type_id, most = version.id, version.wallet_type_id, version.most
    base = Base(version.rule_code, version.most, 10**version.scale, version.rule_name)
    stopped = Award(version, 0, STOPPED)

    @lru_cache(maxsize=NOTHINGS)
    def nothing(measured: Measured) -> Award:
        """The same for many baskets: neither caps nor other rules can make anything of it."""
        return Award(version, 0, earn(NO_RECKONER, measured, ZERO)[1])

    def ask(judgment: _Judgment, place: int) -> Award:
        if wallet_type_id in judgment.stopped:
            return stopped
        reckoner, spent = judgment.reckoner, judgment.spent
        measured = reckoner.quantities(scope) if by_quantity else reckoner.money(yardstick)
        if measured.nothing:
            return nothing(measured)
        earned = earn(reckoner, measured, spent.get(pk, ZERO) if spent else ZERO)
        units, kept, _measured, _terms = earned
        judgment.bases[place] = wallet_type_id, base, earned
        award = Award(version, units, kept)
        if judgment.rooms or (most is not None and units > most):
            award = judgment.capped(award)
        if bear is not None:
            bear(judgment, place, award)
        return award

    return ask


def _bearing(version: RuleVersion, body: EarningBody) -> Bear | None:
    """What it is to others; None: nothing."""
    wallet_type_id, stops = version.wallet_type_id, body.stops
    group = (wallet_type_id, body.group) if body.group else None

    def bear(judgment: _Judgment, place: int, award: Award) -> None:
        if group is not None:
            if judgment.groups is None:
                judgment.groups = {}
            judgment.groups[place] = group
        if stops and award.units:
            judgment.stopped |= {wallet_type_id}

    return bear if group is not None or stops else None


def _own(version: RuleVersion, body: EarningBody) -> Own:
    if isinstance(body, FixedBody):
        return fixed(body, version.scale)
    assert isinstance(body, WindowedBody)
    count, reach = counter(body), awarder(body, version.scale)

    def of_one_order(reckoner: Reckoner) -> tuple[int, Kept]:
        amount, measured = count(reckoner)
        units, step = reach(amount)
        return units, (measured, step)

    return of_one_order
