"""What a program would have given and cost over the merchant's last year, before it is there: real
orders of real buyers replayed under its rules, as a backtest does. Writes nothing.

A backtest goes through everybody and takes its time; this is asked with every answer that changes,
so it looks at buyers chosen at random and says how far it may be off.
"""

from __future__ import annotations

import datetime as dt
import gc
import zoneinfo
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from loyalty.definitions import ProgramDefinition
from loyalty.drafted_programs import PLAN_SHARE
from loyalty.estimated_buyers import estimated_buyers
from loyalty.models import Program
from loyalty.projected_lives import Outcome, ProjectedLife
from loyalty.projected_plans import PlanYear, plan_year, takers
from loyalty.projected_rules import ProjectedRules
from loyalty.projection_figures import Projection
from loyalty.purchase_habits import Estimates, Habits, Period
from loyalty.rules.events import Event, Person
from loyalty.selectors.order_history import (
    history_period,
    order_spread,
    purchase_habits,
    random_buyers,
    spend_spread,
)
from loyalty.selectors.replayed_orders import Stretch, replayed_customers
from members.program_scope import of_all_programs

# About so many orders are looked at, of so many buyers at least.
ORDERS, BUYERS = 3_000, 100
# Discounts are worked out line by line, which takes longer.
DISCOUNTED_ORDERS, DISCOUNTED_BUYERS = 400, 30
# Of so many choices of buyers the orders are kept in memory between two answers.
KEPT = 2

Buyer = tuple[Person, list[Event]]


@dataclass(frozen=True, slots=True)
class History:
    """What programs are projected on: a period of real orders, or what the merchant estimates."""

    habits: Habits
    period: Period | None = None
    estimates: Estimates | None = None


def history_of(currency: str, now: dt.datetime, estimates: Estimates | None = None) -> History:
    """The merchant's own year where there is one; else the estimates, if there are any."""
    period = history_period(currency, now)
    if period is not None:
        return History(purchase_habits(period), period)
    if estimates is not None:
        return History(estimates.habits(), None, estimates)
    return History(Habits(currency=currency, days=0))


def project(
    definition: ProgramDefinition, history: History, *, reward_units: Decimal | None,
    now: dt.datetime, orders: int = ORDERS, plan_share: Decimal = PLAN_SHARE,
) -> Projection:  # fmt: skip
    """`reward_units`: what the first reward costs in whole main units; None: there is nothing to
    save for. `orders`: about so many are looked at. `plan_share`: of the
    buyers, who takes a paid plan."""
    if history.period is None:
        return _project_estimates(definition, history, reward_units, now, plan_share)
    period = history.period
    rules = ProjectedRules(definition, period.since)
    chosen = _chosen(history.habits, orders, BUYERS)
    if definition.discount_rules and orders == ORDERS:
        chosen = _chosen(history.habits, DISCOUNTED_ORDERS, DISCOUNTED_BUYERS)
    buyers = _buyers(rules, period, chosen)
    outcomes = _outcomes(rules, buyers, reward_units, period.until, plan_share)
    year = plan_year(rules, history.habits.buyers, plan_share, period.since, period.until)
    return _projection(rules, outcomes, history, _tiers(rules, period, outcomes), year)


def _project_estimates(
    definition: ProgramDefinition, history: History, reward: Decimal | None, now: dt.datetime,
    plan_share: Decimal,
) -> Projection:  # fmt: skip
    if history.estimates is None:
        rules = ProjectedRules(definition, now)
        return _projection(rules, [], history, [])
    since = now - dt.timedelta(days=365)
    rules = ProjectedRules(definition, since)
    buyers = estimated_buyers(history.estimates, since, rules.zone)
    outcomes = _outcomes(rules, buyers, reward, now, plan_share)
    scale = Decimal(history.habits.buyers) / len(outcomes) if outcomes else Decimal(0)
    counts = [sum(one.rank == rank for one in outcomes) for rank in range(len(rules.steps))]
    names = [step.name for step in rules.steps]
    tiers = [(name, round(n * scale)) for name, n in zip(names, counts, strict=True)]
    year = plan_year(rules, history.habits.buyers, plan_share, since, now)
    return _projection(rules, outcomes, history, tiers, year)


