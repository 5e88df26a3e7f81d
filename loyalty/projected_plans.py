"""A paid plan over a year in which it was not there: who would have it, what they would pay, and
which units would come with it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from loyalty.plan_definitions import PlanDefinition
from loyalty.projected_rules import ProjectedRules, lot_terms_of
from loyalty.rules.events import Event, Person, Sale
from loyalty.rules.facts import ZERO
from loyalty.rules.lots import OrderTimes, lot_times, matures_at

PERIODS = {"month": 12, "quarter": 4, "year": 1}
MONTHS = 12
YEAR = 365
DAY = dt.timedelta(days=1)

Buyer = tuple[Person, Sequence[Event]]


@dataclass(frozen=True, slots=True)
class PlanYear:
    """`members`: of all buyers; `fees`: what they pay in the year; `credits`: worth of the units
    that come with it, and `lasting` of those that would not have expired by its end."""

    members: int
    fees: Decimal
    credits: Decimal
    lasting: Decimal


def takers(buyers: Sequence[Buyer], share: Decimal) -> frozenset[int]:
    """Places of those who would have it: the ones who spend most. Whoever has most of it takes it,
    so nothing is made to look cheaper than it is."""
    count = int((len(buyers) * share).to_integral_value(ROUND_HALF_UP))
    spent = sorted(range(len(buyers)), key=lambda place: -_spent(buyers[place][1]))
    return frozenset(spent[:count])


def _spent(events: Sequence[Event]) -> Decimal:
    sales = (event for event in events if isinstance(event, Sale) and event.judged)
    return sum((sale.occasion.basket.total for sale in sales), ZERO)


def plan_year(
    rules: ProjectedRules, buyers: int, share: Decimal, since: dt.datetime, until: dt.datetime
) -> PlanYear | None:
    """The time that is looked at, a year at most, less the days of the trial; None: there is no
    plan."""
    plan = rules.plan
    if plan is None:
        return None
    members = int((buyers * share).to_integral_value(ROUND_HALF_UP))
    days = Decimal((until - since) / DAY)
    paid = members * max(days - plan.trial_days, ZERO) / YEAR
    worth, lasting = _credits(rules, plan, since, until)
    return PlanYear(
        members, paid * plan.price * PERIODS[plan.period], paid * worth, paid * worth * lasting
    )


def _credits(
    rules: ProjectedRules, plan: PlanDefinition, since: dt.datetime, until: dt.datetime
) -> tuple[Decimal, Decimal]:
    """What a member is given in a year, in money, and which part of what was given would be there
    at the end."""
    if plan.credits is None:
        return ZERO, ZERO
    units = {unit.code: unit for unit in rules.definition.wallet_types}
    unit = units[plan.credits.wallet_type or rules.definition.wallet_types[0].code]
    own = plan.credits.expiry
    terms = lot_terms_of(unit if own is None else unit.model_copy(update={"expiry": own}))
    times = MONTHS if plan.credits.every == "month" else PERIODS[plan.period]
    lasting = 0
    for number in range(times):
        at = since + (until - since) * number / times
        ends = lot_times(
            terms, at, matures_at(terms, OrderTimes(at, at, at, at), rules.zone), rules.zone
        ).expires_at
        lasting += ends is None or ends > until
    return plan.credits.units * unit.unit_value * times, Decimal(lasting) / times
