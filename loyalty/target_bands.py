"""Between what key figures are to be: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _l

from loyalty.goal_metrics import GoalMetric

State = Literal["inside", "below", "above", "free", "unmeasured"]

# Of who is at each tier and at no higher one, by how many tiers there are: four are 60, 25, 12 and
# 3 percent, of fewer the highest are one; each within about a third.
_LADDERS: Mapping[int, tuple[tuple[int, int], ...]] = {
    2: ((50, 70), (30, 50)),
    3: ((50, 70), (20, 30), (10, 20)),
    4: ((50, 70), (20, 30), (8, 16), (1, 5)),
}


@dataclass(frozen=True, slots=True)
class Band:
    """None: open on that side. `own`: somebody chose it for the program."""

    low: Decimal | None
    high: Decimal | None
    own: bool = False

    def state_of(self, value: Decimal) -> Literal["inside", "below", "above"]:
        """Both ends are inside."""
        if self.low is not None and value < self.low:
            return "below"
        if self.high is not None and value > self.high:
            return "above"
        return "inside"


def usual_band(metric: GoalMetric) -> Band | None:
    return Band(Decimal(metric.usual[0]), Decimal(metric.usual[1])) if metric.usual else None


def usual_tier_band(place: int, tiers: int) -> Band | None:
    """Of the tier at a place, counted from the lowest, of so many."""
    ladder = _LADDERS.get(tiers)
    return Band(Decimal(ladder[place][0]), Decimal(ladder[place][1])) if ladder else None


def state_in(band: Band | None, value: Decimal | None) -> State:
    if value is None:
        return "unmeasured"
    return "free" if band is None else band.state_of(value)


@dataclass(frozen=True, slots=True)
class LiftBand:
    """What a program is to bring that only a comparison with members kept aside can tell. `unit`:
    so many times, so many percent more, or money of the program. Without a `band` there is no usual
    one: what a new customer costs is the merchant's to say."""

    code: str
    label: str | Promise
    unit: Literal["times", "percent", "money"]
    band: Band | None


LIFTS: Mapping[str, LiftBand] = {
    item.code: item
    for item in (
        LiftBand("frequency_lift", _l("Purchases"), "times", Band(Decimal(2), Decimal(3))),
        LiftBand("order_value_lift", _l("Order value"), "percent", Band(Decimal(15), Decimal(25))),
        LiftBand("return_on_cost", _l("Return on cost"), "times", Band(Decimal(3), Decimal(5))),
        LiftBand("cost_of_purchase", _l("Cost of one more purchase"), "money", None),
    )
}
