"""How far somebody is: purchases in the order in which they were made, whenever they were told, go
through the steps one after the other."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from campaigns.challenges.purchases import Purchase
from campaigns.challenges.steps import (
    CategoriesStep,
    CollectionStep,
    CountStep,
    SpendStep,
    Step,
    StreakStep,
)
from loyalty.rules.facts import ZERO

DONE = 100
# From so many percent on somebody is nearly there.
NEAR = 75


@dataclass(frozen=True, slots=True)
class Window:
    """From `starts_at` on, until before `ends_at`, or up to and with it; not in its pauses, of
    which the last may be open."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    inclusive: bool = False
    pauses: tuple[tuple[dt.datetime, dt.datetime | None], ...] = ()

    def holds(self, at: dt.datetime) -> bool:
        if at < self.starts_at or at > self.ends_at or (at == self.ends_at and not self.inclusive):
            return False
        return not any(start <= at and (end is None or at < end) for start, end in self.pauses)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done: all of these steps, or one after the other; so many times."""

    steps: tuple[Step, ...]
    in_order: bool = False
    times: int = 1


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a step is. `names`: of what is collected, what is there."""

    got: Decimal
    goal: Decimal
    done: bool
    names: tuple[str, ...] = ()

    @property
    def share(self) -> Decimal:
        """Between 0 and 1; one alone is done."""
        if self.done:
            return Decimal(1)
        return min(self.got / self.goal, Decimal("0.99"))


@dataclass(frozen=True, slots=True)
class Progress:
    """`rounds`: when each time was reached that the challenge was done, `reached`: how far the one
    is that goes on, or the last one where there is no further."""

    rounds: tuple[dt.datetime, ...]
    reached: tuple[Reached, ...]
    times: int

    @property
    def is_done(self) -> bool:
        return len(self.rounds) >= self.times

    @property
    def percent(self) -> int:
        shares = sum((item.share for item in self.reached), ZERO)
        return int(shares * DONE / len(self.reached))


def progress_of(
    plan: Plan, purchases: Iterable[Purchase], window: Window, zone: zoneinfo.ZoneInfo,
    *, now: dt.datetime | None = None,
) -> Progress:  # fmt: skip
    """`now`: what is shown then; a row of weeks that was not kept up is none any more. Without it
    only purchases decide, so whatever came when, the end is the same."""
    counted = sorted(
        (item for item in purchases if window.holds(item.at)), key=lambda item: (item.at, item.key)
    )
    rounds: list[dt.datetime] = []
    meters = _meters(plan, zone)
    for purchase in counted:
        _take(plan, meters, purchase)
        if all(meter.done for meter in meters):
            rounds.append(purchase.at)
            if len(rounds) == plan.times:
                break
            meters = _meters(plan, zone)
    return Progress(tuple(rounds), tuple(meter.reached(now) for meter in meters), plan.times)


def _take(plan: Plan, meters: Sequence[Meter], purchase: Purchase) -> None:
    """In order, a purchase serves the first step that is not done, and no other."""
    for meter in meters:
        if not meter.done:
            meter.take(purchase)
            if plan.in_order:
                return


@dataclass
class Meter:
    """Counts purchases for one step. What was done once stays done."""

    zone: zoneinfo.ZoneInfo
    done: bool = False
    got: Decimal = ZERO

    def take(self, purchase: Purchase) -> None:
        raise NotImplementedError

    def reached(self, now: dt.datetime | None) -> Reached:
        raise NotImplementedError


@dataclass
class SpendMeter(Meter):
    step: SpendStep = field(kw_only=True)

    def take(self, purchase: Purchase) -> None:
        amount = purchase.amount(self.step.only)
        self.got = max(self.got, amount) if self.step.in_one else self.got + amount
        goal = self.step.amount
        self.done = self.got > goal if self.step.more_than else self.got >= goal

    def reached(self, now: dt.datetime | None) -> Reached:
        return Reached(self.got, self.step.amount, self.done)


@dataclass
class CountMeter(Meter):
    step: CountStep = field(kw_only=True)

    def take(self, purchase: Purchase) -> None:
        kept = purchase.kept(self.step.only)
        if self.step.of == "items":
            self.got += sum((max(item.quantity, ZERO) for item in kept), ZERO)
        elif kept:
            self.got += 1
        self.done = self.got >= self.step.number

    def reached(self, now: dt.datetime | None) -> Reached:
        return Reached(self.got, Decimal(self.step.number), self.done)


@dataclass
class StreakMeter(Meter):
    step: StreakStep = field(kw_only=True)
    # The number of the last day, week or month with a purchase.
    last: int | None = None

    def take(self, purchase: Purchase) -> None:
        step = self.step
        if not purchase.kept(step.only) or purchase.amount(step.only) < (step.least or ZERO):
            return
        number = self._number(purchase.at)
        if number == self.last:
            return
        self.got = self.got + 1 if self.last is not None and number == self.last + 1 else Decimal(1)
        self.last = number
        self.done = self.got >= step.number

    def reached(self, now: dt.datetime | None) -> Reached:
        broken = now is not None and self.last is not None and self._number(now) > self.last + 1
        got = ZERO if broken and not self.done else self.got
        return Reached(got, Decimal(self.step.number), self.done)

    def _number(self, at: dt.datetime) -> int:
        day = at.astimezone(self.zone).date()
        if self.step.every == "month":
            return day.year * 12 + day.month
        # Day 1 was a Monday.
        return day.toordinal() if self.step.every == "day" else (day.toordinal() - 1) // 7


@dataclass
class CategoriesMeter(Meter):
    step: CategoriesStep = field(kw_only=True)
    names: set[str] = field(default_factory=set)

    def take(self, purchase: Purchase) -> None:
        self.names |= {item.category for item in purchase.kept(self.step.only) if item.category}
        self.done = len(self.names) >= self.step.number

    def reached(self, now: dt.datetime | None) -> Reached:
        return Reached(
            Decimal(len(self.names)), Decimal(self.step.number), self.done,
            tuple(sorted(self.names)),
        )  # fmt: skip


@dataclass
class CollectionMeter(Meter):
    step: CollectionStep = field(kw_only=True)
    names: set[str] = field(default_factory=set)

    def take(self, purchase: Purchase) -> None:
        of_sku = self.step.of == "skus"
        found = {item.sku if of_sku else item.category for item in purchase.items if item.was_kept}
        self.names |= found.intersection(self.step.names)
        self.done = len(self.names) == len(self.step.names)

    def reached(self, now: dt.datetime | None) -> Reached:
        names = tuple(name for name in self.step.names if name in self.names)
        return Reached(Decimal(len(names)), Decimal(len(self.step.names)), self.done, names)


def _meters(plan: Plan, zone: zoneinfo.ZoneInfo) -> list[Meter]:
    return [_meter(step, zone) for step in plan.steps]


def _meter(step: Step, zone: zoneinfo.ZoneInfo) -> Meter:
    match step:
        case SpendStep():
            return SpendMeter(zone, step=step)
        case CountStep():
            return CountMeter(zone, step=step)
        case StreakStep():
            return StreakMeter(zone, step=step)
        case CategoriesStep():
            return CategoriesMeter(zone, step=step)
        case CollectionStep():
            return CollectionMeter(zone, step=step)
