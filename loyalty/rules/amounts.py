"""Exact amounts as whole numbers: cents, or smaller parts of one where something is shared out.

Three thirds are one, where decimals would make 0.99…9 of them, and a unit too few; and whole
numbers are added faster than decimals and fractions are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import repeat
from math import gcd, lcm
from operator import floordiv, mul
from typing import Literal, NamedTuple

Mode = Literal["down", "nearest", "up"]

ZERO = Decimal(0)
# How a part with so many digits behind the point is written.
_FORMS = {10**digits: f"%d.%0{digits}d" for digits in range(1, 20)}
# What stands behind the whole number, by the part: of hundredths, ".5" for 50 of them.
_BEHIND = {
    10**digits: tuple(f".{part:0{digits}d}".rstrip("0").rstrip(".") for part in range(10**digits))
    for digits in range(1, 4)
}


class Amounts(NamedTuple):
    """Some amounts, each as a number of parts; so many parts, `per`, are one."""

    numbers: list[int]
    per: int

    def at(self, per: int) -> list[int]:
        """In smaller parts, of which `per` are one."""
        if per == self.per:
            return self.numbers
        times = per // self.per
        return [number * times for number in self.numbers]

    def plus(self, other: Amounts) -> Amounts:
        per = lcm(self.per, other.per)
        pairs = zip(self.at(per), other.at(per), strict=True)
        return Amounts([one + another for one, another in pairs], per)

    def negative(self) -> Amounts:
        return Amounts([-number for number in self.numbers], self.per)

    def spread(self, amount: Decimal, whole: Decimal) -> Amounts:
        """An amount shared out in the proportion of these to `whole`, which is above zero."""
        (given, of_given), (own, of_own) = amount.as_integer_ratio(), whole.as_integer_ratio()
        times, parts = given * of_own, of_given * own
        numbers = [number * times for number in self.numbers]
        shared = gcd(parts, *numbers)
        return Amounts([number // shared for number in numbers], self.per * parts // shared)


def amounts_of(decimals: Sequence[Decimal]) -> Amounts:
    # A sum has as many digits behind the point as the finest of what it adds up.
    exponent = sum(decimals, ZERO).as_tuple()[2]
    assert isinstance(exponent, int)
    if exponent >= 0:
        return Amounts(list(map(int, decimals)), 1)
    per, times = _TENS[-exponent] if -exponent < len(_TENS) else _tens(-exponent)
    return Amounts(list(map(int, map(mul, decimals, repeat(times)))), per)


def _tens(digits: int) -> tuple[int, Decimal]:
    return 10**digits, Decimal(10**digits)


# For the decimals that money and quantities have, made once.
_TENS = tuple(map(_tens, range(12)))


def ratio_of(one: Decimal, another: Decimal, scale: int = 0) -> tuple[int, int]:
    """`one` : `another` in lowest terms, the first in units with so many decimals."""
    (own, of_own), (other, of_other) = one.as_integer_ratio(), another.as_integer_ratio()
    above, below = own * of_other * 10**scale, of_own * other
    shared = gcd(above, below)
    return above // shared, below // shared


# number : per as a whole number, of numbers from zero on. Nearest: half goes up.
ROUNDING: Mapping[Mode, Callable[[int, int], int]] = {
    "down": floordiv,
    "nearest": lambda number, per: (2 * number + per) // (2 * per),
    "up": lambda number, per: -(-number // per),
}


def rounded(number: int, per: int, mode: Mode) -> int:
    """The same of any number: below zero as above it."""
    return -rounded(-number, per, mode) if number < 0 else ROUNDING[mode](number, per)


def as_decimal(number: int, per: int) -> Decimal:
    return Decimal(number) / Decimal(per)


def text_of(number: int, per: int) -> str:
    """number : per in plain notation without trailing zeros: 12.5, 100, 0.015."""
    if per == 1:
        return str(number)
    if number < 0:
        return f"-{text_of(-number, per)}"
    behind = _BEHIND.get(per)
    if behind is not None:
        return f"{number // per}{behind[number % per]}"
    form = _FORMS.get(per)
    if form is None:
        return plain_text(as_decimal(number, per))
    parts = divmod(number, per)
    return (form % parts).rstrip("0") if parts[1] else str(parts[0])


def plain_text(amount: Decimal) -> str:
    """The same of a decimal."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
