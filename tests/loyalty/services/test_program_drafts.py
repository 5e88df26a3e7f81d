"""Programs on their way through the wizard: kept, thrown away, made real once."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from loyalty.drafted_programs import answers_of, drafted_program, first_reward
from loyalty.models import Program, ProgramDraft
from loyalty.program_templates.kinds import ProgramTemplate
from loyalty.program_templates.registry import TEMPLATES
from loyalty.selectors.programs import definition_of
from loyalty.services.program_drafts import (
    MOST_OPEN,
    begin_draft,
    discard_draft,
    keep_in_draft,
    launch_draft,
)
from members.errors import ConflictError, DomainError, NotFoundError
from members.models import AuditEntry, User
from members.services.audit import SYSTEM
from tests.factories import StaffMemberFactory
from tests.loyalty.factories import NOW, line, make_program, order, record, spendable

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(db: None) -> User:
    return StaffMemberFactory(role="marketing_manager").user


def begun(owner: User, template: str = "points", **answers: Any) -> ProgramDraft:
    draft = begin_draft(owner=owner, mode="full", step="situation", now=NOW)
    said = {"program_name": "Tea Club", **answers}
    return keep_in_draft(draft=draft, now=NOW, template=template, parts={"answers": said})


def launch(draft: ProgramDraft, status: str = "live") -> Program:
    return launch_draft(draft=draft, actor=SYSTEM, now=NOW, status=status)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda item: item.code)
def test_every_kind_becomes_the_program_that_was_shown(
    template: ProgramTemplate, owner: User
) -> None:
    draft = begun(owner, template.code)
    shown = drafted_program(draft, code="tea-club").model_copy(update={"status": "live"})
    program = launch(draft)
    assert (program.code, program.name, program.status) == ("tea-club", "Tea Club", "live")
    made = definition_of(program, timezone.now())
    assert made.earning_rules == shown.earning_rules
    assert made.discount_rules == shown.discount_rules
    assert made.tiers == shown.tiers
    record(order("A", "2000", at=NOW))


def test_answers_are_kept_as_they_were_given(owner: User) -> None:
    draft = begun(owner, reward_units=Decimal(250), reward_worth=Decimal("7.50"))
    draft.refresh_from_db()
    said = answers_of(draft)
    assert (said.reward_units, said.reward_worth) == (250, Decimal("7.50"))
    assert first_reward(drafted_program(draft)) == 250


def test_another_kind_keeps_the_name_alone(owner: User) -> None:
    draft = begun(owner, earn_units=Decimal(3))
    draft = keep_in_draft(draft=draft, now=NOW, template="cashback")
    assert draft.answers == {"program_name": "Tea Club"}


def test_what_no_program_can_be_made_of_is_not_kept(owner: User) -> None:
    draft = begun(owner)
    with pytest.raises(DomainError) as refused:
        keep_in_draft(draft=draft, now=NOW, parts={"answers": {"earn_units": Decimal(0)}})
    assert [item.field for item in refused.value.errors] == ["earn_units"]
    draft.refresh_from_db()
    assert "earn_units" not in draft.answers


def test_what_earns_is_as_it_was_chosen(owner: User) -> None:
    draft = keep_in_draft(draft=begun(owner), now=NOW, parts={"base": {"include_shipping": True}})
    launch(draft)
    record(order("A", "12", at=NOW, lines=(line(1, "10"),), shipping_total=Decimal(2)))
    assert spendable() == 12


def test_pressing_twice_makes_one_program(owner: User) -> None:
    draft = begun(owner)
    assert launch(draft) == launch(draft)
    assert Program.objects.count() == 1
    assert AuditEntry.objects.filter(action="program.launched").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_program(owner: User) -> None:
    draft, made = begun(owner), []

    def press() -> None:
        try:
            made.append(launch(ProgramDraft.objects.get(pk=draft.pk)).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len(set(made)) == 1


def test_a_name_that_is_taken_gets_another_short_name(owner: User) -> None:
    make_program("tea-club", name="Tea Club")
    assert launch(begun(owner)).code == "tea-club-2"


def test_what_has_become_a_program_is_not_answered_any_more(owner: User) -> None:
    draft = begun(owner)
    launch(draft, "draft")
    with pytest.raises(ConflictError):
        keep_in_draft(draft=draft, now=NOW, parts={"answers": {"earn_units": Decimal(2)}})
    discard_draft(draft=draft)
    assert ProgramDraft.objects.filter(pk=draft.pk).exists()


def test_thrown_away_is_gone_and_nothing_can_be_made_of_it(owner: User) -> None:
    draft = begun(owner)
    discard_draft(draft=draft)
    discard_draft(draft=draft)
    with pytest.raises(NotFoundError):
        launch(ProgramDraft(pk=draft.pk))
    assert not Program.objects.exists()


def test_without_a_kind_there_is_no_program(owner: User) -> None:
    draft = begin_draft(owner=owner, mode="full", step="situation", now=NOW)
    with pytest.raises(DomainError, match="kind"):
        launch(draft)


def test_of_many_unfinished_ones_the_oldest_go(owner: User) -> None:
    for _number in range(MOST_OPEN + 3):
        begin_draft(owner=owner, mode="starter", step="what", now=timezone.now())
    assert ProgramDraft.objects.count() == MOST_OPEN


def test_the_database_keeps_what_is_done_beside_its_kind(owner: User) -> None:
    program = make_program()
    draft = begin_draft(owner=owner, mode="full", step="situation", now=NOW)
    draft.program = program
    with pytest.raises(IntegrityError, match="program_draft_done"), transaction.atomic():
        draft.save()
