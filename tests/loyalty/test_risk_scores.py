"""How much speaks for misuse, from a table."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from pydantic import ValidationError

from loyalty.risk_definitions import RiskDefinition
from loyalty.risk_reasons import reasons_of
from loyalty.risk_scores import MemberFacts, Score, score
from loyalty.risk_signals import Fact, risk_signals
from loyalty.services.risk_scores import signals_kept

START = dt.datetime(2024, 3, 1, 12, tzinfo=dt.UTC)
USUAL = RiskDefinition()


def at(minutes: float) -> dt.datetime:
    return START + dt.timedelta(minutes=minutes)


def orders(*minutes: float, stores: str = "") -> list[Fact]:
    """One in each store of which `stores` has the letter."""
    places = list(stores) or [""] * len(minutes)
    return [
        Fact("order", n, at(when), place)
        for n, (when, place) in enumerate(zip(minutes, places, strict=True), 1)
    ]


def facts(kind: str, *minutes: float) -> list[Fact]:
    return [Fact(kind, n, at(when)) for n, when in enumerate(minutes, 1)]


def each(rows: list[Fact]) -> list[list[Fact]]:
    """One of each account."""
    return [[row] for row in rows]


def scored(known: MemberFacts, policy: RiskDefinition = USUAL, **how: object) -> Score:
    given = {"usual_returns": 5, **how}
    return score(known, policy.weights, policy.limits, **given)  # type: ignore[arg-type]


DAYS = [1440.0 * n for n in range(10)]
BACK = frozenset(f"order:{n}" for n in range(1, 6))
TABLE: list[tuple[str, MemberFacts, set[str]]] = [
    ("nothing", MemberFacts(), set()),
    ("one twin", MemberFacts(duplicates=facts("member", 0)), {"duplicates"}),
    (
        "a bonus of their own is theirs",
        MemberFacts(bonuses=[facts("activity", 0)]), set(),
    ),
    (
        "two accounts of one person, both with the bonus",
        MemberFacts(duplicates=facts("member", 0), bonuses=each(facts("activity", 0, 5))),
        {"duplicates", "bonus_farming"},
    ),
    (
        "one of two accounts has both that joining brings, which is one of them",
        MemberFacts(duplicates=facts("member", 0), bonuses=[facts("activity", 0, 5)]),
        {"duplicates"},
    ),
    (
        "half of many orders came back",
        MemberFacts(orders=orders(*DAYS), returned=BACK), {"returns"},
    ),
    (
        "three came back, which may happen",
        MemberFacts(orders=orders(*DAYS[:5]), returned=frozenset(sorted(BACK)[:3])), set(),
    ),
    (
        "came back after it was spent",
        MemberFacts(orders=orders(*DAYS), spent_before_return=frozenset({"order:1", "order:2"})),
        {"returns_after_spending"},
    ),
    (
        "two stores within five minutes",
        MemberFacts(orders=orders(0, 5, stores="ab")), {"sharing"},
    ),
    (
        "two stores within an hour, as people do",
        MemberFacts(orders=orders(0, 60, stores="ab")), set(),
    ),
    (
        "four stores in a day",
        MemberFacts(orders=orders(0, 60, 120, 180, stores="abcd")), {"sharing"},
    ),
    ("four orders in an hour", MemberFacts(orders=orders(0, 5, 10, 15)), set()),
    ("five orders in an hour", MemberFacts(orders=orders(0, 5, 10, 15, 60)), {"velocity"}),
    (
        "nine redemptions in a day",
        MemberFacts(redemptions=facts("transfer", *[60 * n for n in range(9)])), {"velocity"},
    ),
    (
        "six activities within seconds",
        MemberFacts(activities=facts("activity", *[n / 60 for n in range(6)])), {"bots"},
    ),
    (
        "five activities within seconds",
        MemberFacts(activities=facts("activity", *[n / 60 for n in range(5)])), set(),
    ),
    (
        "ten who joined in the same seconds",
        MemberFacts(joined_together=facts("member", *[n / 60 for n in range(10)])), {"bots"},
    ),
    ("five adjustments", MemberFacts(adjustments=facts("transfer", *DAYS[:5])), {"adjustments"}),
    (
        "two friends who were refused",
        MemberFacts(others={"referrals": facts("referral", 0, 1)}), {"referrals"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("known", "expected"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_each_signal_is_found_by_its_facts_and_by_nothing_less(
    known: MemberFacts, expected: set[str]
) -> None:
    found = scored(known)
    assert {item.key for item in found.found} == expected
    assert found.points == sum(USUAL.weights[key] for key in expected)


def test_a_score_is_at_most_a_hundred_and_names_every_fact() -> None:
    known = MemberFacts(
        duplicates=facts("member", 0), bonuses=each(facts("activity", 0, 5)), orders=orders(*DAYS),
        returned=BACK, spent_before_return=BACK, adjustments=facts("transfer", *DAYS[:5]),
    )  # fmt: skip
    found = scored(known)
    assert found.points == 100
    assert {"member:1", "activity:1", "order:1", "transfer:5"} <= found.keys


def test_what_was_let_pass_counts_no_more_and_what_is_new_does_again() -> None:
    known = MemberFacts(adjustments=facts("transfer", *DAYS[:5]))
    found = scored(known)
    assert scored(known, cleared=found.keys).points == 0
    one_more = replace(known, adjustments=facts("transfer", *DAYS[:6]))
    assert scored(one_more, cleared=found.keys).points == 0
    as_many_more = replace(known, adjustments=facts("transfer", *DAYS))
    assert scored(as_many_more, cleared=found.keys).points == 15


def test_where_returns_are_usual_they_are_no_sign() -> None:
    known = MemberFacts(orders=orders(*DAYS), returned=BACK)
    assert scored(known, usual_returns=16).points == 30
    assert scored(known, usual_returns=17).points == 0


def test_a_merchant_says_what_weighs_how_much_and_from_when_on() -> None:
    known = MemberFacts(adjustments=facts("transfer", *DAYS[:3]))
    stricter = RiskDefinition.model_validate(
        {"signals": {"adjustments": {"weight": 90, "limits": {"least": 3}}}}
    )
    assert (scored(known).points, scored(known, stricter).points) == (0, 90)
    off = RiskDefinition.model_validate({"signals": {"duplicates": {"weight": 0}}})
    assert scored(MemberFacts(duplicates=facts("member", 0)), off).points == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"medium": 60, "high": 60},
        {"review": 90, "hold_from": 80},
        {"signals": {"moonlight": {"weight": 5}}},
        {"signals": {"velocity": {"weight": 5, "limits": {"moons": 2}}}},
        {"signals": {"velocity": {"weight": 5, "limits": {"orders_hour": 0}}}},
        {"days": 0},
    ],
)
def test_a_policy_says_nothing_that_cannot_be(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        RiskDefinition.model_validate(wrong)


@pytest.mark.parametrize(("points", "level"), [(0, "low"), (30, "medium"), (60, "high")])
def test_the_level_follows_the_points(points: int, level: str) -> None:
    assert USUAL.level(points) == level


def test_every_reason_can_be_said_of_one_and_of_many() -> None:
    told = {"n": 1, "orders": 4, "percent": 50, "usual": 3, "stores": 2, "seconds": 10}
    for signal in risk_signals():
        for n in (1, 5):
            assert str(n) in signal.reason % {**told, "n": n}
    known = MemberFacts(orders=orders(*DAYS), returned=BACK)
    [reason] = reasons_of(signals_kept(scored(known)))
    assert reason.text == "5 of 10 orders came back: 50%, where 5% are usual."
    assert len(reason.facts) == 5
