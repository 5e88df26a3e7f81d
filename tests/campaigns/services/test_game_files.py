"""Games in a program's file: what is exported makes the same elsewhere."""

from __future__ import annotations

import datetime as dt

import pytest

from campaigns.models import Game
from campaigns.selectors.games import playable_games
from loyalty.models import Program
from loyalty.program_files import dump_program, load_program
from loyalty.selectors.programs import definition_of
from loyalty.services.programs import apply_definition
from members.errors import ConflictError, DomainError
from members.services.audit import SYSTEM
from tests.campaigns.games import draft_game, live_game
from tests.loyalty.factories import NOW, make_program
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def make_world() -> Program:
    """With a game that began yesterday and ends in a week, one that comes, and a draft."""
    program = make_program()
    live_game(program, name="On", at=NOW - DAY, ends_at=NOW + 7 * DAY)
    live_game(program, name="Comes", starts_at=NOW + DAY)
    draft_game(program, name="Draft")
    return program


made_once = shared(make_world)


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


def elsewhere(program: Program) -> str:
    return dump_program(program, NOW).replace(f"code: {program.code}\n", "code: elsewhere\n", 1)


def test_a_file_makes_the_same_games_elsewhere_and_nothing_the_second_time(
    program: Program,
) -> None:
    """What had begun where the file comes from begins here when it is applied."""
    text = elsewhere(program)
    applied = apply_definition(load_program(text), actor=SYSTEM, now=NOW)
    assert sum(change.startswith("New game: ") for change in applied.changes) == 3
    there = Game.objects.filter(program__code="elsewhere")
    assert dict(there.values_list("code", "status")) == {
        "on": Game.Status.LIVE, "comes": Game.Status.SCHEDULED, "draft": Game.Status.DRAFT,
    }  # fmt: skip
    assert there.get(code="on").starts_at == NOW
    later = NOW + dt.timedelta(hours=1)
    assert apply_definition(load_program(text), actor=SYSTEM, now=later).changes == []


def test_a_game_that_was_published_is_changed_by_no_file(program: Program) -> None:
    text = elsewhere(program)
    apply_definition(load_program(text), actor=SYSTEM, now=NOW)
    with pytest.raises(ConflictError):
        apply_definition(
            load_program(text.replace("Spin for points", "Spin!")), actor=SYSTEM, now=NOW
        )


def test_a_game_whose_time_is_over_when_its_file_is_applied_is_left_out(program: Program) -> None:
    text = elsewhere(program)
    applied = apply_definition(load_program(text), actor=SYSTEM, now=NOW + 8 * DAY)
    assert "New game: On" not in applied.changes
    codes = Game.objects.filter(program__code="elsewhere").values_list("code", flat=True)
    assert {*codes} == {"comes", "draft"}


def test_a_game_that_is_to_begin_at_once_is_made_once(program: Program) -> None:
    begins = f"      starts_at: '{(NOW - DAY).isoformat().replace('+00:00', 'Z')}'\n"
    text = elsewhere(program)
    assert begins in text
    text = text.replace(begins, "")
    apply_definition(load_program(text), actor=SYSTEM, now=NOW)
    assert apply_definition(load_program(text), actor=SYSTEM, now=NOW + DAY).changes == []


@pytest.mark.parametrize("starts_at", [NOW + dt.timedelta(hours=1), None])
def test_a_game_that_is_still_to_come_does_not_pass_over_another_beginning(
    program: Program, starts_at: dt.datetime | None
) -> None:
    text = elsewhere(program)
    apply_definition(load_program(text), actor=SYSTEM, now=NOW)
    line = "      starts_at: '{}'\n"
    begins, other = (
        line.format(at.isoformat().replace("+00:00", "Z")) if at else ""
        for at in (NOW + DAY, starts_at)
    )
    assert begins in text
    with pytest.raises(ConflictError) as refused:
        apply_definition(load_program(text.replace(begins, other)), actor=SYSTEM, now=NOW)
    assert [error.field for error in refused.value.errors] == ["games[1].body"]


@pytest.fixture
def text(program: Program) -> str:
    """The file, of a program that is a draft elsewhere."""
    found = elsewhere(program)
    assert "status: live\n" in found
    return found.replace("status: live\n", "status: draft\n", 1)


def there(code: str = "on") -> Game:
    return Game.objects.get(program__code="elsewhere", code=code)


def test_a_game_of_a_draft_waits_for_its_program_and_can_be_changed_until_then(text: str) -> None:
    apply_definition(load_program(text), actor=SYSTEM, now=NOW)
    assert [(there(code).status, there(code).with_program) for code in ("on", "draft")] == [
        (Game.Status.DRAFT, True), (Game.Status.DRAFT, False),
    ]  # fmt: skip
    assert not playable_games(NOW).filter(program__code="elsewhere").exists()
    assert apply_definition(load_program(text), actor=SYSTEM, now=NOW).changes == []
    other = text.replace("Spin for points", "Spin!")
    apply_definition(load_program(other), actor=SYSTEM, now=NOW)
    assert there().title == "Spin!"
    live = other.replace("status: draft\n", "status: live\n", 1)
    apply_definition(load_program(live), actor=SYSTEM, now=NOW)
    assert (there().status, there().with_program) == (Game.Status.LIVE, False)
    assert there().starts_at == NOW
    assert there("draft").status == Game.Status.DRAFT
    assert apply_definition(load_program(live), actor=SYSTEM, now=NOW).changes == []


def test_a_game_that_cannot_begin_any_more_keeps_its_program_from_going_live(text: str) -> None:
    apply_definition(load_program(text), actor=SYSTEM, now=NOW)
    late = NOW + 8 * DAY
    said = definition_of(Program.objects.get(code="elsewhere"), late)
    with pytest.raises(DomainError) as refused:
        apply_definition(said.model_copy(update={"status": "live"}), actor=SYSTEM, now=late)
    assert str(refused.value.message) == ("The game “On” cannot begin. That has passed already.")
    assert Program.objects.get(code="elsewhere").status == "draft"
