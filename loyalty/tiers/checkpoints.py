"""Where a long history is cut, so that whoever goes on need not read what was before.

The cut is clean: nothing after it changes what was before it. The last few facts stay after it,
because most of what comes back was bought lately.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import accumulate

from loyalty.tiers.course import Course
from loyalty.tiers.facts import Fact
from loyalty.tiers.ladders import Ladder
from loyalty.tiers.plan import entered_at
from loyalty.tiers.states import Checkpoint

# So many facts are gone through each time before some are summed up, and so many stay.
LONGEST = 48
RECENT = 16

MOMENT = dt.timedelta(microseconds=1)
EVER = dt.datetime.min.replace(tzinfo=dt.UTC)
NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)


def checkpoint_in(
    course: Course, facts: Sequence[Fact], *, joined_at: dt.datetime, until: dt.datetime
) -> Checkpoint | None:
    """Runs a new course to where its history may be cut, and says what it has come to; None: it is
    short, or cannot be cut."""
    if len(facts) <= LONGEST:
        return None
    cut = find_cut(course.ladders[-1], [fact for fact in facts if fact.at <= until])
    if cut is None or cut <= course.began:
        return None
    state = course.run(cut - MOMENT)
    if state is None or state.place + 1 < len(course.ladders):
        return None
    return Checkpoint(
        at=cut,
        joined_at=joined_at,
        began=course.began,
        tiers_since=course.tiers_since,
        state=state,
        changes=tuple(course.changes),
        carried=_carried(course),
    )


def reaches_back(ladder: Ladder, facts: Sequence[Fact]) -> bool:
    """Whether something is taken back of what is not among the facts."""
    own = [fact for fact in facts if fact.measure == ladder.measure]
    known = {fact.key for fact in own}
    return any(fact.of and fact.of not in known for fact in own)


def find_cut(ladder: Ladder, facts: Sequence[Fact]) -> dt.datetime | None:
    """The instant to cut at: the facts dated before it, and they alone, have come to their end by
    then. None: there is none yet, or too little is told."""
    own = sorted((fact for fact in facts if fact.measure == ladder.measure), key=lambda f: f.at)
    if len(own) <= LONGEST:
        return None
    ties = sorted(_tie(ladder, fact, sales) for sales in [_sales(own)] for fact in own)
    firsts = [first for first, _last in ties]
    lasts = [EVER, *accumulate((last for _first, last in ties), max)]
    for cut in _candidates([fact.at.astimezone(dt.UTC) for fact in own]):
        if lasts[bisect_left(firsts, cut)] < cut:
            return cut
    return None


def _candidates(instants: Sequence[dt.datetime]) -> Iterator[dt.datetime]:
    """The last few facts stay if they can, else fewer or more of them."""
    recent = len(instants) - RECENT
    yield from instants[recent:]
    yield instants[-1] + MOMENT
    yield from reversed(instants[RECENT:recent])


def _sales(facts: Sequence[Fact]) -> Mapping[str, Fact]:
    return {fact.key: fact for fact in facts if not fact.of}


def _tie(ladder: Ladder, fact: Fact, sales: Mapping[str, Fact]) -> tuple[dt.datetime, dt.datetime]:
    """From when to when a fact has to do with others, or has not begun to count: no cut parts
    it."""
    at = fact.at.astimezone(dt.UTC)
    if not fact.of:
        return at, max(at, _entered(ladder, fact))
    sale = sales.get(fact.of)
    if sale is None:
        return EVER, at
    sold = sale.at.astimezone(dt.UTC)
    return min(at, sold), max(at, _entered(ladder, sale))


def _entered(ladder: Ladder, sale: Fact) -> dt.datetime:
    at = entered_at(ladder, sale)
    return NEVER if at is None else at.astimezone(dt.UTC)


def _carried(course: Course) -> dict[dt.date, Decimal]:
    """By day what counts and will not for ever. A period forgets all at its end."""
    found: defaultdict[dt.date, Decimal] = defaultdict(Decimal)
    for event in course.held():
        found[event.entry.dated.astimezone(course.zone).date()] += course.amount(event)
    return dict(found)
