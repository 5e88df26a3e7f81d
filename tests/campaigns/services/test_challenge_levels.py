"""Levels belong to a program, and conditions may ask for them, for badges and for what was done:
rules and the database answer alike."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation

from campaigns.challenge_levels import STANDARD, Achieved
from campaigns.level_definitions import LevelDefinition
from campaigns.models import ChallengeLevel
from campaigns.selectors.challenge_levels import achieved_by, level_of, levels_of
from campaigns.services.challenge_levels import set_levels
from campaigns.services.challenge_progress import measure_customers
from campaigns.services.challenges import join_challenge
from loyalty.asked_elsewhere import BuyerAsked
from loyalty.models import Program
from loyalty.program_files import dump_program, load_program
from loyalty.selectors.replayed_orders import Stretch, replayed_customers
from loyalty.services.programs import apply_definition
from members.conditions.fields import CHALLENGES
from members.conditions.moments import ProgramMoment
from members.conditions.predicate import Condition
from members.conditions.query import query_of
from members.conditions.tree import parse
from members.errors import DomainError
from members.models import AuditEntry, Customer, SegmentMember
from members.services.audit import SYSTEM
from members.services.customers import create_customer
from members.services.segment_refresh import refresh_segment
from members.services.segments import create_segment
from tests.campaigns.challenges import DAY, launch, member
from tests.campaigns.factories import follow
from tests.loyalty.factories import (
    NOW,
    give_back,
    make_program,
    make_wallet,
    order,
    record,
    refund,
    spendable,
)
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
ASKS_LEVEL = {"all": [{"field": "challenges.level", "op": "at_least", "value": 2}]}


def make_world() -> Program:
    made = make_program(earning_rules=[])
    for who in ("c1", "c2", "c3"):
        make_wallet(made, who)
    return made


made_once = shared(make_world)


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


def level(needs: int, name: str, **said: Any) -> LevelDefinition:
    return LevelDefinition(needs=needs, name=name, **said)


def write(program: Program, *levels: LevelDefinition) -> None:
    set_levels(program=program, levels=levels, actor=SYSTEM)


def do(who: str, times: int, **said: Any) -> None:
    """A challenge of its own, done so often, an hour after the other."""
    challenge = launch(member(who).program, times=10, name=f"For {who}", **said)
    join_challenge(challenge=challenge, membership=member(who), now=NOW)
    for number in range(1, times + 1):
        record(order(f"{who}-{number}", "50", at=NOW + number * HOUR, buyer=who))
    measure()


def measure(at: dt.datetime = NOW + DAY) -> None:
    measure_customers(list(Customer.objects.values_list("pk", flat=True)), now=at)


def test_a_program_has_the_standard_levels_until_it_writes_its_own(program: Program) -> None:
    assert levels_of(program) == STANDARD
    mine = (level(2, "Explorer", icon="flame", texts={"ms": "Peneroka"}), level(1, "Guest"))
    write(program, *mine)
    assert [(item.number, item.needs, item.name) for item in levels_of(program)] == [
        (1, 1, "Guest"), (2, 2, "Explorer"),
    ]  # fmt: skip
    with translation.override("ms"):
        assert [item.name for item in levels_of(program)] == ["Guest", "Peneroka"]
    do("c1", 2)
    found = level_of(member("c1"))
    assert found.level is not None
    assert (found.level.name, found.level.icon, found.next) == ("Explorer", "flame", None)
    written = AuditEntry.objects.filter(action="challenge_levels.changed")
    write(program, *mine)
    assert written.count() == 1
    write(program)
    assert levels_of(program) == STANDARD
    assert written.count() == 2


@pytest.mark.parametrize(
    ("levels", "field"),
    [
        ([level(1, "One"), level(1, "Other")], "levels[1].needs"),
        ([level(1, "One"), level(2, "ONE")], "levels[1].name"),
        ([level(number, f"L{number}") for number in range(1, 14)], "levels"),
    ],
)
def test_what_does_not_fit_together_is_named(
    program: Program, levels: list[LevelDefinition], field: str
) -> None:
    with pytest.raises(DomainError) as refused:
        write(program, *levels)
    assert [wrong.field for wrong in refused.value.errors] == [field]
    assert not ChallengeLevel.objects.exists()


def test_the_database_refuses_it_too(program: Program) -> None:
    write(program, level(1, "One"))
    for said in ({"needs": 1, "name": "B"}, {"needs": 2, "name": "One"}, {"needs": 0, "name": "C"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ChallengeLevel.objects.create(program=program, icon="star", **said)


def test_what_is_exported_makes_the_same_elsewhere(program: Program) -> None:
    assert "challenge_levels: []" in dump_program(program, NOW)
    write(program, level(1, "Guest"), level(4, "Host", icon="heart", texts={"el": "Φίλος"}))
    text = dump_program(program, NOW)
    elsewhere = load_program(text.replace(f"code: {program.code}\n", "code: elsewhere\n", 1))
    changes = apply_definition(elsewhere, actor=SYSTEM, now=NOW).changes
    assert "Levels of challenges changed" in changes
    other = Program.objects.get(code="elsewhere")
    assert levels_of(other, "el") == levels_of(program, "el")
    assert apply_definition(elsewhere, actor=SYSTEM, now=NOW).changes == []
    # A file without any leaves them alone.
    without = elsewhere.model_copy(update={"challenge_levels": ()})
    assert apply_definition(without, actor=SYSTEM, now=NOW).changes == []
    twice = elsewhere.model_copy(update={"challenge_levels": (level(1, "A"), level(1, "B"))})
    with pytest.raises(DomainError) as refused:
        apply_definition(twice, actor=SYSTEM, now=NOW)
    assert refused.value.errors[0].field == "challenge_levels[1].needs"


@pytest.mark.parametrize("own", [False, True])
def test_rules_and_the_database_answer_alike(program: Program, own: bool) -> None:
    if own:
        write(program, level(2, "Two"), level(3, "Three"))
    do("c1", 3, badge="Explorer")
    do("c2", 1)
    create_customer(actor=SYSTEM, external_id="stranger")
    moment = ProgramMoment(NOW + 2 * DAY, program.zone, program.pk)
    people = list(Customer.objects.order_by("pk"))
    facts = achieved_by([BuyerAsked(program.pk, person.pk, moment.now) for person in people])
    level_of_three = 2
    assert facts == [
        Achieved(3, level_of_three, frozenset({"Explorer"})),
        Achieved(1, 0 if own else 1, frozenset()), Achieved(0, 0, frozenset()), None,
    ]  # fmt: skip
    numbers = ("is", "is_not", "at_least", "at_most", "more_than", "less_than")
    questions: list[tuple[str, str, Any]] = [
        (field, op, number)
        for field in ("challenges.done", "challenges.level")
        for op in numbers
        for number in (0, 1, 2, 3)
    ]
    lists = ("has_any", "has_all", "has_none")
    questions += [("challenges.badges", op, ["Explorer"]) for op in lists]
    questions += [(field, op, None) for field in ("challenges.badges", "challenges.done")
                  for op in ("empty", "not_empty")]  # fmt: skip
    for field, op, value in questions:
        said = {"field": field, "op": op} | ({} if value is None else {"value": value})
        node = parse({"all": [said]}, scopes={CHALLENGES}, path="when", in_database=True)
        condition = Condition(node)
        held = [
            person.pk for person, known in zip(people, facts, strict=True)
            if condition.holds_for({CHALLENGES: known}, moment)
        ]  # fmt: skip
        counted = Customer.objects.filter(query_of(node, moment)).order_by("pk")
        assert list(counted.values_list("pk", flat=True)) == held, said


def test_a_rule_judges_an_order_by_what_was_done_before_it(program: Program) -> None:
    bonus = {"code": "loyal", "name": "Loyal", "kind": "fixed", "units": 7, "when": ASKS_LEVEL}
    rewarded = make_program(earning_rules=[bonus])
    assert rewarded == program
    write(program, level(1, "One"), level(2, "Two"))
    do("c1", 2, units=None, badge="Done")
    assert spendable("c1") == 0
    record(order("after", "10", at=NOW + 3 * HOUR, buyer="c1"))
    # It was placed before the second time, and came later.
    record(order("before", "10", at=NOW + 2 * HOUR, buyer="c1"))
    record(order("other", "10", at=NOW + 3 * HOUR, buyer="c2"))
    assert (spendable("c1"), spendable("c2")) == (7, 0)
    stretch = Stretch(program, NOW - DAY, NOW + DAY, frozenset({CHALLENGES}))
    customer = member("c1").customer_id
    [replayed] = replayed_customers(stretch, customer, customer)
    known = replayed.person
    assert known.elsewhere[CHALLENGES][NOW + 3 * HOUR].level == 2
    assert known.elsewhere[CHALLENGES][NOW + 2 * HOUR].level == 1


def test_a_segment_follows_what_is_done_and_undone(program: Program) -> None:
    segment = create_segment(
        name="Loyal", kind="dynamic", condition=ASKS_LEVEL, actor=SYSTEM, now=NOW
    )
    write(program, level(1, "One"), level(2, "Two"))
    refresh_segment(segment, now=NOW)
    do("c1", 2)
    follow()
    held = SegmentMember.objects.filter(segment=segment).values_list("customer__external_id")
    assert list(held) == [("c1",)]
    give_back(refund("R", "50", of="c1-2", at=NOW + 5 * HOUR))
    measure()
    follow()
    assert not held.all().exists()
    assert level_of(member("c1")).done == 1
