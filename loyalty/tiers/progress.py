"""What is missing to the next tier, what keeps the present one, and when it would be lost."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from loyalty.tiers.checkpoints import checkpoint_in
from loyalty.tiers.course import Course
from loyalty.tiers.facts import Fact, Manual, Span
from loyalty.tiers.history import spans
from loyalty.tiers.ladders import Ladder
from loyalty.tiers.states import Change, Checkpoint, State

# Far enough for a year, the next, a grace period and what a soft landing holds.
AHEAD = dt.timedelta(days=366 * 4)


@dataclass(frozen=True, slots=True)
class Goal:
    """So much is `missing` up to `until`, exclusively, for the tier with this code; None: without
    an end."""

    tier: str
    missing: Decimal
    until: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Leaving:
    """So much counts no more from then on: older things drop out of a rolling window."""

    at: dt.datetime
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Loss:
    """From `at` on, if nothing more happens, the member has the tier with this code."""

    at: dt.datetime
    tier: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a member stands at an instant.

    `earned`: the tier without what was given by hand. `total`: what counts. `next`: None at the
    top. `keep`: what keeps the earned tier, with nothing missing where it is safe up to then; None:
    it is never lost. `in_grace`: it was not kept, and is about to be lost. `changes_at`: the next
    instant at which any of this changes by itself. `state`: where the course has come to.
    `by_clock`: nothing but the ends of periods and of grace periods lies ahead. `checkpoint`: a new
    one, where the history was long.
    """

    at: dt.datetime
    ladder: Ladder
    tier: str
    earned: str
    total: Decimal
    next: Goal | None
    keep: Goal | None
    leaving: Leaving | None
    lost: Loss | None
    in_grace: bool
    changes_at: dt.datetime | None
    history: tuple[Span, ...]
    state: State
    by_clock: bool
    checkpoint: Checkpoint | None = None

    @property
    def span(self) -> Span:
        return self.history[-1]


def standing(
    ladders: Sequence[Ladder],
    facts: Iterable[Fact],
    manual: Sequence[Manual] = (),
    *,
    joined_at: dt.datetime,
    at: dt.datetime,
    zone: zoneinfo.ZoneInfo,
    after: Checkpoint | None = None,
) -> Standing | None:
    """Where a member stands, by what had happened by then. None: there were no tiers yet.

    `after`: what the facts before these came to."""
    facts = list(facts)
    later_facts = [fact.at for fact in facts if fact.at > at]
    facts = [fact for fact in facts if fact.at <= at]
    course = Course(ladders, facts, joined_at=joined_at, zone=zone, after=after)
    checkpoint = checkpoint_in(course, facts, joined_at=joined_at, until=at)
    state = course.run(at)
    if state is None:
        return None
    ladder = course.ladders[state.place]
    known = spans(course.ladders, course.changes, manual, until=at)
    ahead = course.ahead(at + AHEAD)
    later = spans(course.ladders, [*course.changes, *ahead], manual, until=at + AHEAD)
    coming = [span for span in later if span.since > at]
    falls = [change for change in ahead if _lower(course, state, change)]
    leaving = _leaving(course)
    return Standing(
        at=at,
        ladder=ladder,
        tier=known[-1].tier,
        earned=ladder.levels[state.rank].code,
        total=state.total,
        next=_next(ladder, state, state.turn or (leaving.at if leaving else None)),
        keep=_keep(ladder, state, falls[0] if falls else None),
        leaving=leaving,
        lost=_loss(known[-1].tier, coming, course),
        in_grace=state.due is not None,
        changes_at=_changes_at(course, state, leaving, coming, manual, later_facts),
        history=tuple(known),
        state=state,
        by_clock=not manual and not later_facts and course.waits_for_time_alone,
        checkpoint=checkpoint,
    )


def tier_at(
    ladders: Sequence[Ladder],
    facts: Iterable[Fact],
    manual: Sequence[Manual] = (),
    *,
    joined_at: dt.datetime,
    at: dt.datetime,
    zone: zoneinfo.ZoneInfo,
    after: Checkpoint | None = None,
) -> tuple[Ladder, str] | None:
    """The tier at an instant and the wording that applies, without what is to come of it."""
    known = [fact for fact in facts if fact.at <= at]
    course = Course(ladders, known, joined_at=joined_at, zone=zone, after=after)
    state = course.run(at)
    if state is None:
        return None
    [*_before, last] = spans(course.ladders, course.changes, manual, until=at)
    return course.ladders[state.place], last.tier


def _lower(course: Course, state: State, change: Change) -> bool:
    return change.place == state.place and change.rank < state.rank


def _next(ladder: Ladder, state: State, until: dt.datetime | None) -> Goal | None:
    """`until`: up to when the same amount suffices: to the end of the period, or until the first of
    what counts drops out."""
    if state.rank + 1 >= len(ladder.levels):
        return None
    level = ladder.levels[state.rank + 1]
    return Goal(level.code, level.threshold - state.total, until)


def _keep(ladder: Ladder, state: State, fall: Change | None) -> Goal | None:
    """In a period: what its end asks for, or in grace what is left of that for the next. In a
    rolling window: what will be missing when so much has dropped out that the tier is lost."""
    if not state.rank or ladder.downgrade == "none":
        return None
    level = ladder.levels[state.rank]
    if ladder.periodic:
        missing = max(level.threshold - state.total, Decimal(0))
        return Goal(level.code, missing, state.due or state.turn)
    if fall is None:
        return None
    return Goal(level.code, max(level.threshold - fall.total, Decimal(0)), fall.at)


def _leaving(course: Course) -> Leaving | None:
    found = course.next_leaving()
    if not found:
        return None
    return Leaving(found[0].at, sum((course.amount(event) for event in found), Decimal(0)))


def _changes_at(
    course: Course, state: State, leaving: Leaving | None, coming: Sequence[Span],
    manual: Sequence[Manual], later_facts: Sequence[dt.datetime],
) -> dt.datetime | None:  # fmt: skip
    """The end of a period, of a grace period or of something that counts, or another tier."""
    turns = [state.turn, state.due, state.held, leaving.at if leaving else None, *later_facts]
    turns += [coming[0].since if coming else None]
    turns += [turn for given in manual for turn in (given.since, given.until)]
    return min((turn for turn in turns if turn is not None and turn > course.at), default=None)


def _loss(tier: str, coming: Sequence[Span], course: Course) -> Loss | None:
    """The first of the coming tiers that is lower than the present one."""
    for span in coming:
        if _rank(course.ladders, span.tier) < _rank(course.ladders, tier):
            return Loss(span.since, span.tier)
        if span.tier != tier:
            return None
    return None


def _rank(ladders: Sequence[Ladder], code: str) -> int:
    for ladder in reversed(ladders):
        rank = ladder.rank_of_code(code)
        if rank is not None:
            return rank
    return 0
