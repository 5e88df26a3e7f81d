"""Answers that fit a shop's own figures, to begin with: what to give back, what the first reward
costs, where tiers and brackets begin. Numbers that one can keep in mind."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from babel.numbers import get_currency_precision

from loyalty.program_templates.kinds import ProgramTemplate
from loyalty.purchase_habits import Habits
from loyalty.tiers.spread import TARGETS, Spread, nice

# Of the margin, what a program may cost, between least and most of the price.
OF_MARGIN = Decimal("0.08")
LEAST, MOST = Decimal(1), Decimal(5)
HALF = Decimal("0.5")
FREQUENT = Decimal(6)
COLLECTING = ("points", "values", "hybrid", "companies", "games", "referrals", "partners")


def percent_back(margin: Decimal) -> Decimal:
    """How many percent of the price to give back: a twelfth or so of what is left of it, in
    halves."""
    wanted = (margin * 100 * OF_MARGIN / HALF).quantize(Decimal(1), ROUND_HALF_UP) * HALF
    return min(max(wanted, LEAST), MOST)


def suggest(
    template: ProgramTemplate, habits: Habits, margin: Decimal, spread: Spread | None
) -> dict[str, Any]:
    """What differs from the template's own defaults, of what it asks; nothing without figures."""
    if habits.is_empty or habits.basket.middle <= 0:
        return {}
    start, percent = template.start(habits.currency), percent_back(margin)
    found: dict[str, Any] = {}
    if template.family in COLLECTING and "earn_units" in template.asks:
        found |= _reward(start, habits, percent)
    # What a plan takes off is paid for: it may be more.
    if "percent" in template.asks and template.family != "plan":
        found["percent"] = percent
    if template.code in ("cashback", "cashback-tiers"):
        found |= _least_credit(habits, percent)
    if spread is not None and spread.members:
        found |= _ladder(start, spread) if "tiers" in template.asks else {}
        if template.code in ("cashback-by-spend", "progressive-card"):
            found |= _brackets(start["brackets"], spread)
    if template.code == "discount-by-order":
        found |= _by_order(start["brackets"], habits)
    return {name: value for name, value in found.items() if name in template.asks}


def _reward(start: Mapping[str, Any], habits: Habits, percent: Decimal) -> dict[str, Any]:
    """A first reward that a typical buyer has after a few baskets, worth the percentage."""
    each = habits.in_a_year(habits.orders_each.middle)
    baskets = 3 if each >= FREQUENT else 2
    units = nice(habits.basket.middle * baskets * start["earn_units"] / start["earn_per"])
    step = start["spend_step"]
    units = max((units / step).quantize(Decimal(1), ROUND_HALF_UP), Decimal(1)) * step
    spent = units * start["earn_per"] / start["earn_units"]
    worth = max(spent * percent / 100, _coin(habits.currency))
    return {"reward_units": units, "reward_worth": _round(worth, habits.currency)}


def _least_credit(habits: Habits, percent: Decimal) -> dict[str, Any]:
    """Credit can be used after about two baskets."""
    return {"reward_units": max(nice(habits.basket.middle * 2 * percent / 100), Decimal(1))}


def _ladder(start: Mapping[str, Any], spread: Spread) -> dict[str, Any]:
    tiers = [dict(tier) for tier in start["tiers"]]
    for tier, threshold in zip(tiers, spread.suggested(TARGETS[len(tiers)]), strict=True):
        tier["threshold"] = threshold
    return {"tiers": tuple(tiers)}


def _brackets(brackets: Any, spread: Spread) -> dict[str, Any]:
    found = [dict(bracket) for bracket in brackets]
    for bracket, above in zip(found, spread.suggested(TARGETS[len(found)]), strict=True):
        bracket["above"] = above
    return {"brackets": tuple(found)}


def _by_order(brackets: Any, habits: Habits) -> dict[str, Any]:
    """Above what a typical basket is, and above what a large one is."""
    found = [dict(bracket) for bracket in brackets]
    marks = (nice(habits.basket.middle), nice(habits.basket.high * HALF * 3))
    if len(found) == len(marks) and marks[0] < marks[1]:
        for bracket, above in zip(found, marks, strict=True):
            bracket["above"] = above
    return {"brackets": tuple(found)}


def _round(worth: Decimal, currency: str) -> Decimal:
    """Whole where it is large enough, else in halves, else in coins."""
    if worth >= 5:
        return nice(worth)
    if worth >= 1:
        return (worth / HALF).quantize(Decimal(1), ROUND_HALF_UP) * HALF
    return worth.quantize(_coin(currency), ROUND_HALF_UP)


def _coin(currency: str) -> Decimal:
    return Decimal(1).scaleb(-get_currency_precision(currency))
