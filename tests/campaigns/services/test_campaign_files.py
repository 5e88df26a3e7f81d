"""Promotions in a program's file: what is exported makes the same elsewhere."""

from __future__ import annotations

import datetime as dt

import pytest

from campaigns.models import Campaign
from campaigns.services.campaigns import end_campaign, pause_campaign
from campaigns.services.promo_codes import make_codes
from loyalty.models import Program
from loyalty.program_files import dump_program, load_program
from loyalty.selectors.programs import definition_of
from loyalty.services.programs import apply_definition
from loyalty.services.rules import set_four_eyes
from members.errors import ConflictError, DomainError
from members.services.audit import SYSTEM
from tests.campaigns.campaigns import DAY, draft, launch
from tests.loyalty.factories import NOW, make_program
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
Status = Campaign.Status


def make_world() -> Program:
    """With one that is on, one that rests, one that is planned, a draft and one that has ended."""
    program = make_program()
    launch(program, name="On", budget_units=500, texts={"ms": {"title": "Mata"}}, tells=["begun"])
    pause_campaign(campaign=launch(program, name="Rests"), actor=SYSTEM, now=NOW)
    launch(
        program, "bundle", name="Planned", starts_at=NOW + DAY, ends_at=NOW + 2 * DAY,
        offer={"price": 30, "bundle": [{"pieces": 2}]},
        codes={"kind": "shared", "word": "TWO-30", "most_uses": 40},
    )  # fmt: skip
    draft(program, "flash", name="Draft", audience={"all": [TAGGED]})
    end_campaign(campaign=launch(program, name="Over"), actor=SYSTEM, now=NOW)
    return program


made_once = shared(make_world)


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


TAGGED = {"field": "customer.tags", "op": "has_any", "value": ["student"]}


def statuses(program: Program) -> dict[str, str]:
    return dict(Campaign.objects.filter(program=program).values_list("code", "status"))


def elsewhere(program: Program) -> str:
    return dump_program(program, NOW).replace(f"code: {program.code}\n", "code: elsewhere\n", 1)


def test_what_is_exported_makes_the_same_elsewhere(program: Program) -> None:
    applied = apply_definition(load_program(elsewhere(program)), actor=SYSTEM, now=NOW)
    assert sum(change.startswith("New promotion: ") for change in applied.changes) == 4
    other = Program.objects.get(code="elsewhere")
    assert statuses(other) == {
        "on": Status.LIVE, "rests": Status.PAUSED, "planned": Status.SCHEDULED,
        "draft": Status.DRAFT,
    }  # fmt: skip
    first, second = definition_of(program, NOW), definition_of(other, NOW)
    assert len(first.campaigns) == 4
    for one, two in zip(first.campaigns, second.campaigns, strict=True):
        assert (one.code, one.state) == (two.code, two.state)
        assert {**one.body, "starts_at": ""} == {**two.body, "starts_at": ""}
    assert apply_definition(second, actor=SYSTEM, now=NOW).changes == []
    assert apply_definition(load_program(elsewhere(program)), actor=SYSTEM, now=NOW).changes == []


def test_a_file_changes_drafts_and_what_is_planned(program: Program) -> None:
    definition = definition_of(program, NOW)
    changed = tuple(
        item.model_copy(update={"body": {**item.body, "title": "New"}})
        for item in definition.campaigns
        if item.code in ("planned", "draft")
    )
    only = definition.model_copy(update={"campaigns": changed})
    applied = apply_definition(only, actor=SYSTEM, now=NOW)
    assert applied.changes == [
        "Promotion changed: Planned", "Promotion published: Planned", "Promotion changed: Draft",
    ]  # fmt: skip
    assert statuses(program)["planned"] == Status.SCHEDULED
    assert statuses(program)["on"] == Status.SCHEDULED


def test_what_has_begun_rests_and_goes_on_and_cannot_become_another(program: Program) -> None:
    definition = definition_of(program, NOW)
    (on,) = [item for item in definition.campaigns if item.code == "on"]

    def apply(**said: object) -> list[str]:
        only = definition.model_copy(update={"campaigns": (on.model_copy(update=said),)})
        return apply_definition(only, actor=SYSTEM, now=NOW).changes

    assert apply(state="paused") == ["Promotion paused: On"]
    assert apply(state="planned") == ["Promotion goes on: On"]
    with pytest.raises(ConflictError) as refused:
        apply(body={**on.body, "offer": {"factor": "5"}})
    assert refused.value.errors[0].field == "campaigns[0].body"
    with pytest.raises(ConflictError) as refused:
        apply(state="draft")
    assert refused.value.errors[0].field == "campaigns[0].state"


def test_what_has_ended_and_what_is_over_stay_as_they_are(program: Program) -> None:
    text = elsewhere(program)
    later = NOW + 30 * DAY
    applied = apply_definition(load_program(text), actor=SYSTEM, now=later)
    assert [change for change in applied.changes if "romotion" in change] == [
        "New promotion: Draft"
    ]  # fmt: skip


def test_what_is_wrong_is_named_with_its_place(program: Program) -> None:
    text = dump_program(program, NOW)
    for was, wrong in (("template: bundle", "template: moon"), ("price: '30'", "price: '-1'")):
        assert was in text
        with pytest.raises(DomainError) as refused:
            load_program(text.replace(was, wrong, 1))
        assert "campaigns[" in str(refused.value.errors[0])


def test_what_is_in_no_file_is_waited_for(program: Program) -> None:
    campaign = draft(program, name="Many", codes={"kind": "single"})
    definition = definition_of(program, NOW)
    (many,) = [item for item in definition.campaigns if item.code == "many"]
    planned = many.model_copy(update={"state": "planned"})
    only = definition.model_copy(update={"campaigns": (planned,)})
    assert apply_definition(only, actor=SYSTEM, now=NOW).changes == []
    make_codes(campaign=campaign, number=2, actor=SYSTEM, now=NOW)
    set_four_eyes(program=program, on=True, actor=SYSTEM)
    strict = only.model_copy(update={"four_eyes": True})
    assert apply_definition(strict, actor=SYSTEM, now=NOW).changes == []
    set_four_eyes(program=program, on=False, actor=SYSTEM)
    assert apply_definition(only, actor=SYSTEM, now=NOW).changes == ["Promotion published: Many"]
