"""Short ways to an order as rules see it, and to rule versions."""

import datetime as dt
import zoneinfo
from decimal import Decimal
from typing import Any

from loyalty.rule_conditions import stored_condition
from loyalty.rules.bodies import parse_body
from loyalty.rules.engine import Decision, RuleVersion, evaluate
from loyalty.rules.facts import Basket, Line, Occasion
from members.conditions.moments import Moment

ATHENS = zoneinfo.ZoneInfo("Europe/Athens")
# A Saturday morning.
SATURDAY = dt.datetime(2025, 6, 7, 10, tzinfo=ATHENS)


def line(total: str, category: str = "", **details: Any) -> Line:
    return Line(0, Decimal(total), category=category, **details)


def bought(*lines: Line | str, at: dt.datetime = SATURDAY, **details: Any) -> Occasion:
    """An order of these lines, at their totals."""
    basket = Basket(
        tuple(each if isinstance(each, Line) else line(each) for each in lines),
        **{
            name: details.pop(name) for name in list(details) if name in Basket.__dataclass_fields__
        },
    )
    return Occasion(basket, Moment(at, ATHENS), **details)


def version(number: int, body: dict[str, Any], *, scale: int = 0, unit: int = 1) -> RuleVersion:
    """Version ids and codes follow the number: 1 is r1."""
    return RuleVersion(
        number, f"Rule {number}", 1, unit, scale, parse_body(body), rule_code=f"r{number}",
        when=stored_condition(body.get("when", {})),
    )  # fmt: skip


def judged(*bodies: dict[str, Any], order: Occasion, scale: int = 0, **how: Any) -> Decision:
    versions = [version(number, body, scale=scale) for number, body in enumerate(bodies, start=1)]
    return evaluate(versions, order, **how)


def units(*bodies: dict[str, Any], order: Occasion, scale: int = 0, **how: Any) -> list[int]:
    """What each rule gives, in their order."""
    return [award.units for award in judged(*bodies, order=order, scale=scale, **how).awards]
