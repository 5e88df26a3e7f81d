"""Units for activities, pure: which rules answer, how much, and why not."""

import datetime as dt
from typing import Any

import pytest

from loyalty.rules.caps import Room
from loyalty.rules.engine import Rulebook
from loyalty.rules.facts import NOTHING, Deed
from loyalty.rules.grants import concerned, grant
from members.conditions.moments import Moment
from tests.loyalty.rules.occasions import ATHENS, SATURDAY, version

REVIEW = {"kind": "activity", "activity": "review", "units": "50"}


def did(
    what: str = "review", *, at: dt.datetime = SATURDAY, subject: str = "", **data: Any
) -> Deed:
    return Deed(NOTHING, Moment(at, ATHENS), activity=what, subject=subject, data=data)


def granted(body: dict[str, Any], deed: Deed, *, scale: int = 0, room: Room | None = None):
    [award] = grant([version(1, body, scale=scale)], deed, {1: room} if room else None).awards
    return award


TIMES = REVIEW | {"units": "0.5", "times": "kilometers"}


@pytest.mark.parametrize(
    ("change", "scale", "data", "units"),
    [
        ({}, 0, {}, 50),
        ({}, 2, {}, 5000),
        ({"units": "12.5"}, 0, {}, 12),
        (TIMES, 0, {"kilometers": 10}, 5),
        (TIMES, 0, {"kilometers": 11}, 5),
        (TIMES, 1, {"kilometers": 11}, 55),
        (TIMES | {"fractions": "nearest"}, 0, {"kilometers": 11}, 6),
        (TIMES | {"fractions": "up"}, 0, {"kilometers": 10.2}, 6),
        (TIMES | {"times": "run.kilometers"}, 0, {"run": {"kilometers": 8}}, 4),
        (TIMES, 0, {}, 0),
        (TIMES, 0, {"kilometers": "10"}, 0),
        (TIMES, 0, {"kilometers": True}, 0),
        (TIMES, 0, {"kilometers": -4}, 0),
        (TIMES, 0, {"kilometers": float("nan")}, 0),
        (TIMES, 0, {"kilometers": 10**12}, 0),
        (TIMES, 0, {"kilometers": {"run": 3}}, 0),
        (TIMES | {"times": "kilometers.run"}, 0, {"kilometers": 3}, 0),
    ],
)
def test_an_activity_brings(change, scale, data, units):
    assert granted(REVIEW | change, did(**data), scale=scale).units == units


@pytest.mark.parametrize(
    ("caps", "room", "units", "step"),
    [
        ({"per_order": "30"}, None, 30, "capped_order"),
        ({"per_order": "50"}, None, 50, "activity"),
        ({"per_member": "80", "period": "day"}, Room(member=20), 20, "capped_member"),
        ({"per_member": "80"}, Room(member=50), 50, "activity"),
        ({"budget": "1000"}, Room(budget=0), 0, "capped_budget"),
    ],
)
def test_caps_leave(caps, room, units, step):
    award = granted(REVIEW | {"caps": caps}, did(), room=room)
    assert (award.units, award.steps[-1][0]) == (units, step)


@pytest.mark.parametrize(
    ("question", "holds"),
    [
        ({"field": "activity.subject", "op": "is", "value": "MUG-1"}, True),
        ({"field": "activity.subject", "op": "is", "value": "MUG-2"}, False),
        ({"field": "activity.data.photo", "op": "is", "value": "true"}, True),
        ({"field": "activity.data.photo", "op": "is", "value": "false"}, False),
        ({"field": "activity.number.stars", "op": "at_least", "value": 4}, True),
        ({"field": "activity.number.stars", "op": "at_least", "value": 5}, False),
        ({"field": "activity.number.missing", "op": "at_least", "value": 1}, False),
        ({"field": "activity.weekday", "op": "one_of", "value": ["saturday"]}, True),
        ({"not": {"field": "activity.subject", "op": "is", "value": "MUG-1"}}, False),
    ],
)
def test_conditions_ask_about_the_activity(question, holds):
    deed = did(subject="MUG-1", stars=4, photo=True)
    award = granted(REVIEW | {"when": question}, deed)
    assert (award.units > 0) is holds
    assert award.steps == (("activity", "50"),) if holds else award.steps == (("not_met",),)


def test_only_rules_for_its_type_answer():
    versions = [version(1, REVIEW), version(2, REVIEW | {"activity": "survey"})]
    assert [found.id for found in concerned(versions, did("survey"))] == [2]


def test_orders_are_not_judged_by_rules_for_activities():
    book = Rulebook(1, (version(1, {}),), (version(2, REVIEW),))
    assert [found.id for found in book.in_force(SATURDAY)] == [1]
    assert [found.id for found in book.others_in_force(SATURDAY)] == [2]
