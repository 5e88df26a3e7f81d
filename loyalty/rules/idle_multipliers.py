"""Why a multiplier whose condition was met adds nothing. Judging orders does not need to know; who
asks why not does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from loyalty.rules.bodies import CashbackBody, MultiplierBody, RateBody
from loyalty.rules.engine import Award
from loyalty.rules.facts import Basket
from loyalty.rules.reckoning import SHIPPING, Reckoner, yardstick_of
from loyalty.rules.stacking import Multiplying
from loyalty.rules.steps import Steps

NO_BASE: Steps = (("no_base",),)
BASE_FULL: Steps = (("base_full",),)


def with_why_idle(
    awards: Sequence[Award], basket: Basket, multiplying: Multiplying
) -> tuple[Award, ...]:
    """The awards of one order; those of multipliers that say nothing now say why."""
    reckoner = Reckoner(basket)
    return tuple(
        replace(award, kept=_why(award, awards, reckoner, multiplying))
        if isinstance(award.version.body, MultiplierBody) and not (award.units or award.kept)
        else award
        for award in awards
    )


def _why(
    award: Award, awards: Sequence[Award], reckoner: Reckoner, multiplying: Multiplying
) -> Steps:
    """No step where fractions come to too little."""
    if not _places(award, reckoner):
        return (("eligible", "0", str(len(reckoner.basket.lines))),)
    bases = [other for other in awards if _multiplies(award, other)]
    if not bases:
        return NO_BASE
    if multiplying == "best":
        larger = [other for other in awards if _outdoes(other, award, awards, reckoner)]
        if larger:
            return (("outdone", max(larger, key=_factor).version.rule_name),)
    # Their own limit for an order holds with what multiplies them.
    return BASE_FULL if all(base.says("capped_order") for base in bases) else ()


def _multiplies(award: Award, base: Award) -> bool:
    """Whether there is something of a rate or cashback that it could make more."""
    body = award.version.body
    assert isinstance(body, MultiplierBody)
    return (
        base.units > 0
        and isinstance(base.version.body, RateBody | CashbackBody)
        and base.version.wallet_type_id == award.version.wallet_type_id
        and (not body.of or base.version.rule_code in body.of)
    )


def _outdoes(other: Award, award: Award, awards: Sequence[Award], reckoner: Reckoner) -> bool:
    """Whether it multiplies the same lines of the same rule, by as much at least."""
    return (
        other.units > 0
        and isinstance(other.version.body, MultiplierBody)
        and _factor(other) >= _factor(award)
        and any(_multiplies(award, base) and _multiplies(other, base) for base in awards)
        and not _places(other, reckoner).isdisjoint(_places(award, reckoner))
    )


def _factor(award: Award) -> float:
    body = award.version.body
    return float(body.factor) if isinstance(body, MultiplierBody) else 0


def _places(award: Award, reckoner: Reckoner) -> set[int]:
    """The lines that it is for; shipping too, unless it names lines."""
    body = award.version.body
    assert isinstance(body, MultiplierBody)
    scope = yardstick_of(body).scope
    return {*reckoner.eligible(scope), *((SHIPPING,) if scope.whole else ())}
