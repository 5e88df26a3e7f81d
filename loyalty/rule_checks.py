"""What is wrong with a rule before it is published: what can never award, and what surprises.

Pure: everything is given. What is refused comes with its reason; what is only odd is a warning.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from loyalty.rule_conditions import stored_condition
from loyalty.rules.bodies import (
    CashbackBody,
    EarningBody,
    FixedBody,
    MultiplierBody,
    RateBody,
    RuleBody,
    WindowedBody,
)
from loyalty.rules.body_parts import LineFilter, LinesBody
from loyalty.rules.discount_bodies import DiscountBody
from members.conditions.contradictions import Range, never_holds
from members.conditions.moments import Moment
from members.conditions.sentences import sentence
from members.conditions.tree import AllOf, Not


@dataclass(frozen=True, slots=True)
class Standing:
    """A wording of a rule among the others of its program: in force in [starts_at, ends_at), at
    its place in the order of evaluation."""

    code: str
    name: str
    unit: str
    place: int
    body: RuleBody
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None

    def overlaps(self, other: Standing) -> bool:
        return _before(self.starts_at, other.ends_at) and _before(other.starts_at, self.ends_at)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found; `refused`: the rule must not be published like that."""

    code: str
    message: str
    field: str = ""
    refused: bool = False


def check_rule(
    rule: Standing,
    others: Sequence[Standing],
    *,
    moment: Moment,
    multiplying: str,
    discounting: str = "best",
) -> list[Finding]:
    """Everything that is wrong with a rule beside the others that are live or scheduled, what is
    refused first. `moment`: now, in the program's time zone."""
    if isinstance(rule.body, DiscountBody):
        return _check_discount(rule, others, moment, discounting)
    if not isinstance(rule.body, EarningBody):
        # What is no matter of orders stands alone.
        return [*_dead_window(rule, moment), *_dead_condition(rule, moment)]
    beside = [
        other
        for other in others
        if other.code != rule.code
        and isinstance(other.body, EarningBody)
        and _meet(rule, other, moment)
    ]
    refused = [
        *_dead_window(rule, moment),
        *_dead_condition(rule, moment),
        *_dead_lines(rule),
        *_missing_rules(rule, others),
    ]
    if any(finding.code == "empty_window" for finding in refused):
        return refused
    return [
        *refused,
        *_stopped_before(rule, beside),
        *_given_way(rule, beside),
        *_multiplies_nothing(rule, beside),
        *_other_multipliers(rule, beside, multiplying),
        *_no_limit(rule),
    ]


def both_count(
    rule: Standing, other: Standing, *, moment: Moment, multiplying: str, discounting: str
) -> Finding | None:
    """What becomes of two multipliers, or two discounts, that count for the same orders: of what
    `check_rule` finds that alone, for where every pair is looked at. None: they are no such two."""
    if other.code == rule.code:
        return None
    found: Iterator[Finding] = iter(())
    if isinstance(rule.body, DiscountBody) and isinstance(other.body, DiscountBody):
        found = _other_discounts(rule, [other], discounting)
    elif isinstance(rule.body, EarningBody) and isinstance(other.body, EarningBody):
        found = _other_multipliers(rule, [other], multiplying)
    finding = next((item for item in found if item.code in ("discounts", "multipliers")), None)
    if finding is None or not _meet(rule, other, moment):
        return None
    empty = any(item.code == "empty_window" for item in _dead_window(rule, moment))
    return None if empty else finding


def _check_discount(
    rule: Standing, others: Sequence[Standing], moment: Moment, discounting: str
) -> list[Finding]:
    refused = [
        *_dead_window(rule, moment),
        *_dead_condition(rule, moment),
        *_dead_lines(rule),
    ]
    if any(finding.code == "empty_window" for finding in refused):
        return refused
    beside = [
        other
        for other in others
        if other.code != rule.code
        and isinstance(other.body, DiscountBody)
        and _meet(rule, other, moment)
    ]
    return [*refused, *_other_discounts(rule, beside, discounting)]


def _other_discounts(
    rule: Standing, beside: Sequence[Standing], discounting: str
) -> Iterator[Finding]:
    """What becomes of several on one order; nothing follows one that always stops."""
    assert isinstance(rule.body, DiscountBody)
    together = {
        "best": _("“%s” is a discount too: where both are, only the larger counts."),
        "add": _("“%s” is a discount too: where both are, each is off the prices as they were."),
        "in_turn": _("“%s” is a discount too: where both are, the later is off what is left."),
    }[discounting]
    for other in beside:
        assert isinstance(other.body, DiscountBody)
        alone = discounting == "best"
        if not alone and _stops_all(other.body) and other.place < rule.place:
            message = _("It never counts beside “%s”, which comes before it and stops others.")
            yield Finding("shadowed", message % other.name)
        elif not alone and _stops_all(rule.body) and rule.place < other.place:
            message = _("“%s”, which comes after it, will not count any more.")
            yield Finding("shadows", message % other.name)
        elif not rule.body.group or rule.body.group != other.body.group:
            yield Finding("discounts", together % other.name)


