"""Journeys and surveys in a program's file: what is exported makes the same elsewhere."""

import pytest

from campaigns.models import Game, Journey, Survey
from campaigns.services.journeys import end_journey, pause_journey, publish_journey
from loyalty.definitions import ProgramDefinition
from loyalty.models import Program
from loyalty.program_files import dump_program, load_program
from loyalty.program_parts import program_parts
from loyalty.selectors.programs import definition_of, definition_without_parts
from loyalty.services.programs import apply_definition
from members.errors import ConflictError, DomainError
from members.services.audit import SYSTEM
from tests.campaigns.factories import make_journey
from tests.campaigns.games import draft_game, live_game
from tests.campaigns.surveys import make_survey
from tests.loyalty.factories import NOW, make_program
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db


def make_world() -> Program:
    program = make_program()
    publish_journey(journey=make_journey(program), actor=SYSTEM, now=NOW)
    resting = publish_journey(journey=make_journey(program, "quiet"), actor=SYSTEM, now=NOW)
    pause_journey(journey=resting, actor=SYSTEM)
    over = make_journey(program, "birthday")
    end_journey(journey=over, actor=SYSTEM, now=NOW)
    make_journey(program, "win-back")
    make_survey(program)
    return program


made_once = shared(make_world)


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


def test_what_is_exported_makes_the_same_elsewhere(program: Program) -> None:
    text = dump_program(program, NOW)
    elsewhere = load_program(text.replace(f"code: {program.code}\n", "code: elsewhere\n", 1))
    applied = apply_definition(elsewhere, actor=SYSTEM, now=NOW)
    assert sum(change.startswith("New journey: ") for change in applied.changes) == 3
    assert sum(change.startswith("New survey: ") for change in applied.changes) == 1
    other = Program.objects.get(code="elsewhere")
    first, second = definition_of(program, NOW), definition_of(other, NOW)
    assert (first.journeys, first.surveys) == (second.journeys, second.surveys)
    states = Journey.objects.filter(program=other).order_by("status")
    assert [row.status for row in states] == ["draft", "live", "paused"]
    assert apply_definition(second, actor=SYSTEM, now=NOW).changes == []


def test_a_file_changes_what_it_names_and_leaves_the_rest(program: Program) -> None:
    definition = definition_of(program, NOW)
    live = next(item for item in definition.journeys if getattr(item, "state", "") == "live")
    body = {**getattr(live, "body"), "holdout": 25}  # noqa: B009
    changed = live.model_copy(update={"body": body})
    only = definition.model_copy(update={"journeys": (changed,), "surveys": ()})
    applied = apply_definition(only, actor=SYSTEM, now=NOW)
    name = getattr(live, "name", "")
    assert applied.changes == [f"Journey changed: {name}"]
    journey = Journey.objects.get(program=program, name=name)
    assert journey.status == "live"
    newest = journey.versions.all()[0]
    assert (newest.number, newest.body["holdout"]) == (2, 25)
    assert journey.versions.exclude(published_at=None).count() == 2
    assert Survey.objects.count() == 1
    rests = changed.model_copy(update={"state": "paused"})
    apply_definition(only.model_copy(update={"journeys": (rests,)}), actor=SYSTEM, now=NOW)
    journey.refresh_from_db()
    assert journey.status == "paused"


def test_what_is_wrong_is_named_with_its_place(program: Program) -> None:
    text = dump_program(program, NOW)
    for was, wrong, place in (
        ("trigger: joined", "trigger: moon", "journeys["),
        ("holdout: ", "keep: ", "journeys["),
        ("kind: nps", "kind: guess", "surveys["),
    ):
        assert was in text
        with pytest.raises(DomainError) as refused:
            load_program(text.replace(was, wrong, 1))
        assert place in str(refused.value.errors[0])
    definition = definition_of(program, NOW)
    live = next(item for item in definition.journeys if getattr(item, "state", "") == "live")
    back = live.model_copy(update={"state": "draft"})
    with pytest.raises(ConflictError) as conflict:
        apply_definition(definition.model_copy(update={"journeys": (back,)}), actor=SYSTEM, now=NOW)
    assert [item.field for item in conflict.value.errors] == ["journeys[0].state"]


