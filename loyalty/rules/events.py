"""What a replay goes through: orders, what came back of them, who bought, and what rules gave."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from loyalty.rules.amounts import Amounts
from loyalty.rules.behavior import Behavior
from loyalty.rules.caps import NO_LIMIT, Room, smallest_units
from loyalty.rules.companies import CompanyFacts
from loyalty.rules.engine import RuleVersion
from loyalty.rules.exchange import Exchange
from loyalty.rules.facts import Occasion, Return
from loyalty.rules.plans import PlanSpan
from loyalty.rules.program_times import ALWAYS, ProgramTimes


# Sales and credits are never changed; there are too many of them to be frozen, which is dear.
@dataclass(slots=True, unsafe_hash=True)
class Sale:
    """An order as it was placed. `judged`: it is one of the program's; others are only what the
    member did before. `returned`: something of it came back later. `goods`: what its lines come to,
    as a reckoner wants it."""

    id: int
    occasion: Occasion
    judged: bool = True
    returned: bool = False
    goods: Amounts | None = field(default=None, hash=False, compare=False)
    at: dt.datetime = field(init=False)

    def __post_init__(self) -> None:
        self.at = self.occasion.moment.now


@dataclass(frozen=True, slots=True)
class GivenBack:
    """A refund. `sale`: its order, where that is replayed; `linked`: it names one, which was placed
    `ordered_at` where it is known. `elsewhere`: it was told for another program alone."""

    at: dt.datetime
    currency: str
    given: Return
    sale: Sale | None = None
    linked: bool = False
    ordered_at: dt.datetime | None = None
    elsewhere: bool = False

    @property
    def exchange(self) -> Exchange | None:
        """By which its order was converted."""
        return self.sale.occasion.exchange if self.sale is not None else None


Event = Sale | GivenBack


class Pricing(Protocol):
    """Which tier prices an order, asked in the order of time. `leading`: what is bought then may
    lead to another one; what comes back leads nowhere."""

    def pricing(self, at: dt.datetime, *, leading: bool = True) -> Any: ...


@dataclass(frozen=True, slots=True)
class Person:
    """Who bought, as they were before their first event. `balances`: by wallet type; without
    `enrolled_at` they join with their first order. `tiers`: the ones that priced their orders."""

    customer: Any = None
    segments: frozenset[str] = frozenset()
    enrolled_at: dt.datetime | None = None
    balances: Mapping[int, int] = field(default_factory=dict)
    behavior: Behavior = field(default_factory=Behavior)
    tiers: Pricing | None = None
    plans: tuple[PlanSpan, ...] = ()
    # The company that they bought for, by the moment of each order.
    companies: Mapping[dt.datetime, CompanyFacts] = field(default_factory=dict)
    # What higher applications know of them, by scope and the moment of each order.
    elsewhere: Mapping[str, Mapping[dt.datetime, Any]] = field(default_factory=dict)
    # How many orders they had placed since they joined.
    orders_as_member: int = 0


@dataclass(frozen=True, slots=True)
class Program:
    """How a program treats what happened, whichever its rules are."""

    zone: zoneinfo.ZoneInfo
    currency: str
    reconciles_linked: bool = True
    takes_back_unlinked: bool = True
    times: ProgramTimes = ALWAYS


@dataclass(slots=True, unsafe_hash=True)
class Credit:
    """Units that a rule gave, or took back where they are below zero. `sale` None: for a return
    that stands for itself. `later`: the rule may have given something for the sale before."""

    sale: Sale | None
    at: dt.datetime
    version: RuleVersion
    units: int
    later: bool = False


class Budgets(Protocol):
    """What is left of the budgets of rules, for everybody together. `order`: what is judged, which
    of those of one moment; 0: no order."""

    def room(self, version: RuleVersion, at: dt.datetime, order: int = 0) -> Room: ...

    def take(self, version: RuleVersion, at: dt.datetime, units: int) -> None: ...


class Unlimited:
    """As if rules had no budgets."""

    def room(self, version: RuleVersion, at: dt.datetime, order: int = 0) -> Room:
        return NO_LIMIT

    def take(self, version: RuleVersion, at: dt.datetime, units: int) -> None:
        return None


class SharedBudgets:
    """Budgets as they are used up when all members' events come in the order of time."""

    def __init__(self) -> None:
        self.used: defaultdict[int, int] = defaultdict(int)
        self.worth: defaultdict[int, Decimal] = defaultdict(Decimal)

    def room(self, version: RuleVersion, at: dt.datetime, order: int = 0) -> Room:
        caps, budget, money = version.body.caps, None, None
        if caps.budget is not None:
            most = smallest_units(caps.budget, version.scale)
            budget = max(most - self.used[version.budget_key], 0)
        if caps.budget_money is not None:
            left = caps.budget_money - self.worth[version.budget_key]
            money = version.worth.units_for(left, version.scale, at)
        return Room(budget=budget, money=money)

    def take(self, version: RuleVersion, at: dt.datetime, units: int) -> None:
        self.used[version.budget_key] += units
        if version.body.caps.budget_money is not None:
            self.worth[version.budget_key] += version.worth_of(units, at)


def in_order(events: Iterable[Event]) -> list[Event]:
    """As they happened; what came back in the moment of a sale came after it."""
    return sorted(events, key=lambda event: (event.at, isinstance(event, GivenBack)))