def _stops_all(body: DiscountBody) -> bool:
    """Whether every order of members has it, and nothing after it."""
    narrowed = body.when or body.names_lines or body.least or not body.reduced_too
    below = body.brackets and body.brackets[0].above
    return body.stops and body.off not in ("cheapest", "bundle") and not narrowed and not below


def refusals(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.refused]


def _dead_window(rule: Standing, moment: Moment) -> Iterator[Finding]:
    starts_at, ends_at = rule.starts_at, rule.ends_at
    if ends_at is None:
        return
    if starts_at is not None and starts_at >= ends_at:
        message = _("It would end before it begins.")
        yield Finding("empty_window", message, "ends_at", refused=True)
    elif ends_at <= moment.now:
        yield Finding("empty_window", _("Its end has passed already."), "ends_at", refused=True)


def _dead_condition(rule: Standing, moment: Moment) -> Iterator[Finding]:
    condition = stored_condition(rule.body.when)
    if condition is None:
        return
    within = _days_between(rule.starts_at, rule.ends_at, moment)
    found = never_holds(condition.root, moment, within)
    if found is None:
        return
    parts = tuple(each.question if each.wanted else Not(each.question) for each in found)
    words = {"questions": sentence(AllOf(parts))}
    message = (
        _("It can never award: “%(questions)s” is never true at once.")
        if len(parts) > 1
        else _("It can never award: “%(questions)s” is never true while the rule counts.")
    )
    yield Finding("never", message % words, "when", refused=True)


def _meet(rule: Standing, other: Standing, moment: Moment) -> bool:
    """Whether there can be an order that both count for: in the time of both, and by what each asks
    for. What comes on Fridays never meets what comes at the weekend."""
    if not rule.overlaps(other):
        return False
    asked = [stored_condition(each.body.when) for each in (rule, other)]
    roots = tuple(condition.root for condition in asked if condition is not None)
    if not roots:
        return True
    begins = max((each.starts_at for each in (rule, other) if each.starts_at), default=None)
    ends = min((each.ends_at for each in (rule, other) if each.ends_at), default=None)
    return never_holds(AllOf(roots), moment, _days_between(begins, ends, moment)) is None


def _days_between(
    starts_at: dt.datetime | None, ends_at: dt.datetime | None, moment: Moment
) -> dict[str, Range]:
    """The days and weekdays, and within a single day the times, on which orders are judged then."""
    begins = max(starts_at or moment.now, moment.now)
    first = moment.day_of(begins)
    if ends_at is None:
        return {"order.day": Range(lambda day: day >= first, (first,))}
    last = moment.day_of(ends_at - dt.timedelta(microseconds=1))
    week = {
        (first + dt.timedelta(days=number)).weekday()
        for number in range(min((last - first).days, 6) + 1)
    }
    found = {
        "order.day": Range(lambda day: first <= day <= last, (first, last)),
        "order.weekday": Range(lambda day: day in week),
    }
    if first == last:
        until = ends_at - dt.timedelta(minutes=1)
        clocks = [each.astimezone(moment.zone).time() for each in (begins, until)]
        found["order.time"] = Range(lambda clock: clocks[0] <= clock <= clocks[1])
    return found


def _dead_lines(rule: Standing) -> Iterator[Finding]:
    """What may earn is left out as a whole."""
    assert isinstance(rule.body, LinesBody)
    wanted, left_out = rule.body.include, rule.body.exclude
    named = [(getattr(wanted, kind), getattr(left_out, kind)) for kind in LineFilter.model_fields]
    if any(chosen for chosen, _out in named) and all(set(c) <= set(out) for c, out in named):
        message = _("It can never award: everything that earns is also left out.")
        yield Finding("never", message, "exclude", refused=True)


def _missing_rules(rule: Standing, others: Sequence[Standing]) -> Iterator[Finding]:
    """What a multiplier names has to be there for as long as it is."""
    if not isinstance(rule.body, MultiplierBody):
        return
    for code in rule.body.of:
        wordings = sorted(
            (other for other in others if other.code == code),
            key=lambda item: (item.starts_at is not None, item.starts_at),
        )
        name = wordings[0].name if wordings else code
        if not _covered(rule, wordings):
            message = _("It multiplies “%s”, which is not live for all of that time.") % name
            yield Finding("missing_rule", message, "of", refused=True)
        elif any(_unlike(rule, other) for other in wordings if other.overlaps(rule)):
            message = _("It cannot multiply “%s”: only rates and cashback of the same units are.")
            yield Finding("not_multiplied", message % name, "of", refused=True)


def _unlike(rule: Standing, other: Standing) -> bool:
    return other.unit != rule.unit or not isinstance(other.body, RateBody | CashbackBody)


