"""Going on from what earlier facts came to is the same as going through all of them again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.tiers import checkpoints
from loyalty.tiers.checkpoints import find_cut, reaches_back
from loyalty.tiers.facts import Fact
from loyalty.tiers.ladders import Ladder
from loyalty.tiers.progress import Standing, standing, tier_at
from loyalty.tiers.states import Checkpoint
from tests.loyalty.tiers.ladder import ATHENS, at, back, bought, ladder
from tests.loyalty.tiers.test_properties import (
    HOUR,
    JOINED,
    histories,
    instants,
    ladders,
    wordings,
)


@pytest.fixture(autouse=True, scope="module")
def short() -> Any:
    """Histories of a few facts are cut already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "LONGEST", 2)
        patch.setattr(checkpoints, "RECENT", 1)
        yield


def _stands(
    wording: Sequence[Ladder], facts: Sequence[Fact], until: dt.datetime,
    after: Checkpoint | None = None,
) -> Standing:  # fmt: skip
    found = standing(wording, facts, joined_at=JOINED, at=until, zone=ATHENS, after=after)
    assert found is not None
    return found


def _gone_on(
    wording: Sequence[Ladder], facts: Sequence[Fact], stops: Sequence[dt.datetime]
) -> tuple[Standing | None, int]:
    """As members' rows are kept: from stop to stop, each time from the last checkpoint if it still
    holds. Also how often one was used."""
    found, after, used = None, None, 0
    for stop in stops:
        known = [fact for fact in facts if fact.at <= stop]
        since = known if after is None else [fact for fact in known if fact.at >= after.at]
        if after is not None and (reaches_back(wording[-1], since) or stop < after.at):
            since, after = known, None
        used += after is not None
        found = standing(wording, since, joined_at=JOINED, at=stop, zone=ATHENS, after=after)
        if found is not None and found.checkpoint is not None:
            after = found.checkpoint
    return found, used


@given(wordings(), histories(), st.lists(instants, min_size=2, max_size=6))
def test_a_course_that_is_continued_is_the_one_that_is_begun_anew(
    wording: Any, facts: Any, stops: Any
) -> None:
    stops = sorted(stops)
    continued, _used = _gone_on(wording, facts, stops)
    known = [fact for fact in facts if fact.at <= stops[-1]]
    fresh = standing(wording, known, joined_at=JOINED, at=stops[-1], zone=ATHENS)
    if fresh is None or continued is None:
        assert continued is fresh
        return
    assert replace(continued, checkpoint=None) == replace(fresh, checkpoint=None)


@given(ladders, histories(), instants, instants)
def test_the_tier_before_an_order_is_the_same(
    wording: Any, facts: Any, one: Any, other: Any
) -> None:
    earlier, later = sorted((one, other))
    after = _stands((wording,), [fact for fact in facts if fact.at <= earlier], earlier).checkpoint
    if after is None or later < after.at:
        return
    since = [fact for fact in facts if after.at <= fact.at < later]
    if reaches_back(wording, since):
        return
    known = [fact for fact in facts if fact.at < later]
    how: dict[str, Any] = {"joined_at": JOINED, "at": later, "zone": ATHENS}
    fresh = tier_at((wording,), known, **how)
    assert tier_at((wording,), since, **how, after=after) == fresh


@given(st.data(), histories(), instants)
def test_orders_that_are_confirmed_late_are_never_summed_up_before(
    data: Any, facts: Any, until: Any
) -> None:
    wording = replace(data.draw(ladders), counts_from="confirmed")
    confirmed = [
        replace(fact, of_order=True, confirmed_at=fact.at + data.draw(st.integers(0, 900)) * HOUR)
        if not fact.of and data.draw(st.booleans())
        else replace(fact, of_order=not fact.of)
        for fact in facts
    ]
    stops = sorted([data.draw(instants), data.draw(instants), until])

    def as_known(stop: dt.datetime) -> list[Fact]:
        return [
            replace(fact, confirmed_at=None)
            if fact.confirmed_at and fact.confirmed_at > stop
            else fact
            for fact in confirmed
            if fact.at <= stop
        ]

    after = None
    for stop in stops:
        found = standing((wording,), as_known(stop), joined_at=JOINED, at=stop, zone=ATHENS)
        after = found.checkpoint if found else None
        since = [fact for fact in as_known(stops[-1]) if after and fact.at >= after.at]
        if after is None or reaches_back(wording, since):
            continue
        continued = _stands((wording,), since, stops[-1], after)
        fresh = _stands((wording,), as_known(stops[-1]), stops[-1])
        assert replace(continued, checkpoint=None) == replace(fresh, checkpoint=None)


def test_checkpoints_are_used_wherever_orders_come_in_their_order() -> None:
    facts = [
        bought(str(n), "2025-01-01", 40, at=at("2025-01-01") + n * 60 * HOUR) for n in range(60)
    ]
    for window in ("calendar_year", "rolling_12_months", "membership_year", "lifetime"):
        wording = (ladder(window=window),)
        found, used = _gone_on(wording, facts, [fact.at for fact in facts])
        assert used == 57
        assert found is not None
        assert found.total == _stands(wording, facts, facts[-1].at).total


def test_what_is_kept_of_a_long_history_does_not_grow_with_it() -> None:
    for orders in (1600, 4800):
        step = dt.timedelta(days=800) / orders
        facts = [bought(str(n), "2025-01-01", 1, at=JOINED + n * step) for n in range(orders)]
        kept = _stands((ladder(window="rolling_12_months"),), facts, facts[-1].at).checkpoint
        assert kept is not None
        assert len(kept.carried) in (365, 366)
        assert len(kept.changes) <= 3
        assert sum(fact.at >= kept.at for fact in facts) == 1


def test_what_may_still_come_back_is_not_parted_from_what_already_has() -> None:
    facts = [bought(str(n), f"2025-02-{n:02}", 100) for n in range(1, 6)]
    facts += [back("r", "2025-03-01", 10, of="2")]
    assert find_cut(ladder(), facts) == at("2025-03-01") + dt.timedelta(microseconds=1)
    later = [*facts, bought("6", "2025-03-02", 100), bought("7", "2025-03-03", 100)]
    assert find_cut(ladder(), later) == at("2025-03-03")


def test_an_order_that_is_never_confirmed_stays_after_the_cut() -> None:
    facts = [
        bought(str(n), f"2025-02-{n:02}", Decimal(100), confirmed_at=at(f"2025-02-{n:02}"))
        for n in range(1, 9)
    ]
    facts[4] = replace(facts[4], confirmed_at=None)
    assert find_cut(ladder(counts_from="confirmed"), facts) == at("2025-02-05")
    assert find_cut(ladder(), facts) == at("2025-02-08")
