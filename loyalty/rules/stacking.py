"""How rules get on with one another: multipliers, exclusive groups, and rules that stop others.

The order of evaluation: rates, cashback, fixed awards and bonuses of one order, by position; then
what multiplies rates and cashback, by position; then the caps of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from loyalty.rules.bodies import EarningBody, MultiplierBody
from loyalty.rules.rate import Earning
from loyalty.rules.reckoning import Reckoner, Step, plain_text

# Of several multipliers for one line the largest counts, what each adds is added up, or each
# multiplies what those before it made.
Multiplying = Literal["best", "add", "multiply"]
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Base:
    """A rate or cashback that awarded something; `most`: its own limit for one order."""

    code: str
    earning: Earning
    most: int | None


def multiply(
    bodies: Sequence[MultiplierBody],
    bases: Iterable[Base],
    reckoner: Reckoner,
    how: Multiplying,
) -> list[tuple[int, tuple[Step, ...]]]:
    """What each multiplier adds, in their order, and why. Together with the bases it is what the
    rates would give for each line times its factor, rounded once."""
    added = [0] * len(bodies)
    steps: list[list[Step]] = [[] for _body in bodies]
    eligible = [reckoner.eligible(body) for body in bodies]
    for base in bases:
        own = [not body.of or base.code in body.of for body in bodies]
        if not any(own):
            continue
        before = _limited(base, base.earning.units)
        for number, factors in enumerate(_factors(bodies, eligible, own, base, how)):
            if factors is None:
                continue
            after = _limited(base, base.earning.multiplied(factors))
            added[number] += after - before
            if after != before:
                counted = plain_text(Decimal(after - before).scaleb(-base.earning.scale))
                steps[number].append(
                    ("multiplied", plain_text(bodies[number].factor), base.code, counted)
                )
            before = after
    return [(max(units, 0), tuple(said)) for units, said in zip(added, steps, strict=True)]


def _limited(base: Base, units: int) -> int:
    return units if base.most is None else min(units, base.most)


def _factors(
    bodies: Sequence[MultiplierBody],
    eligible: Sequence[tuple[int, ...]],
    own: Sequence[bool],
    base: Base,
    how: Multiplying,
) -> list[list[Decimal] | None]:
    """For each multiplier the factors of the base's lines after it, the last one for shipping; None
    where it changes none. One that names lines leaves shipping alone."""
    places = (*base.earning.chosen, -1)
    matches = [
        [applies and (place in chosen if place >= 0 else _everything(body)) for place in places]
        for body, chosen, applies in zip(bodies, map(set, eligible), own, strict=True)
    ]
    best = [
        max(
            (body.factor for body, fits in zip(bodies, matches, strict=True) if fits[number]),
            default=ONE,
        )
        for number in range(len(places))
    ]
    current = [ONE] * len(places)
    found: list[list[Decimal] | None] = []
    for body, fits in zip(bodies, matches, strict=True):
        after = [
            _after(now, body.factor, how, top) if fit else now
            for now, fit, top in zip(current, fits, best, strict=True)
        ]
        found.append(None if after == current else after)
        current = after
    return found


def _after(now: Decimal, factor: Decimal, how: Multiplying, best: Decimal) -> Decimal:
    match how:
        case "add":
            return now + factor - ONE
        case "multiply":
            return now * factor
    return factor if factor == best and now == ONE else now


def _everything(body: EarningBody) -> bool:
    chosen = body.include, body.exclude
    return not any(names.categories or names.skus or names.tags for names in chosen)


def best_of_groups(
    groups: Mapping[int, tuple[int, str]], units: Mapping[int, int]
) -> dict[int, int]:
    """Which versions give way to which: in each group (of one wallet type) all but the one that
    awards most, the first of those that award the same."""
    best: dict[tuple[int, str], int] = {}
    for version, group in groups.items():
        if group not in best or units[version] > units[best[group]]:
            best[group] = version
    return {version: best[group] for version, group in groups.items() if best[group] != version}
