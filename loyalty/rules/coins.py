"""Amounts shared by lines, exact until they are rounded to coins: what the lines bear adds up."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import floor

from loyalty.rules.amounts import plain_text
from loyalty.rules.facts import ZERO

# By place of the line in the basket.
Shares = dict[int, Fraction]
NONE: Shares = {}


def to_step(amount: Fraction, step: Fraction, mode: str) -> Fraction:
    """To a multiple of a step; half goes up."""
    number, rest = divmod(amount, step)
    up = {"down": False, "nearest": 2 * rest >= step, "up": rest > 0}[mode]
    return (number + up) * step


def spread(total: Fraction, weights: Shares, limits: Shares, coin: Fraction) -> Shares:
    """A total in coins over lines in proportion; what is left over goes to those that lost most by
    rounding down, the first of equals first."""
    whole = sum(weights.values(), Fraction(0))
    if whole <= 0:
        return {}
    exact = {place: total * weight / whole for place, weight in weights.items()}
    shares = {
        place: min(floor(share / coin) * coin, limits[place]) for place, share in exact.items()
    }
    over = total - sum(shares.values(), Fraction(0))
    while over >= coin:
        # More than one round only where a line is full.
        open_lines = [place for place in shares if shares[place] + coin <= limits[place]]
        if not open_lines:
            break
        for place in sorted(open_lines, key=lambda p: (shares[p] - exact[p], p)):
            if over < coin:
                break
            shares[place] += coin
            over -= coin
    return shares


def in_proportion(amount: Decimal, part: Fraction, whole: Fraction, coin: Decimal) -> Decimal:
    """As much of an amount as there is of a whole, to the coin."""
    if not amount or whole <= 0:
        return amount
    exact = Fraction(amount) * max(part, Fraction(0)) / whole
    return as_decimal(to_step(exact, Fraction(coin), "nearest"))


def as_money(shares: Shares) -> tuple[Decimal, dict[int, Decimal]]:
    own = {place: as_decimal(share) for place, share in shares.items()}
    return sum(own.values(), ZERO), own


def as_decimal(exact: Fraction) -> Decimal:
    """A number of coins as money; exact, since coins are decimals."""
    return Decimal(exact.numerator) / Decimal(exact.denominator)


def as_text(exact: Fraction) -> str:
    """As people read it: a price in thirds to four places."""
    value = Decimal(exact.numerator) / Decimal(exact.denominator)
    return plain_text(value.quantize(Decimal("0.0001"), ROUND_HALF_UP))
