"""Units without an order: what a member gets for an activity, or for a day of the year.

`grant(versions, deed)` is to these what `engine.evaluate` is to orders: pure, with the same awards
and steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from loyalty.rules.amounts import Mode, plain_text, ratio_of, rounded
from loyalty.rules.bodies import ActivityBody, AnniversaryBody
from loyalty.rules.caps import NO_LIMIT, Room, cap
from loyalty.rules.engine import NOT_MET, Award, Decision, RuleVersion
from loyalty.rules.facts import NO_CONTEXT, Context, Deed
from loyalty.rules.steps import Step

# Larger numbers in an activity's data are mistakes, or worse.
MOST = Decimal(10) ** 9
ONE = Decimal(1)


def concerned(versions: Iterable[RuleVersion], deed: Deed) -> tuple[RuleVersion, ...]:
    """The versions that are about this type of activity."""
    return tuple(
        version
        for version in versions
        if isinstance(version.body, ActivityBody) and version.body.activity == deed.activity
    )


def grant(
    versions: Iterable[RuleVersion],
    deed: Deed,
    rooms: Mapping[int, Room] | None = None,
    *,
    context: Context = NO_CONTEXT,
) -> Decision:
    """What an activity, or a day of the year, deserves under these versions. Every one answers,
    also with zero."""
    return Decision(tuple(_award(version, deed, rooms or {}, context) for version in versions))


def _award(version: RuleVersion, deed: Deed, rooms: Mapping[int, Room], context: Context) -> Award:
    body = version.body
    assert isinstance(body, ActivityBody | AnniversaryBody)
    answers = context.answers.get(version.id, "")
    if version.when is not None and not version.when.holds(deed, answers):
        return Award(version, 0, NOT_MET)
    if isinstance(body, AnniversaryBody):
        units = _rounded(body.units, "down", version.scale)
        steps: tuple[Step, ...] = (("occasion", plain_text(body.units)),)
    else:
        units, steps = _for_activity(body, deed, version.scale)
    if units:
        units, capped = cap(units, body.caps, rooms.get(version.id, NO_LIMIT), version.scale)
        steps = (*steps, *capped)
    return Award(version, units, steps)


def _for_activity(body: ActivityBody, deed: Deed, scale: int) -> tuple[int, tuple[Step, ...]]:
    if not body.times:
        return _rounded(body.units, body.fractions, scale), (("activity", plain_text(body.units)),)
    number = number_in(deed.told(body.times))
    if number is None or number <= 0:
        return 0, (("no_number", body.times),)
    units = _rounded(body.units * number, body.fractions, scale)
    return units, (
        ("activity_times", plain_text(number), body.times, plain_text(body.units)),
        ("rounded", body.fractions, "order", plain_text(Decimal(units).scaleb(-scale))),
    )


def number_in(value: object) -> Decimal | None:
    """A value of an activity's data as a number, if it is one that makes sense."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = Decimal(str(value))
    return number if number.is_finite() and abs(number) <= MOST else None


def _rounded(units: Decimal, mode: Mode, scale: int) -> int:
    return rounded(*ratio_of(units, ONE, scale), mode)
