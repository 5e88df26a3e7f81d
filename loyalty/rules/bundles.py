"""Pieces that cost one price together: which of an order's pieces make up how many bundles, and
what comes off each line. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from loyalty.rules.body_parts import BundlePart, LineFilter
from loyalty.rules.facts import Line

# Of lines by their places: how many pieces.
Pieces = dict[int, int]


@dataclass(frozen=True, slots=True)
class Bundled:
    """`count` bundles; what comes off each line, and what their pieces cost one by one."""

    count: int
    shares: Mapping[int, Fraction]
    one_by_one: Fraction


def bundled(
    parts: Sequence[BundlePart], price: Fraction, times: int | None, lines: Sequence[Line],
    prices: Mapping[int, Fraction],
) -> Bundled:  # fmt: skip
    """The dearest pieces first, so that a buyer has the most of it; bundles that would cost more
    than their pieces are none. `prices`: of whole lines, those that count."""
    left: Pieces = {
        place: int(lines[place].quantity)
        for place in prices
        if lines[place].quantity > 0 and lines[place].quantity == int(lines[place].quantity)
    }
    one = {place: prices[place] / number for place, number in left.items()}
    fits = [
        sorted((place for place in left if _fits(part.include, lines[place])),
               key=lambda place: (-one[place], place))
        for part in parts
    ]  # fmt: skip
    # What few pieces fit chooses first, so that others do not take its own.
    order = sorted(range(len(parts)), key=lambda at: (sum(left[p] for p in fits[at]), at))
    count, shares, whole = 0, dict[int, Fraction](), Fraction(0)
    while times is None or count < times:
        chosen = _next([(parts[at].pieces, fits[at]) for at in order], left)
        cost = sum((one[place] * number for place, number in chosen.items()), Fraction(0))
        if not chosen or cost <= price:
            break
        again = min(left[place] // number for place, number in chosen.items())
        again = again if times is None else min(again, times - count)
        for place, number in chosen.items():
            left[place] -= number * again
            part = (cost - price) * one[place] * number * again / cost
            shares[place] = shares.get(place, Fraction(0)) + part
        count, whole = count + again, whole + cost * again
    return Bundled(count, shares, whole)


def _next(wanted: Sequence[tuple[int, Sequence[int]]], left: Pieces) -> Pieces:
    """The pieces of one more bundle; none: there is none."""
    chosen: Pieces = {}
    for pieces, fitting in wanted:
        missing = pieces
        for place in fitting:
            taken = min(missing, left[place] - chosen.get(place, 0))
            if taken > 0:
                chosen[place] = chosen.get(place, 0) + taken
                missing -= taken
        if missing:
            return {}
    return chosen


def _fits(include: LineFilter, line: Line) -> bool:
    if not include.names_lines:
        return True
    return (
        line.category in include.categories
        or line.sku in include.skus
        or any(tag in include.tags for tag in line.tags)
    )
