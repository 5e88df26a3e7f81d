"""What campaigns will likely cost: by backtests of their rules, beside budgets and each other."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from campaigns.calendar_entries import Entry, Span
from campaigns.campaign_definitions import codes_of
from campaigns.campaign_rules import template_of
from campaigns.models import Campaign, CampaignForecast
from campaigns.selectors.calendar.budgets import most_cost
from campaigns.selectors.campaign_results import given_by
from campaigns.selectors.promo_codes import count_codes
from campaigns.selectors.seasons import planned_in, quarter_of, quarter_span, revenue_by_day
from loyalty.backtest_figures import BacktestFigures
from loyalty.models import Program

DAY = dt.timedelta(days=1)
ZERO = Decimal(0)
# So many courses that it could take, from days of the past drawn by chance; of those what lies in
# the middle eight of ten.
COURSES = 400
LOW, HIGH = 0.1, 0.9
WEEKDAYS = 7
# So many are said on the calendar.
MOST = 12


@dataclass(frozen=True, slots=True)
class Days:
    """What a campaign costs on each day from `first` on, in each of many courses."""

    first: dt.date
    courses: Sequence[Sequence[Decimal]]

    @property
    def length(self) -> int:
        return len(self.courses[0]) if self.courses else 0

    def cost(self, course: int, day: dt.date) -> Decimal:
        number = (day - self.first).days
        return self.courses[course][number] if 0 <= number < self.length else ZERO

    def sums(self) -> list[Decimal]:
        return sorted(sum(course, ZERO) for course in self.courses)

    def within(self, budget: Decimal | None) -> Days:
        """The same under a hard stop."""
        if budget is None:
            return self
        return Days(self.first, [_stopped(course, budget) for course in self.courses])


@dataclass(frozen=True, slots=True)
class RunOut:
    """When a budget is used up: the day in the middle of all courses, and the first and last of
    eight in ten; `last` None: in some of those it lasts. `chance`: how many of a hundred courses
    use it up."""

    day: dt.date | None
    first: dt.date | None
    last: dt.date | None
    chance: int

    @property
    def is_likely(self) -> bool:
        return self.day is not None


@dataclass(frozen=True)
class Outlook:
    """Of one campaign. `state`: none, running, failed, done; `days`: what it
    costs within its own budget; `low`, `high`: eight in ten courses cost between them."""

    campaign: Campaign
    state: str
    forecast: CampaignForecast | None = None
    days: Days | None = None
    own: RunOut | None = None
    shared: RunOut | None = None
    rest: Decimal | None = None
    others: tuple[Campaign, ...] = ()

    @property
    def by_code(self) -> bool:
        """It is what it costs if all for whom it is used its code: that much at most."""
        return codes_of(self.campaign).asked

    @property
    def takes_off(self) -> bool:
        return template_of(self.campaign).takes_off

    @cached_property
    def _sums(self) -> list[Decimal]:
        return self.days.sums() if self.days else [ZERO]

    @property
    def likely(self) -> Decimal:
        return quantile(self._sums, 0.5)

    @property
    def low(self) -> Decimal:
        return quantile(self._sums, LOW)

    @property
    def high(self) -> Decimal:
        return quantile(self._sums, HIGH)


# The rest of what a quarter's campaigns share, what those that go on will cost, and which they are;
# and that by program, year and quarter.
Shared = tuple[Decimal, list[Days], list[Campaign]]
Known = dict[tuple[int, int, int], Shared | None]
# What a day of the past would have cost, and for how many orders, where that is known.
PastDay = tuple[Decimal, int]


def quantile(ordered: Sequence[Decimal], share: float) -> Decimal:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def outlook_of(campaign: Campaign, now: dt.datetime, known: Known | None = None) -> Outlook:
    """What its last forecast says, beside those that are live with it and the rest of the budget
    that they share. `known`: of quarters that were asked for before."""
    forecast = _forecasts([campaign]).get(campaign.pk)
    if forecast is None:
        return Outlook(campaign, "none")
    backtest = forecast.backtest
    if backtest.finished_at is None:
        failed = backtest.job is not None and backtest.job.state in ("failed", "canceled")
        return Outlook(campaign, "failed" if failed else "running", forecast)
    days = days_ahead(campaign, forecast, now)
    if days is None:
        return Outlook(campaign, "done", forecast)
    most = _rest_of_own(campaign)
    own = run_out([days], most) if most is not None else None
    days = days.within(most)
    quarter, known = _quarter(campaign), {} if known is None else known
    shared = None
    if quarter is not None:
        key = campaign.program_id, *quarter
        if key not in known:
            known[key] = _shared(campaign.program, quarter, now)
        shared = known[key]
    if shared is None:
        return Outlook(campaign, "done", forecast, days, own)
    rest, together, others = shared
    beside = tuple(item for item in others if item != campaign)
    return Outlook(campaign, "done", forecast, days, own, run_out(together, rest), rest, beside)


def outlooks_of(entries: Iterable[Entry], now: dt.datetime) -> dict[str, Outlook]:
    """Of what on the calendar was forecast and is not over, by its key; a dozen at most."""
    keys = [item.key for item in entries if item.kind == "promotion" and item.state != "ended"]
    if not keys:
        return {}
    rows = Campaign.objects.filter(
        public_id__in=keys, forecast__backtest__finished_at__isnull=False
    ).select_related("program").prefetch_related("program__wallet_types")  # fmt: skip
    known: Known = {}
    return {
        str(row.public_id): outlook_of(row, now, known) for row in rows.order_by("starts_at")[:MOST]
    }


def _quarter(campaign: Campaign) -> tuple[int, int] | None:
    if campaign.starts_at is None:
        return None
    return quarter_of(campaign.starts_at.astimezone(campaign.program.zone).date())


def quarter_outlooks(program: Program, year: int, now: dt.datetime) -> list[RunOut | None]:
    """For each quarter of a year, when what its campaigns share runs out; None: nothing is said, or
    none of them was forecast."""
    found: list[RunOut | None] = []
    for number in range(1, 5):
        shared = _shared(program, (year, number), now)
        found.append(run_out(shared[1], shared[0]) if shared and shared[1] else None)
    return found


def _shared(program: Program, quarter: tuple[int, int], now: dt.datetime) -> Shared | None:
    """The rest of what campaigns of a quarter share, what those that go on will cost, and which
    those are. None where the quarter has no budget."""
    year, number = quarter
    plan = program.quarter_plans.filter(year=year, quarter=number, budget__isnull=False).first()
    if plan is None or plan.budget is None:
        return None
    rows = planned_in(program, quarter_span(year, number))
    rows = [row for row in rows if _quarter(row) == quarter]
    spent = sum((given_by(row).money for row in rows if row.live_at), ZERO)
    going = [row for row in rows if row.ended_at is None and row.ends_at and row.ends_at > now]
    forecasts = _forecasts(going)
    known = [(row, days) for row in going if (days := days_ahead(row, forecasts.get(row.pk), now))]
    ahead = [days.within(_rest_of_own(row)) for row, days in known]
    return plan.budget - spent, ahead, [row for row, _days in known]


def _rest_of_own(campaign: Campaign) -> Decimal | None:
    """What is left of its own budget; None: it has none in money."""
    most = most_cost(campaign)
    if not most:
        return None
    return max(most - given_by(campaign).money, ZERO) if campaign.live_at else most


def _stopped(course: Sequence[Decimal], budget: Decimal) -> list[Decimal]:
    found: list[Decimal] = []
    for cost in course:
        found.append(min(cost, budget))
        budget -= found[-1]
    return found


def _forecasts(rows: Sequence[Campaign]) -> dict[int, CampaignForecast]:
    found = CampaignForecast.objects.filter(campaign__in=rows)
    found = found.select_related("backtest__job", "backtest__program")
    return {item.campaign_id: item for item in found}


def days_ahead(
    campaign: Campaign, forecast: CampaignForecast | None, now: dt.datetime
) -> Days | None:
    """What it will cost on each of the days that it has left: as on the same weekday of some week
    of the time that was replayed."""
    if forecast is None or forecast.backtest.result is None:
        return None
    if campaign.starts_at is None or campaign.ends_at is None or campaign.ends_at <= now:
        return None
    past = past_days(forecast)
    zone = campaign.program.zone
    first = max(campaign.starts_at, now).astimezone(zone).date()
    last = (campaign.ends_at - dt.timedelta(microseconds=1)).astimezone(zone).date()
    chance = random.Random(f"{campaign.pk}-{forecast.backtest_id}")
    by_weekday = [
        [found for day, found in past.items() if day.weekday() == number]
        for number in range(WEEKDAYS)
    ]
    numbers, uses = range((last - first).days + 1), _rest_of_uses(campaign)
    drawn = (
        [chance.choice(by_weekday[(first + number * DAY).weekday()]) for number in numbers]
        for _course in range(COURSES)
    )
    return Days(first, [_used(course, uses) for course in drawn])


def past_days(forecast: CampaignForecast) -> Mapping[dt.date, PastDay]:
    """What it would have cost on each day that was replayed, if what all share had not stopped it;
    and for how many orders, where something is taken off their prices."""
    own = [
        item
        for item in BacktestFigures(forecast.backtest).discounts()
        if item.code in forecast.rules
    ]
    if not own:
        return {day: (cost, 0) for day, cost in past_costs(forecast).items()}
    span = Span(forecast.backtest.since, forecast.backtest.until)
    days = [span.first + number * DAY for number in range(span.days)]
    found = {day: [item.wanted.get(day, (ZERO, 0)) for item in own] for day in days}
    return {
        day: (sum((cost for cost, _orders in parts), ZERO), sum(orders for _cost, orders in parts))
        for day, parts in found.items()
    }


def _rest_of_uses(campaign: Campaign) -> int | None:
    """How many orders may have its code yet; None: however many."""
    if not (template_of(campaign).takes_off and codes_of(campaign).asked):
        return None
    counted = count_codes(campaign)
    if not counted.most:
        return None
    return max(counted.most - counted.used - counted.held, 0)


def _used(course: Sequence[PastDay], uses: int | None) -> list[Decimal]:
    """What each day costs, until so many orders had it; of a day's orders each as much."""
    if uses is None:
        return [cost for cost, _orders in course]
    found: list[Decimal] = []
    for cost, orders in course:
        part = min(orders, uses)
        found.append(cost * part / orders if orders else ZERO)
        uses -= part
    return found


