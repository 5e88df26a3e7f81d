"""What numbers of a quarter say of a program, row by row; and quarters of the calendar. Nothing of
a database."""

import datetime as dt
from decimal import Decimal

import pytest

from loyalty.quarters import Quarter, quarter_named, quarter_of
from loyalty.review_findings import FigureFact, GoalFact, Quarterly, findings_of
from loyalty.review_registry import Opinion, Use
from loyalty.review_sentences import GOAL_STATES
from loyalty.target_bands import Band


@pytest.mark.parametrize(
    ("day", "name", "last"),
    [
        (dt.date(2026, 1, 1), "2026-q1", dt.date(2026, 3, 31)),
        (dt.date(2026, 6, 30), "2026-q2", dt.date(2026, 6, 30)),
        (dt.date(2026, 7, 1), "2026-q3", dt.date(2026, 9, 30)),
        (dt.date(2028, 2, 29), "2028-q1", dt.date(2028, 3, 31)),
    ],
)
def test_each_day_is_in_one_quarter(day, name, last):
    quarter = quarter_of(day)
    assert (quarter.name, quarter.last) == (name, last)
    assert quarter.has(day)
    assert quarter_named(name) == quarter
    assert quarter.before.last == quarter.first - dt.timedelta(days=1)


@pytest.mark.parametrize("name", ["", "2026", "2026-q5", "2026-q0", "0000-q1", "26-q1", "x-q1"])
def test_what_names_no_quarter_is_none(name):
    assert quarter_named(name) is None


def figure(code, direction, value, before=None, low=None, high=None, tier=""):
    def number(text):
        return None if text is None else Decimal(text)

    band = None if low is None and high is None else Band(number(low), number(high))
    return FigureFact(code, direction, number(value), number(before), band, tier, tier)


@pytest.mark.parametrize(
    ("fact", "found"),
    [
        # Inside its band it works, both ends too; on the better side as well, on the worse not.
        (figure("active_share", "up", "50", None, "40", "60"), ("figure_inside", "works", "good")),
        (figure("active_share", "up", "40", None, "40", "60"), ("figure_inside", "works", "good")),
        (figure("active_share", "up", "12", None, "40", "60"), ("figure_below", "weak", "bad")),
        (figure("active_share", "up", "80", None, "40", "60"), ("figure_above", "works", "good")),
        (figure("churn_rate", "down", "9", None, None, "5"), ("figure_above", "weak", "bad")),
        # What is given away or owed costs too much above its band.
        (figure("liability_share", "down", "9", None, "3", "5"), ("figure_above", "costly", "bad")),
        (figure("cost_share", "down", "9", None, "3", "5"), ("figure_above", "costly", "bad")),
        (figure("liability_share", "down", "1", None, "3", "5"), ("figure_below", "works", "good")),
        # A tier that is too full is as wrong as one that is too empty.
        (figure("tier_share", "up", "9", None, "5", "7", "gold"), ("figure_above", "weak", "bad")),
        (figure("tier_share", "up", "3", None, "5", "7", "gold"), ("figure_below", "weak", "bad")),
        # Without a band the trend tells, from a tenth on.
        (figure("repeat_rate", "up", "55", "50"), ("figure_better", "works", "good")),
        (figure("repeat_rate", "up", "45", "50"), ("figure_worse", "weak", "bad")),
        (figure("repeat_rate", "up", "54", "50"), None),
        (figure("churn_rate", "down", "4", "5"), ("figure_better", "works", "good")),
        (figure("churn_rate", "down", "6", "5"), ("figure_worse", "weak", "bad")),
        (figure("cost_share", "down", "6", "5"), ("figure_worse", "costly", "bad")),
        (figure("nps", "up", "-10", "-20"), ("figure_better", "works", "good")),
        # Nothing to compare with, and nothing measured.
        (figure("repeat_rate", "up", "55"), None),
        (figure("repeat_rate", "up", "55", "0"), None),
        (figure("active_share", "up", None, "50", "40", "60"), None),
    ],
)  # fmt: skip
def test_a_figure_is_told_by_its_band_else_by_its_trend(fact, found):
    told = [item for item in findings_of(Quarterly("beans", [fact])) if item.rule != "goal_none"]
    assert [(item.rule, item.part, item.tone) for item in told] == ([found] if found else [])