def test_a_survey_rests_and_goes_on_as_the_file_says(program: Program) -> None:
    survey = Survey.objects.get()
    [found] = definition_of(program, NOW).surveys
    for state in ("paused", "paused", "live"):
        wanted = found.model_copy(update={"state": state})
        only = definition_of(program, NOW).model_copy(update={"surveys": (wanted,)})
        apply_definition(only, actor=SYSTEM, now=NOW)
        survey.refresh_from_db()
        assert survey.state == state
    resting = found.model_copy(update={"state": "draft"})
    with pytest.raises(ConflictError, match="rest or end"):
        apply_definition(
            definition_of(program, NOW).model_copy(update={"surveys": (resting,)}),
            actor=SYSTEM, now=NOW,
        )  # fmt: skip


def test_a_survey_that_has_ended_stays_ended(program: Program) -> None:
    definition = definition_of(program, NOW)
    Survey.objects.filter(state="draft").update(state="live", live_at=NOW)
    Survey.objects.update(state="ended", ended_at=NOW)
    assert apply_definition(definition, actor=SYSTEM, now=NOW).changes == []
    assert definition_of(program, NOW).surveys == ()


@pytest.mark.parametrize("written", ["Come  back ", "Come\tback", "Come\x00 back"])
def test_a_name_with_more_between_its_words_is_the_same_journey(
    program: Program, written: str
) -> None:
    definition = definition_of(program, NOW)
    live = next(item for item in definition.journeys if getattr(item, "state", "") == "live")
    named = type(live).model_validate({**live.model_dump(), "name": written})
    only = definition.model_copy(update={"journeys": (named,), "surveys": ()})
    said = [apply_definition(only, actor=SYSTEM, now=NOW).changes for _again in range(2)]
    assert Journey.objects.filter(program=program, name="Come back").count() == 1
    assert said == [["New journey: Come back"], []]


def test_no_two_journeys_of_a_file_have_one_name(program: Program) -> None:
    body = definition_of(program, NOW).model_dump(mode="json")
    body["journeys"] = [{**body["journeys"][0], "name": name} for name in ("Twice", "Twice ")]
    with pytest.raises(ValueError, match="Twice"):
        ProgramDefinition.model_validate(body)


def test_games_are_exported_made_and_published_elsewhere(program: Program) -> None:
    live_game(program, earning=[{"on": "order", "least": "50"}], budget_units=500)
    draft_game(program, name="Next wheel")
    text = dump_program(program, NOW)
    elsewhere = load_program(text.replace(f"code: {program.code}\n", "code: elsewhere\n", 1))
    for made in (2, 0):
        applied = apply_definition(elsewhere, actor=SYSTEM, now=NOW)
        assert sum("game" in change.lower() for change in applied.changes) == made
    other = Program.objects.get(code="elsewhere")
    states = Game.objects.filter(program=other).order_by("pk").values_list("code", "status")
    assert list(states) == [("spring-wheel", "live"), ("next-wheel", "draft")]
    assert definition_of(other, NOW).games == elsewhere.games


def test_a_published_game_is_changed_by_no_file(program: Program) -> None:
    live_game(program)
    text = dump_program(program, NOW).replace("title: Spin for points", "title: Other")
    with pytest.raises(ConflictError) as caught:
        apply_definition(load_program(text), actor=SYSTEM, now=NOW)
    assert caught.value.errors[0].field == "games[0].body"


def test_a_draft_of_a_game_follows_its_file(program: Program) -> None:
    draft_game(program)
    text = dump_program(program, NOW).replace("title: Spin for points", "title: Other")
    applied = apply_definition(load_program(text), actor=SYSTEM, now=NOW)
    assert applied.changes == ["Game changed: Spring wheel"]
    assert Game.objects.get(program=program).title == "Other"


def test_what_is_only_looked_at_leaves_out_what_higher_applications_say(program: Program) -> None:
    whole, shown = definition_of(program, NOW), definition_without_parts(program, NOW)
    parts = {part.name: () for part in program_parts()}
    assert whole.journeys
    assert whole.surveys
    assert shown == whole.model_copy(update=parts)
    assert {name: getattr(shown, name) for name in parts} == parts