def past_costs(forecast: CampaignForecast) -> Mapping[dt.date, Decimal]:
    """What its rules would have given on each day that was replayed, if its own budget had not
    stopped them. Of rules without a budget that is the whole, by what was sold on which day."""
    backtest = forecast.backtest
    own = [rule for rule in BacktestFigures(backtest).rules() if rule.code in forecast.rules]
    span = Span(backtest.since, backtest.until)
    days = [span.first + number * DAY for number in range(span.days)]
    wanted: Mapping[str, Mapping[str, int]] = (backtest.result or {}).get("wanted", {})
    limited = [(rule.unit, wanted[rule.code]) for rule in own if rule.code in wanted]
    if limited:
        return {
            day: sum((unit.worth(by_day.get(str(day), 0)) for unit, by_day in limited), ZERO)
            for day in days
        }
    whole = sum((rule.unit.worth(rule.draft) for rule in own), ZERO)
    sold = revenue_by_day(backtest.program, span)
    revenue = sum((amount for amount, _orders in sold.values()), ZERO)
    if not revenue:
        return dict.fromkeys(days, whole / span.days)
    return {day: whole * sold.get(day, (ZERO, 0))[0] / revenue for day in days}


def run_out(together: Sequence[Days], budget: Decimal) -> RunOut:
    """When so much is used up by all of them, in whichever course."""
    if not together:
        return RunOut(None, None, None, 0)
    first = min(days.first for days in together)
    last = max(days.first + days.length * DAY for days in together)
    found = sorted(_day_of(together, budget, course, first, last) for course in range(COURSES))
    out = [day for day in found if day < last]
    middle, early, late = (
        day if day < last else None
        for day in (found[int(COURSES * share)] for share in (0.5, LOW, HIGH))
    )
    return RunOut(middle, early, late, round(100 * len(out) / COURSES))


def _day_of(
    together: Sequence[Days], budget: Decimal, course: int, first: dt.date, last: dt.date
) -> dt.date:
    """`last`: it lasts."""
    left, day = budget, first
    while day < last:
        left -= sum((days.cost(course, day) for days in together), ZERO)
        if left <= 0:
            return day
        day += DAY
    return last


def may_be_forecast(campaign: Campaign) -> bool:
    return template_of(campaign).is_replayed
