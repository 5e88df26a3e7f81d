"""How rules get on with one another: multipliers, exclusive groups, and rules that stop others.

The order of evaluation: rates, cashback, fixed awards and bonuses of one order, by position; then
what multiplies rates and cashback, by position; then the caps of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from loyalty.rules.bodies import MultiplierBody
from loyalty.rules.facts import ZERO
from loyalty.rules.rate import Earning
from loyalty.rules.reckoning import SHIPPING, Reckoner, Step, plain_text, times, total_of

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

    def limited(self, units: int) -> int:
        return units if self.most is None else min(units, self.most)


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
    places = [_places(body, reckoner) for body in bodies]
    for base in bases:
        own = [number for number, body in enumerate(bodies) if not body.of or base.code in body.of]
        if not own:
            continue
        before = base.limited(base.earning.units)
        for number, units in _stacked(base, own, bodies, places, how):
            after = base.limited(units)
            added[number] += after - before
            if after != before:
                counted = plain_text(Decimal(after - before).scaleb(-base.earning.scale))
                steps[number].append(
                    ("multiplied", plain_text(bodies[number].factor), base.code, counted)
                )
            before = after
    return [(max(units, 0), tuple(said)) for units, said in zip(added, steps, strict=True)]


def _places(body: MultiplierBody, reckoner: Reckoner) -> tuple[int, ...]:
    """The lines that it multiplies; shipping too, unless it names lines."""
    chosen = reckoner.eligible(body)
    return chosen if body.names_lines else (*chosen, SHIPPING)


def _stacked(
    base: Base,
    own: Sequence[int],
    bodies: Sequence[MultiplierBody],
    places: Sequence[tuple[int, ...]],
    how: Multiplying,
) -> Iterator[tuple[int, int]]:
    """The base's units after each multiplier that changes any of its lines."""
    parts = base.earning.parts()
    factors = dict.fromkeys(parts, ONE)
    best: dict[int, Decimal] = {}
    if how == "best":
        for number in own:
            for place in places[number]:
                best[place] = max(best.get(place, ONE), bodies[number].factor)
    together = base.earning.rounding.per == "order"
    total = total_of(parts.values()) if together else ZERO
    for number in own:
        factor, changed = bodies[number].factor, False
        for place in places[number]:
            if place not in factors:
                continue
            now = factors[place]
            after = _after(now, factor, how, best.get(place, ONE))
            if after != now:
                factors[place], changed = after, True
                if together:
                    total = total_of((total, times(parts[place], after - now)))
        if changed:
            stacked = (
                (total,)
                if together
                else [times(part, factors[place]) for place, part in parts.items()]
            )
            yield number, base.earning.rounded(stacked)


def _after(now: Decimal, factor: Decimal, how: Multiplying, best: Decimal) -> Decimal:
    match how:
        case "add":
            return now + factor - ONE
        case "multiply":
            return now * factor
    return factor if factor == best and now == ONE else now


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
