"""Cohorts as a table of heat: what those who joined in a month did in each month since. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _l

# How many shades there are beside none.
SHADES = 5
Unit = Literal["percent", "number", "money", "units"]


class Sums(Protocol):
    """What all who joined in a month did in another."""

    @property
    def joined(self) -> dt.date: ...
    @property
    def month(self) -> dt.date: ...
    @property
    def members(self) -> int: ...
    @property
    def buyers(self) -> int: ...
    @property
    def orders(self) -> int: ...
    @property
    def revenue(self) -> Decimal: ...
    @property
    def units(self) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class CohortFigure:
    """`of`: what is summed up; it is divided by the members who joined."""

    code: str
    label: str | Promise
    unit: Unit
    of: Callable[[Sums], Decimal | int]

    def value_of(self, sums: Sequence[Sums]) -> Decimal | None:
        """Of several cohorts at once each member counts as much."""
        members = sum(item.members for item in sums)
        if not members:
            return None
        scale = 100 if self.unit == "percent" else 1
        return sum((Decimal(self.of(item)) for item in sums), Decimal(0)) * scale / members


FIGURES: Mapping[str, CohortFigure] = {
    figure.code: figure
    for figure in (
        CohortFigure("bought", _l("Share that bought"), "percent", lambda item: item.buyers),
        CohortFigure("orders", _l("Orders per member"), "number", lambda item: item.orders),
        CohortFigure("revenue", _l("Revenue per member"), "money", lambda item: item.revenue),
        CohortFigure("units", _l("Units spent per member"), "units", lambda item: item.units),
    )
}


@dataclass(frozen=True, slots=True)
class Cell:
    """`shade`: from 0 for nothing to SHADES for the most in the table. None: not measured."""

    since: int
    value: Decimal | None
    shade: int


@dataclass(frozen=True, slots=True)
class Row:
    joined: dt.date
    members: int
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Grid:
    """`rows`: newest cohort last; `means`: of all cohorts that have come so far, by months since
    they joined."""

    figure: CohortFigure
    rows: Sequence[Row]
    means: Sequence[Decimal | None]

    @property
    def months(self) -> range:
        return range(len(self.means))


def grid_of(sums: Sequence[Sums], figure: CohortFigure) -> Grid:
    by_cohort: dict[dt.date, dict[int, Sums]] = {}
    for item in sums:
        by_cohort.setdefault(item.joined, {})[months_between(item.joined, item.month)] = item
    width = 1 + max((since for row in by_cohort.values() for since in row), default=-1)
    values = [
        figure.value_of([item]) or Decimal(0) for row in by_cohort.values() for item in row.values()
    ]
    most = max(values, default=Decimal(0))
    return Grid(
        figure=figure,
        rows=[_row(joined, row, figure, most) for joined, row in sorted(by_cohort.items())],
        means=[
            figure.value_of([row[since] for row in by_cohort.values() if since in row])
            for since in range(width)
        ],
    )


def _row(joined: dt.date, found: Mapping[int, Sums], figure: CohortFigure, most: Decimal) -> Row:
    cells = []
    for since in range(max(found) + 1):
        value = figure.value_of([found[since]]) if since in found else None
        cells.append(Cell(since, value, _shade(value, most)))
    return Row(joined, found[max(found)].members, cells)


def _shade(value: Decimal | None, most: Decimal) -> int:
    if not value or value < 0 or not most:
        return 0
    return min(int(value * SHADES / most) + 1, SHADES)


def months_between(first: dt.date, last: dt.date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month
