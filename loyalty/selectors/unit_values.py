"""What a unit is and was worth: closed books keep the value that they were closed with."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from loyalty.models import WalletType
from loyalty.selectors.closed_periods import closed_periods


@dataclass(frozen=True, slots=True)
class Era:
    """Days on which a unit was worth the same; `first` None: from the beginning, `last` None: until
    today and on."""

    first: dt.date | None
    last: dt.date | None
    value: Decimal


@dataclass(frozen=True, slots=True)
class UnitValues:
    """The worth of a wallet type's unit through time, in the program's currency."""

    eras: tuple[Era, ...]
    scale: int

    def on(self, day: dt.date) -> Decimal:
        """What one unit was worth on a day."""
        return next(era.value for era in self.eras if era.last is None or day <= era.last)

    def worth(self, units: int, day: dt.date) -> Decimal:
        """Money for an amount at the wallet type's scale; not rounded."""
        return (units * self.on(day)).scaleb(-self.scale)


def unit_values(wallet_type: WalletType) -> UnitValues:
    """One query."""
    eras: list[Era] = []
    for period in closed_periods(wallet_type.program):
        text = period.unit_values.get(str(wallet_type.pk))
        value = Decimal(text) if text is not None else wallet_type.unit_value
        if eras and eras[-1].value == value:
            eras[-1] = Era(eras[-1].first, period.until, value)
        else:
            eras.append(Era(period.since, period.until, value))
    first = eras[-1].last + dt.timedelta(days=1) if eras and eras[-1].last else None
    if eras and eras[-1].value == wallet_type.unit_value:
        eras[-1] = Era(eras[-1].first, None, wallet_type.unit_value)
    else:
        eras.append(Era(first, None, wallet_type.unit_value))
    return UnitValues(tuple(eras), wallet_type.scale)