def _projection(
    rules: ProjectedRules, outcomes: Sequence[Outcome], history: History,
    tiers: Sequence[tuple[str, int]], plan: PlanYear | None = None,
) -> Projection:  # fmt: skip
    habits = history.habits
    unit = rules.definition.wallet_types[0]
    birthdays = sum(
        (
            step.birthday * members * unit.unit_value
            for step, (_name, members) in zip(rules.steps, tiers, strict=False)
        ),
        Decimal(0),
    )
    return Projection(
        outcomes=outcomes,
        buyers=habits.buyers if not habits.estimated else len(outcomes),
        revenue=habits.net,
        yearly=rules.yearly() * habits.buyers + birthdays,
        tiers=tiers,
        rule_names={rule.code: rule.name for rule in rules.definition.earning_rules},
        plan=plan,
        estimated=habits.estimated,
    )


def _outcomes(
    rules: ProjectedRules, buyers: Sequence[Buyer], reward: Decimal | None, until: dt.datetime,
    plan_share: Decimal,
) -> list[Outcome]:  # fmt: skip
    scale = rules.definition.wallet_types[0].decimals
    units = None if reward is None else int(reward.scaleb(scale).to_integral_value())
    having = takers(buyers, plan_share) if rules.plan else frozenset()
    gc.disable()
    try:
        found = [
            ProjectedLife(rules, person, units, until, has_plan=place in having).live(events)
            for place, (person, events) in enumerate(buyers)
        ]
    finally:
        gc.enable()
    return [one for one in found if one.purchases]


def _tiers(
    rules: ProjectedRules, period: Period, outcomes: Sequence[Outcome]
) -> list[tuple[str, int]]:
    """Of all buyers where money or orders decide; where units do, as those who were looked at."""
    if not rules.steps:
        return []
    names = [step.name for step in rules.steps]
    thresholds = [step.threshold for step in rules.steps]
    spread = order_spread(period) if rules.by_orders else spend_spread(period)
    if rules.tier_unit is None:
        return [(name, n) for name, (n, _u) in zip(names, spread.over(thresholds), strict=True)]
    counts = [sum(one.rank == rank for one in outcomes) for rank in range(len(names))]
    scale = Decimal(spread.members) / len(outcomes) if outcomes else Decimal(0)
    return [(name, round(n * scale)) for name, n in zip(names, counts, strict=True)]


def _chosen(habits: Habits, orders: int, least: int) -> int | None:
    """How many buyers; None: everybody, because they are few enough."""
    if habits.orders <= orders * 1.5 or habits.buyers <= least:
        return None
    return max(round(orders * habits.buyers / habits.orders), least)


def _buyers(rules: ProjectedRules, period: Period, chosen: int | None) -> tuple[Buyer, ...]:
    """Kept between two answers: their orders are the same, only the rules are others."""
    program = rules.program
    mark = _Mark(
        period, chosen, rules.scopes, str(rules.zone), program.linked_returns,
        program.unlinked_returns,
    )  # fmt: skip
    return _load(mark)


@dataclass(frozen=True, slots=True)
class _Mark:
    """What decides which events are read. The period has a mark that changes with its orders."""

    period: Period
    chosen: int | None
    scopes: frozenset[str]
    zone: str
    linked_returns: str
    unlinked_returns: str


@lru_cache(maxsize=KEPT)
@of_all_programs()
def _load(mark: _Mark) -> tuple[Buyer, ...]:
    return tuple(_read(mark))


def _read(mark: _Mark) -> Iterator[Buyer]:
    period = mark.period
    program = Program(
        pk=0, currency=period.currency, time_zone=str(zoneinfo.ZoneInfo(mark.zone)),
        linked_returns=mark.linked_returns, unlinked_returns=mark.unlinked_returns,
    )  # fmt: skip
    customers = random_buyers(period, mark.chosen)
    if not customers:
        return
    stretch = Stretch(program, period.since, period.until, mark.scopes, tuple(customers))
    for one in replayed_customers(stretch, min(customers), max(customers)):
        yield one.person, one.events