def _covered(rule: Standing, wordings: Sequence[Standing]) -> bool:
    """Whether wordings, the earliest first, are in force from a rule's beginning to its end."""
    reached = rule.starts_at
    for wording in wordings:
        if wording.starts_at is not None and (reached is None or wording.starts_at > reached):
            continue
        if wording.ends_at is None:
            return True
        if reached is None or wording.ends_at > reached:
            reached = wording.ends_at
    return rule.ends_at is not None and reached is not None and reached >= rule.ends_at


def _stopped_before(rule: Standing, beside: Sequence[Standing]) -> Iterator[Finding]:
    if isinstance(rule.body, WindowedBody) and rule.body.windowed:
        return
    for other in beside:
        if _always_stops(other) and other.unit == rule.unit and other.place < rule.place:
            message = _("It never awards beside “%s”, which comes before it and stops others.")
            yield Finding("shadowed", message % other.name)
    if _always_stops(rule):
        for other in beside:
            if other.unit == rule.unit and other.place > rule.place:
                message = _("“%s”, which comes after it, will not award any more.")
                yield Finding("shadows", message % other.name)


def _always_stops(rule: Standing) -> bool:
    """Whether every order earns by it, and nothing after it."""
    body = rule.body
    always = isinstance(body, RateBody | CashbackBody | FixedBody)
    return always and isinstance(body, EarningBody) and body.stops and not _narrowed(body)


def _narrowed(body: EarningBody) -> bool:
    return bool(body.when) or body.include != LineFilter() or body.exclude != LineFilter()


def _given_way(rule: Standing, beside: Sequence[Standing]) -> Iterator[Finding]:
    """In a group only the best counts: one that never is need not be there."""
    group = _group(rule)
    for other in beside:
        if not group or (other.unit, _group(other)) != (rule.unit, group):
            continue
        if _gives_as_much(other.body, rule.body):
            message = _("It never awards: “%s” of the same group always gives as much or more.")
            yield Finding("shadowed", message % other.name, "group")
        elif _gives_as_much(rule.body, other.body):
            message = _("“%s” of the same group will not award any more: this always gives more.")
            yield Finding("shadows", message % other.name, "group")


def _group(rule: Standing) -> str:
    return rule.body.group if isinstance(rule.body, EarningBody) else ""


def _gives_as_much(one: RuleBody, than: RuleBody) -> bool:
    """Whether it gives at least as much for every order; only what is certain counts."""
    if not isinstance(one, EarningBody) or _narrowed(one) or any(_caps_of(one)):
        return False
    match one, than:
        case RateBody(), RateBody():
            alike = one.measure == than.measure and _count_alike(one, than)
            return alike and one.units * than.per >= than.units * one.per
        case FixedBody(), FixedBody():
            return one.units >= than.units
        case CashbackBody(brackets=()), CashbackBody(brackets=(), by_category=(), by_margin=()):
            alike = _count_alike(one, than)
            own = [item.percent for item in one.by_category]
            least = min([one.percent, *own, *(item.percent for item in one.by_margin)])
            return alike and least >= than.percent
    return False


def _count_alike(one: RateBody | CashbackBody, than: RateBody | CashbackBody) -> bool:
    return (one.base, one.rounding) == (than.base, than.rounding)


def _multiplies_nothing(rule: Standing, beside: Sequence[Standing]) -> Iterator[Finding]:
    if not isinstance(rule.body, MultiplierBody) or rule.body.of:
        return
    if all(_unlike(rule, other) for other in beside):
        message = _("There is nothing that it multiplies: no rate and no cashback of its units.")
        yield Finding("multiplies_nothing", message)


def _other_multipliers(
    rule: Standing, beside: Sequence[Standing], multiplying: str
) -> Iterator[Finding]:
    if not isinstance(rule.body, MultiplierBody):
        return
    together = {
        "best": _("“%s” multiplies too: where both do, only the larger counts."),
        "add": _("“%s” multiplies too: where both do, what each adds is added up."),
        "multiply": _("“%s” multiplies too: where both do, one multiplies the other."),
    }[multiplying]
    for other in beside:
        if not isinstance(other.body, MultiplierBody) or other.unit != rule.unit:
            continue
        same_group = rule.body.group and rule.body.group == other.body.group
        apart = rule.body.of and other.body.of and not set(rule.body.of) & set(other.body.of)
        if not same_group and not apart:
            yield Finding("multipliers", together % other.name)


def _no_limit(rule: Standing) -> Iterator[Finding]:
    if isinstance(rule.body, MultiplierBody | FixedBody) and not any(_caps_of(rule.body)):
        yield Finding("no_limit", _("Nothing limits how much it gives in all."), "caps")


def _caps_of(body: EarningBody) -> tuple[object, ...]:
    return body.caps.per_order, body.caps.counted


def _before(one: dt.datetime | None, other: dt.datetime | None) -> bool:
    """Whether a beginning (None: always) is before an end (None: never)."""
    return one is None or other is None or one < other
