"""What a program costs and brings in a year, worked out from a dozen numbers (pure; the formulas
are in docs/economics.md).

Percentages are out of 100, money is in the program's currency and nothing is rounded: that is for
who shows it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from typing import Literal

ZERO = Decimal(0)
WHOLE = Decimal(100)
# How many steps to either side a table of what follows has.
STEPS = 3

Moved = Literal["lift", "rate"]


@dataclass(frozen=True, slots=True)
class Lift:
    """How much more a member spends, as measured against those who were kept aside: between the
    ends lies what is true, nineteen times of twenty. It is that of the days that it was measured
    in, not of a year; None: nobody has written them down."""

    low: Decimal
    high: Decimal
    since: dt.date | None = None
    until: dt.date | None = None

    @property
    def days(self) -> int | None:
        if self.since is None or self.until is None:
            return None
        return (self.until - self.since).days + 1


@dataclass(frozen=True, slots=True)
class Inputs:
    """Of a year. `bonuses` and `administration`: money for each member; `support` and `messaging`:
    on top of all other cost; `reward_rate`: of what is spent before discounts; `redemption`,
    `breakage`: of what is earned, discounts with it, what is used in the year and what never will
    be; `owed`: what members hold already. `lift`: where a holdout has
    measured it; else what is spent without the program is somebody's assumption."""

    members: int
    spend_without: Decimal
    spend_with: Decimal
    margin: Decimal
    reward_rate: Decimal = ZERO
    bonuses: Decimal = ZERO
    administration: Decimal = ZERO
    platform_fee: Decimal = ZERO
    support: Decimal = ZERO
    messaging: Decimal = ZERO
    redemption: Decimal = ZERO
    breakage: Decimal = ZERO
    owed: Decimal = ZERO
    lift: Lift | None = None


@dataclass(frozen=True, slots=True)
class Economics:
    """What follows from the inputs. Of one member, but for what is called otherwise."""

    inputs: Inputs

    @property
    def lift(self) -> Decimal:
        return self.inputs.spend_with - self.inputs.spend_without

    @property
    def purchase_rewards(self) -> Decimal:
        return _percent(self.inputs.reward_rate, self.inputs.spend_with)

    @property
    def earned(self) -> Decimal:
        """What is promised: for purchases, and as bonuses."""
        return self.purchase_rewards + self.inputs.bonuses

    @property
    def never_used(self) -> Decimal:
        return _percent(self.inputs.breakage, self.earned)

    @property
    def rewards(self) -> Decimal:
        """What rewards cost: all that is earned, but what will never be used."""
        return self.earned - self.never_used

    @property
    def fee(self) -> Decimal:
        """A member's part of what costs the same however many there are."""
        return self.inputs.platform_fee / self.inputs.members

    @property
    def direct_cost(self) -> Decimal:
        return self.rewards + self.inputs.administration + self.fee

    @property
    def support(self) -> Decimal:
        return _percent(self.inputs.support, self.direct_cost)

    @property
    def messaging(self) -> Decimal:
        return _percent(self.inputs.messaging, self.direct_cost)

    @property
    def cost(self) -> Decimal:
        return self.direct_cost + self.support + self.messaging

    @property
    def gain(self) -> Decimal:
        """The margin of what is spent more."""
        return _percent(self.inputs.margin, self.lift)

    @property
    def net(self) -> Decimal:
        return self.gain - self.cost

    @property
    def roi(self) -> Decimal | None:
        """How many times its cost the program brings after its cost; None: it costs nothing."""
        return self.net / self.cost if self.cost > 0 else None

    @property
    def total_cost(self) -> Decimal:
        """Of all members."""
        return self.cost * self.inputs.members

    @property
    def total_net(self) -> Decimal:
        """Of all members."""
        return self.net * self.inputs.members

    @property
    def on_top(self) -> Decimal:
        """What a direct cost is multiplied by for support and messaging."""
        return 1 + (self.inputs.support + self.inputs.messaging) / WHOLE

    @property
    def kept_of_spend(self) -> Decimal:
        """What is left of each 1 that is spent more: its margin, less what it earns."""
        used = _percent(WHOLE - self.inputs.breakage, self.inputs.reward_rate)
        return (self.inputs.margin - used * self.on_top) / WHOLE

    @property
    def cost_without_lift(self) -> Decimal:
        """What a member costs who spends no more than without the program."""
        return Economics(replace(self.inputs, spend_with=self.inputs.spend_without)).cost

    @property
    def break_even_lift(self) -> Decimal | None:
        """How much more a member must spend for nothing to be lost; None: what is spent more earns
        more than its margin, so no lift is enough."""
        if self.cost_without_lift == 0:
            return ZERO
        return self.cost_without_lift / self.kept_of_spend if self.kept_of_spend > 0 else None

    @property
    def net_before_fee(self) -> Decimal:
        """Worked out without the fee: a member's part of it cannot be said exactly."""
        return self.gain - (self.rewards + self.inputs.administration) * self.on_top

    @property
    def break_even_members(self) -> int | None:
        """From how many members on nothing is lost; None: each loses something as it is."""
        if not self.inputs.platform_fee:
            return 1 if self.net >= 0 else None
        if self.net_before_fee <= 0:
            return None
        needed = self.inputs.platform_fee * self.on_top / self.net_before_fee
        return int(needed.to_integral_value(ROUND_CEILING))

    @property
    def break_even_rate(self) -> Decimal | None:
        """The highest reward rate at which nothing is lost, if it changes nothing else; None:
        something is lost even without rewards for purchases, or they cost nothing at any rate."""
        used = WHOLE - self.inputs.breakage
        if used <= 0 or self.inputs.spend_with <= 0:
            return None
        affordable = self.gain / self.on_top - self.inputs.administration - self.fee
        rate = (affordable * WHOLE / used - self.inputs.bonuses) * WHOLE / self.inputs.spend_with
        return rate if rate >= 0 else None

    @property
    def outstanding(self) -> Decimal:
        """What a member earns in the year and neither spends in it nor lets go."""
        left = WHOLE - self.inputs.redemption - self.inputs.breakage
        return _percent(left, self.earned)

    @property
    def liability(self) -> Decimal:
        """What all members hold at the end of the year."""
        return self.inputs.owed + self.outstanding * self.inputs.members

    @property
    def ends(self) -> tuple[Economics, Economics] | None:
        """The same for the least and the most that a holdout leaves possible; None: nothing was
        measured."""
        if self.inputs.lift is None:
            return None
        low, high = (
            replace(_with_lift(self.inputs, lift), lift=None)
            for lift in (self.inputs.lift.low, self.inputs.lift.high)
        )
        return Economics(low), Economics(high)