def use(used=0, days=90, cost=None, limit=None, **more):
    known = {"kind": "reward", "key": "mug", "name": "Mug", "place": "x", "place_key": "beans/mug"}
    return Use(
        **{**known, **more}, used=used, days=days,
        cost=None if cost is None else Decimal(cost),
        limit=None if limit is None else Decimal(limit),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("item", "found"),
    [
        (use(), [("unused", "unused")]),
        (use(days=30), [("unused", "unused")]),
        # It was not there for long enough.
        (use(days=29), []),
        # There is no more to come of it.
        (use(days=7, ended=True), [("unused", "unused")]),
        (use(days=0, ended=True), []),
        (use(used=1), []),
        (use(used=1, cost="5.01", limit="5"), [("dear", "costly")]),
        (use(used=1, cost="5", limit="5"), []),
        # Nobody knows what it is to cost, or what it costs.
        (use(used=1, cost="5"), []),
        (use(used=1, limit="5"), []),
        # What nobody uses costs nothing.
        (use(cost="9", limit="5"), [("unused", "unused")]),
    ],
)
def test_what_nobody_uses_and_what_costs_too_much_is_found(item, found):
    told = [it for it in findings_of(Quarterly("beans", uses=[item])) if it.rule != "goal_none"]
    assert [(it.rule, it.part) for it in told] == found
    assert all(it.place_key == "beans/mug" and it.facts["name"] == "Mug" for it in told)


def opinion(scale, score, answers=50, most=10):
    return Opinion("s:q", "Spring", "Would you?", scale, Decimal(score), answers, most, "x", "y")


@pytest.mark.parametrize(
    ("said", "rule", "tone"),
    [
        (opinion("nps", "45"), "said", "good"),
        (opinion("nps", "30"), "said", "good"),
        (opinion("nps", "29"), "said", "news"),
        (opinion("nps", "-1"), "said", "bad"),
        (opinion("mean", "4", most=5), "said", "good"),
        (opinion("mean", "3.5", most=5), "said", "news"),
        (opinion("mean", "2.9", most=5), "said", "bad"),
        # Four answers tell nothing, and might tell of somebody.
        (opinion("nps", "-100", answers=4), "said_few", "news"),
    ],
)
def test_what_members_said_is_told_with_its_count(said, rule, tone):
    quarter = Quarterly("beans", opinions=[said], answered=True)
    (found,) = [it for it in findings_of(quarter) if it.part == "said"]
    assert (found.rule, found.tone, found.facts["answers"]) == (rule, tone, str(said.answers))
    assert (found.facts["score"] is None) == (rule == "said_few")


def test_that_nobody_was_asked_is_said_where_one_can_ask():
    (nobody,) = [it for it in findings_of(Quarterly("beans", asking="ask")) if it.part == "said"]
    assert (nobody.rule, nobody.place, nobody.place_key) == ("said_nobody", "ask", "beans")
    assert not [it for it in findings_of(Quarterly("beans")) if it.part == "said"]
    # They said something, if without a scale.
    answered = findings_of(Quarterly("beans", answered=True, asking="ask"))
    assert not [it for it in answered if it.part == "said"]


@pytest.mark.parametrize(
    ("state", "tone"),
    [
        ("reached", "good"), ("on_track", "good"), ("behind", "bad"), ("overdue", "bad"),
        ("missed", "bad"), ("given_up", "news"), ("unmeasured", "news"),
    ],
)  # fmt: skip
def test_a_goal_is_told_by_how_far_it_is(state, tone):
    goal = GoalFact("g", "members", "", state, Decimal(10), Decimal(5), "2026-12-31")
    (found,) = findings_of(Quarterly("beans", goals=[goal]))
    assert (found.rule, found.tone, found.facts["state"]) == ("goal", tone, state)
    assert state in GOAL_STATES


def test_a_program_without_a_goal_is_told_so():
    (found,) = findings_of(Quarterly("beans"))
    assert (found.rule, found.part) == ("goal_none", "goals")


def test_what_is_to_be_changed_comes_first_and_each_finding_is_there_once():
    found = findings_of(
        Quarterly(
            "beans",
            [
                figure("members", "up", "9", "5"),
                figure("churn_rate", "down", "9", None, None, "5"),
                figure("tier_share", "up", "9", None, "50", "70", "gold"),
                figure("tier_share", "up", "9", None, "5", "10", "silver"),
            ],
            [use(), use(key="cap"), use(used=1, cost="6", limit="5", key="hat")],
            [opinion("nps", "45")],
        )
    )  # fmt: skip
    assert [it.part for it in found] == [
        "weak", "weak", "costly", "unused", "unused", "said", "goals", "works", "works",
    ]  # fmt: skip
    assert len({it.key for it in found}) == len(found)


def test_a_quarter_begins_where_the_one_before_ends():
    assert Quarter(dt.date(2026, 1, 1)).before == Quarter(dt.date(2025, 10, 1))
