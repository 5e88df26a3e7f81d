"""A member's tiers: what the facts came to, and what was given by hand on top of it."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable, Sequence

from loyalty.tiers.course import Course
from loyalty.tiers.facts import Fact, Manual, Span, Why
from loyalty.tiers.ladders import Ladder, in_force
from loyalty.tiers.states import Change


def history(
    ladders: Sequence[Ladder],
    facts: Iterable[Fact],
    manual: Sequence[Manual] = (),
    *,
    joined_at: dt.datetime,
    until: dt.datetime,
    zone: zoneinfo.ZoneInfo,
) -> list[Span]:
    """The tiers up to an instant, in their order; the last one goes on. The order in which the
    facts are given does not matter."""
    facts = [fact for fact in facts if fact.at <= until]
    course = Course(ladders, facts, joined_at=joined_at, zone=zone)
    course.run(until)
    return spans(course.ladders, course.changes, manual, until=until)


def spans(
    ladders: Sequence[Ladder], changes: Sequence[Change], manual: Sequence[Manual],
    *, until: dt.datetime,
) -> list[Span]:  # fmt: skip
    """A tier that was given by hand counts while it is higher than what was reached."""
    if not changes:
        return []
    began = changes[0].at
    turns = {change.at for change in changes}
    turns |= {
        ladder.starts_at
        for ladder in ladders
        if ladder.starts_at is not None and began < ladder.starts_at <= until
    }
    for given in manual:
        turns |= {at for at in (given.since, given.until) if at is not None and began < at <= until}
    found: list[Span] = []
    for at in sorted(turns):
        earned = [change for change in changes if change.at <= at][-1]
        span = _at(tuple(ladders), earned, manual, at)
        if found and found[-1].tier == span.tier:
            continue
        if found:
            before = found[-1]
            found[-1] = Span(before.tier, before.since, at, before.why)
            if before.why.kind == "manual" and span.why.kind != "manual" and earned.at < at:
                span = Span(span.tier, at, None, Why("manual_ended", before.why.key))
        found.append(span)
    return found


def _at(
    ladders: tuple[Ladder, ...], earned: Change, manual: Sequence[Manual], at: dt.datetime
) -> Span:
    place = in_force(ladders, at)
    ladder = ladders[earned.place if place is None else place]
    code = ladders[earned.place].levels[earned.rank].code
    rank, why = ladder.rank_of_code(code) or 0, earned.why
    for given in sorted(manual, key=lambda given: (given.since, given.key)):
        if given.since <= at and (given.until is None or at < given.until):
            by_hand = ladder.rank_of_code(given.code)
            if by_hand is not None and by_hand > rank:
                rank, why = by_hand, Why("manual", given.key)
    return Span(ladder.levels[rank].code, at, None, why)
