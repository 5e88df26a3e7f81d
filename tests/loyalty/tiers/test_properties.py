"""Of any facts, in any order."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from loyalty.tiers.course import Course
from loyalty.tiers.facts import Fact, Span
from loyalty.tiers.history import history
from loyalty.tiers.ladders import Ladder
from loyalty.tiers.paths import TierPath
from loyalty.tiers.progress import standing, tier_at
from loyalty.tiers.windows import counts_until, returns_until
from tests.loyalty.tiers.ladder import ATHENS, at, bought, ladder

JOINED = at("2024-02-29", "09:00")
HOUR = dt.timedelta(hours=1)
CENT = Decimal("0.01")

instants = st.integers(0, 24 * 900).map(lambda hours: JOINED + hours * HOUR)
amounts = st.integers(1, 200_000).map(lambda cents: Decimal(cents) / 100)


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    facts: list[Fact] = []
    for number in range(draw(st.integers(0, 8))):
        sale = Fact(f"order:{number}", "spend", draw(instants), draw(amounts))
        facts.append(sale)
        left = sale.amount
        for part in range(draw(st.integers(0, 2))):
            back = min(left, draw(amounts))
            left -= back
            late = draw(st.integers(0, 24 * 60)) * HOUR
            if back:
                facts.append(
                    Fact(f"refund:{number}-{part}", "spend", sale.at + late, -back, of=sale.key)
                )
    if draw(st.booleans()):
        facts.append(Fact("refund:alone", "spend", draw(instants), -draw(amounts)))
    return facts


ladders = st.builds(
    ladder,
    window=st.sampled_from(["calendar_year", "rolling_12_months", "membership_year", "lifetime"]),
    downgrade=st.sampled_from(["none", "soft_landing", "recompute", "to_base", "immediate"]),
    refunds_count_on=st.sampled_from(["sale", "refund_date"]),
    return_days=st.sampled_from([0, 14, 30]),
    grace_days=st.sampled_from([0, 0, 20]),
)


@st.composite
def wordings(draw: st.DrawFn) -> tuple[Ladder, ...]:
    first, second = draw(ladders), draw(ladders)
    return (first, replace(second, starts_at=draw(instants))) if draw(st.booleans()) else (first,)


def _history(wording: tuple[Ladder, ...], facts: list[Fact], until: dt.datetime) -> list[Span]:
    return history(wording, facts, joined_at=JOINED, until=until, zone=ATHENS)


@given(wordings(), histories(), instants, st.randoms())
def test_facts_in_any_order_make_the_same_history(
    wording: Any, facts: Any, until: Any, random: Any
) -> None:
    shuffled = facts[:]
    random.shuffle(shuffled)
    assert _history(wording, facts, until) == _history(wording, shuffled, until)


@given(wordings(), histories(), st.lists(instants, max_size=5), instants)
def test_going_on_from_any_instant_is_the_same_as_beginning_anew(
    wording: Any, facts: Any, stops: Any, until: Any
) -> None:
    known = [fact for fact in facts if fact.at <= until]
    course = Course(wording, known, joined_at=JOINED, zone=ATHENS)
    for stop in sorted(stop for stop in stops if stop < until):
        course.run(stop)
    course.run(until)
    again = Course(wording, known, joined_at=JOINED, zone=ATHENS)
    again.run(until)
    assert (course.state, course.changes) == (again.state, again.changes)


@given(wordings(), histories(), instants, instants)
def test_what_happens_later_does_not_change_what_was(
    wording: Any, facts: Any, one: Any, other: Any
) -> None:
    earlier, later = sorted((one, other))
    known, all_of_it = _history(wording, facts, earlier), _history(wording, facts, later)
    began = [(span.tier, span.since, span.why) for span in all_of_it if span.since <= earlier]
    assert [(span.tier, span.since, span.why) for span in known] == began


@given(wordings(), histories(), st.lists(instants, max_size=6))
def test_going_along_a_path_each_order_has_the_tier_before_it(
    wording: Any, facts: Any, others: Any
) -> None:
    path = TierPath(wording, facts, (), JOINED, ATHENS)
    for when in sorted([*others, *(fact.at for fact in facts)]):
        known = [fact for fact in facts if fact.at < when]
        found = tier_at(wording, known, joined_at=JOINED, at=when, zone=ATHENS)
        assert path.pricing(when) == (None if found is None else found[1])


@given(ladders, histories(), instants)
def test_a_refund_within_the_return_window_is_as_if_less_had_been_bought(
    wording: Any, facts: Any, until: Any
) -> None:
    """The tier now is that of a past without what came back in time."""
    wording = replace(wording, refunds_count_on="sale")
    known = [fact for fact in facts if fact.at <= until]
    sales = {fact.key: fact for fact in known if not fact.of}
    in_time = [
        fact
        for fact in known
        if fact.of in sales
        and fact.at < returns_until(sales[fact.of].at, wording.return_days, ATHENS)
    ]
    for fact in in_time:
        sale = sales[fact.of]
        sales[fact.of] = replace(sale, amount=sale.amount + fact.amount)
    without = [*sales.values(), *(fact for fact in known if fact.of and fact not in in_time)]
    now, then = (
        standing((wording,), each, joined_at=JOINED, at=until, zone=ATHENS)
        for each in (known, without)
    )
    assert now is not None
    assert then is not None
    assert (now.tier, now.total, now.next, now.keep, now.lost) == (
        then.tier, then.total, then.next, then.keep, then.lost,
    )  # fmt: skip


@given(ladders, histories(), instants)
def test_buying_exactly_what_it_says_reaches_the_next_tier_and_a_cent_less_does_not(
    wording: Any, facts: Any, until: Any
) -> None:
    found = standing((wording,), facts, joined_at=JOINED, at=until, zone=ATHENS)
    assert found is not None
    if found.next is None:
        return
    moment = dt.timedelta(microseconds=1)
    last = until + moment if found.next.until is None else found.next.until - moment
    assert found.next.missing > 0
    for when in (until + moment, last):
        if found.changes_at is not None and when >= found.changes_at:
            continue  # a tier was lost before: it would take more
        for less, reached in ((Decimal(0), True), (CENT, False)):
            amount = found.next.missing - less
            more = [bought("new", "2024-01-01", amount, at=when)] if amount else []
            kept = [fact for fact in facts if fact.at <= until]
            after = standing((wording,), [*kept, *more], joined_at=JOINED, at=when, zone=ATHENS)
            assert after is not None
            assert (_rank(wording, after.tier) >= _rank(wording, found.next.tier)) is reached


@given(ladders, histories(), instants)
def test_buying_what_keeps_the_tier_keeps_it_and_a_cent_less_does_not(
    wording: Any, facts: Any, until: Any
) -> None:
    found = standing((wording,), facts, joined_at=JOINED, at=until, zone=ATHENS)
    assert found is not None
    if found.keep is None or not found.keep.missing or found.lost is None:
        return
    kept = [fact for fact in facts if fact.at <= until]
    moment = dt.timedelta(microseconds=1)
    assert found.keep.until is not None
    last = found.keep.until - moment
    soon = until + moment
    # What is bought on the very day of what drops out drops out with it.
    gone = None if wording.periodic else counts_until(wording.window, soon, JOINED.date(), ATHENS)
    whens = [last] if gone is not None and gone <= found.lost.at else [soon, last]
    for when, (less, holds) in product(whens, ((Decimal(0), True), (CENT, False))):
        amount = found.keep.missing - less
        higher = wording.rank_of(found.total + amount) > _rank(wording, found.tier)
        if higher and wording.downgrade == "to_base":
            continue  # it reaches a higher tier, and whoever loses that begins anew
        if higher and wording.downgrade == "soft_landing" and not holds:
            continue  # it reaches a higher tier, and whoever loses that lands one below
        more = [bought("new", "2024-01-01", amount, at=when)] if amount else []
        later = standing(
            (wording,), [*kept, *more], joined_at=JOINED, at=found.lost.at, zone=ATHENS
        )
        assert later is not None
        if holds or not wording.grace_days or wording.periodic:
            assert (_rank(wording, later.tier) >= _rank(wording, found.tier)) is holds


def _rank(wording: Ladder, code: str) -> int:
    rank = wording.rank_of_code(code)
    assert rank is not None
    return rank
