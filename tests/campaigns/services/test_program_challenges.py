"""Challenges in a program's file: what is exported makes the same elsewhere."""

import pytest

from campaigns.models import Campaign
from loyalty.models import Program
from loyalty.program_files import dump_program, load_program
from loyalty.selectors.programs import definition_of
from loyalty.services.programs import apply_definition
from members.errors import ConflictError, DomainError
from members.services.audit import SYSTEM
from tests.campaigns.campaigns import draft as promotion
from tests.campaigns.challenges import draft, launch
from tests.loyalty.factories import NOW, make_program
from tests.rewards.factories import offer

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    program = make_program()
    offer(program, "mug")
    launch(program)
    draft(program, {"kind": "streak", "number": 4}, name="Weeks", reward="mug", units=None)
    return program


def test_what_is_exported_makes_the_same_elsewhere(program: Program) -> None:
    text = dump_program(program, NOW)
    elsewhere = load_program(text.replace(f"code: {program.code}\n", "code: elsewhere\n", 1))
    applied = apply_definition(elsewhere, actor=SYSTEM, now=NOW)
    assert sum(change.startswith("New challenge: ") for change in applied.changes) == 2
    other = Program.objects.get(code="elsewhere")
    first, second = definition_of(program, NOW), definition_of(other, NOW)
    assert [item.code for item in second.challenges] == ["coffee-week", "weeks"]
    assert getattr(first.challenges[1], "body") == getattr(second.challenges[1], "body")  # noqa: B009
    rows = Campaign.objects.filter(program=other).order_by("pk")
    assert [row.status for row in rows] == ["live", "draft"]
    assert apply_definition(second, actor=SYSTEM, now=NOW).changes == []
    assert apply_definition(elsewhere, actor=SYSTEM, now=NOW).changes == []


def test_a_draft_is_changed_and_what_is_live_stays(program: Program) -> None:
    definition = definition_of(program, NOW)
    live, weeks = definition.challenges
    other = {**getattr(weeks, "body"), "times": 3}  # noqa: B009
    only = definition.model_copy(
        update={"challenges": (weeks.model_copy(update={"body": other}),), "rewards": ()}
    )
    assert apply_definition(only, actor=SYSTEM, now=NOW).changes == ["Challenge changed: Weeks"]
    body = {**getattr(live, "body"), "times": 3}  # noqa: B009
    wrong = definition.model_copy(update={"challenges": (live.model_copy(update={"body": body}),)})
    with pytest.raises(ConflictError) as refused:
        apply_definition(wrong, actor=SYSTEM, now=NOW)
    assert [error.field for error in refused.value.errors] == ["challenges[0].body"]


def test_what_is_wrong_is_named_with_its_place(program: Program) -> None:
    text = dump_program(program, NOW)
    with pytest.raises(DomainError) as refused:
        load_program(text.replace("kind: streak", "kind: dance"))
    (wrong,) = refused.value.errors
    assert wrong.field.endswith("challenges[1].body")


def test_a_code_that_a_promotion_has_is_refused(program: Program) -> None:
    definition = definition_of(program, NOW)
    item = definition.challenges[1].model_copy(update={"code": "points-weekend"})
    assert promotion(program, name="Points weekend").code == item.code
    wanted = definition.model_copy(update={"challenges": (item,)})
    with pytest.raises(ConflictError) as refused:
        apply_definition(wanted, actor=SYSTEM, now=NOW)
    assert [error.field for error in refused.value.errors] == ["challenges[0].code"]
    assert not Campaign.objects.filter(code="points-weekend-2").exists()