@dataclass(frozen=True, slots=True)
class Step:
    """What follows where one input is another. `now`: it is as it is."""

    value: Decimal
    outcome: Economics
    now: bool


def what_follows(inputs: Inputs, moved: Moved) -> list[Step]:
    """Some steps down and up of one input, all others as they are."""
    if moved == "lift":
        now = inputs.spend_with - inputs.spend_without
        values = _around(now, abs(now) / 4 or inputs.spend_with / 20)
        changed = [(value, _with_lift(inputs, value)) for value in values]
        # Nobody spends less than nothing.
        changed = [
            (value, one)
            for value, one in changed
            if value == now or min(one.spend_with, one.spend_without) >= 0
        ]
    else:
        now = inputs.reward_rate
        values = [value for value in _around(now, _rate_step(now)) if 0 <= value <= WHOLE]
        changed = [(value, replace(inputs, reward_rate=value)) for value in values]
    return [Step(value, Economics(one), value == now) for value, one in changed]


def _with_lift(inputs: Inputs, lift: Decimal) -> Inputs:
    """What is known stays: where a holdout measured the lift, what is spent with the program; else
    what is assumed to be spent without."""
    if inputs.lift is not None:
        return replace(inputs, spend_without=inputs.spend_with - lift)
    return replace(inputs, spend_with=inputs.spend_without + lift)


def _rate_step(rate: Decimal) -> Decimal:
    """Half a percent of small rates, whole ones of larger: what people would try next."""
    if rate < 4:
        return Decimal("0.5")
    return Decimal(1) if rate < 15 else Decimal(5)


def _around(value: Decimal, step: Decimal) -> Sequence[Decimal]:
    def steps() -> Iterator[Decimal]:
        for number in range(-STEPS, STEPS + 1):
            yield value + number * step

    return list(dict.fromkeys(steps()))


def _percent(percent: Decimal, of: Decimal) -> Decimal:
    return percent * of / WHOLE
