"""Cohorts as a table of heat."""

import datetime as dt
from decimal import Decimal

from loyalty.cohort_grids import FIGURES, grid_of, months_between
from loyalty.selectors.cohorts import CohortSums

JAN, FEB, MAR = (dt.date(2026, month, 1) for month in (1, 2, 3))


def row(joined, month, members, buyers, orders, revenue="0", units="0"):
    return CohortSums(joined, month, members, buyers, orders, Decimal(revenue), Decimal(units))


SUMS = [
    row(JAN, JAN, 100, 50, 60, "3000", "0"),
    row(JAN, FEB, 100, 20, 30, "900", "40"),
    row(FEB, FEB, 300, 150, 150, "4500", "0"),
]


def test_each_cohort_has_a_row_and_each_month_since_a_cell():
    grid = grid_of(SUMS, FIGURES["bought"])
    assert [(item.joined, item.members) for item in grid.rows] == [(JAN, 100), (FEB, 300)]
    assert [[cell.value for cell in item.cells] for item in grid.rows] == [[50, 20], [50]]
    assert [[cell.shade for cell in item.cells] for item in grid.rows] == [[5, 3], [5]]


def test_over_all_cohorts_each_member_counts_alike():
    assert list(grid_of(SUMS, FIGURES["bought"]).means) == [50, 20]
    assert list(grid_of(SUMS, FIGURES["orders"]).means) == [Decimal("0.525"), Decimal("0.3")]
    assert list(grid_of(SUMS, FIGURES["revenue"]).means) == [Decimal("18.75"), 9]
    assert list(grid_of(SUMS, FIGURES["units"]).means) == [0, Decimal("0.4")]


def test_nothing_is_not_shaded_and_what_was_not_measured_is_not_nothing():
    grid = grid_of([row(JAN, JAN, 10, 0, 0), row(JAN, MAR, 10, 1, 1)], FIGURES["bought"])
    assert [(cell.value, cell.shade) for cell in grid.rows[0].cells] == [(0, 0), (None, 0), (10, 5)]
    assert list(grid.means) == [0, None, 10]
    assert grid_of([], FIGURES["bought"]).rows == []


def test_months_are_counted_over_the_turn_of_the_year():
    assert months_between(dt.date(2025, 11, 1), dt.date(2026, 2, 1)) == 3
