"""Tiers that are written by one person and published by another."""

from typing import Any

import pytest

from loyalty.models import Program, TierDraft
from loyalty.selectors.programs import definition_of
from loyalty.selectors.tier_drafts import tier_draft_of, waiting_tiers
from loyalty.selectors.tier_sets import tier_set_at, tiers_of
from loyalty.services.programs import apply_definition
from loyalty.services.tier_drafts import (
    ask_to_publish_tiers,
    discard_tier_draft,
    mark,
    publish_tier_draft,
    save_tier_draft,
    send_tiers_back,
)
from loyalty.services.tier_sets import change_tiers
from loyalty.tier_definitions import TiersDefinition
from members.errors import ConflictError, DomainError
from members.models import AuditEntry
from members.services.audit import SYSTEM, Actor
from tests.factories import UserFactory
from tests.loyalty.factories import day, make_program
from tests.sharing import of_each_test

pytestmark = pytest.mark.django_db


def ladder(gold: int = 1500, **changes: Any) -> dict[str, Any]:
    return {
        "tiers": [
            {"code": "base", "name": "Member"},
            {"code": "gold", "name": "Gold", "threshold": gold,
             "benefits": [{"kind": "multiplier", "factor": "1.5"}]},
        ]
    } | changes  # fmt: skip


def tiers(gold: int = 1500, **changes: Any) -> TiersDefinition:
    return TiersDefinition.model_validate(ladder(gold, **changes))


_made_once, program = of_each_test(lambda: make_program(four_eyes=True, tiers=ladder()))


@pytest.fixture
def writer() -> Actor:
    return Actor.of_user(UserFactory())


@pytest.fixture
def reader() -> Actor:
    return Actor.of_user(UserFactory())


def gold(program: Program, at: int) -> int:
    found = tiers_of(program, day(at))
    assert found is not None
    return int(found.tiers[-1].threshold)


def test_nobody_changes_tiers_alone_where_a_second_person_publishes(
    program: Program, writer: Actor
) -> None:
    with pytest.raises(ConflictError) as error:
        change_tiers(program=program, tiers=tiers(900), actor=writer, now=day(1))
    assert error.value.code == "second_person"
    assert gold(program, 2) == 1500


def test_a_file_applied_by_a_person_does_not_go_round_the_second_one(
    program: Program, writer: Actor
) -> None:
    wanted = definition_of(program, day(1)).model_copy(update={"tiers": tiers(900)})
    with pytest.raises(ConflictError) as error:
        apply_definition(wanted, actor=writer, now=day(1))
    assert error.value.code == "second_person"
    apply_definition(wanted, actor=SYSTEM, now=day(1))
    assert gold(program, 2) == 900


def test_whoever_wrote_asks_and_somebody_else_publishes(
    program: Program, writer: Actor, reader: Actor
) -> None:
    save_tier_draft(program=program, tiers=tiers(900), actor=writer, now=day(1))
    assert gold(program, 1) == 1500
    with pytest.raises(ConflictError) as error:
        publish_tier_draft(program=program, actor=writer, now=day(1))
    assert error.value.code == "second_person"
    ask_to_publish_tiers(program=program, actor=writer, now=day(2))
    assert [draft.asked_by for draft in waiting_tiers()] == [writer.user]
    publish_tier_draft(program=program, actor=reader, now=day(3))
    assert (gold(program, 2), gold(program, 3)) == (1500, 900)
    assert not TierDraft.objects.exists()
    said = AuditEntry.objects.get(action="tiers.published").after
    assert (said["written_by"], said["asked_by"]) == (str(writer.user), str(writer.user))


def test_a_system_publishes_nothing_where_a_second_person_does(
    program: Program, writer: Actor
) -> None:
    save_tier_draft(program=program, tiers=tiers(900), actor=writer, now=day(1))
    with pytest.raises(ConflictError, match="Only a person"):
        publish_tier_draft(program=program, actor=SYSTEM, now=day(2))
    with pytest.raises(ConflictError, match="Only a person"):
        ask_to_publish_tiers(program=program, actor=SYSTEM, now=day(2))


def test_what_is_sent_back_says_why_and_writing_it_anew_takes_that_away(
    program: Program, writer: Actor, reader: Actor
) -> None:
    save_tier_draft(program=program, tiers=tiers(900), actor=writer, now=day(1))
    ask_to_publish_tiers(program=program, actor=writer, now=day(1))
    with pytest.raises(DomainError):
        send_tiers_back(program=program, actor=reader, now=day(1), note=" ")
    draft = send_tiers_back(program=program, actor=reader, now=day(1), note="Too low.")
    assert (draft.sent_back, draft.asked_at) == ("Too low.", None)
    with pytest.raises(ConflictError):
        send_tiers_back(program=program, actor=reader, now=day(1), note="Again.")
    draft = save_tier_draft(program=program, tiers=tiers(1000), actor=writer, now=day(2))
    assert draft.sent_back == ""


def test_whoever_asked_takes_it_back_without_a_reason(program: Program, writer: Actor) -> None:
    save_tier_draft(program=program, tiers=tiers(900), actor=writer, now=day(1))
    ask_to_publish_tiers(program=program, actor=writer, now=day(1))
    draft = send_tiers_back(program=program, actor=writer, now=day(1), note="")
    assert (draft.sent_back, draft.asked_by) == ("", None)


def test_a_draft_written_beside_other_tiers_is_not_published(
    program: Program, writer: Actor, reader: Actor
) -> None:
    save_tier_draft(program=program, tiers=tiers(900), actor=writer, now=day(1))
    wanted = definition_of(program, day(1)).model_copy(update={"tiers": tiers(700)})
    apply_definition(wanted, actor=SYSTEM, now=day(2))
    with pytest.raises(ConflictError) as error:
        publish_tier_draft(program=program, actor=reader, now=day(3))
    assert error.value.code == "changed_meanwhile"
    save_tier_draft(program=program, tiers=tiers(900), actor=writer, now=day(3))
    publish_tier_draft(program=program, actor=reader, now=day(4))
    assert gold(program, 4) == 900


def test_tiers_are_set_up_and_their_draft_thrown_away(writer: Actor, reader: Actor) -> None:
    program = make_program(four_eyes=True)
    save_tier_draft(program=program, tiers=tiers(), actor=writer, now=day(1))
    discard_tier_draft(program=program, actor=reader, now=day(1))
    assert tier_draft_of(program) is None
    with pytest.raises(ConflictError):
        discard_tier_draft(program=program, actor=reader, now=day(1))
    save_tier_draft(program=program, tiers=tiers(), actor=writer, now=day(1))
    publish_tier_draft(program=program, actor=reader, now=day(2))
    assert tier_set_at(program, day(1)) is None
    assert gold(program, 2) == 1500


def test_without_a_second_person_a_draft_is_published_by_whoever_wrote_it(writer: Actor) -> None:
    program = make_program(tiers=ladder())
    save_tier_draft(program=program, tiers=tiers(900), actor=writer, now=day(1))
    publish_tier_draft(program=program, actor=writer, now=day(2))
    assert gold(program, 2) == 900


def test_tiers_saved_at_once_end_the_draft(writer: Actor) -> None:
    program = make_program(tiers=ladder())
    save_tier_draft(program=program, tiers=tiers(900), actor=writer, now=day(1))
    change_tiers(program=program, tiers=tiers(800), actor=writer, now=day(2))
    assert tier_draft_of(program) is None


def test_a_draft_that_says_nothing_else_or_names_what_is_not_there_is_refused(
    program: Program, writer: Actor
) -> None:
    with pytest.raises(ConflictError, match="the same"):
        save_tier_draft(program=program, tiers=tiers(), actor=writer, now=day(1))
    unknown = tiers(metric="units", wallet_type="stars")
    with pytest.raises(DomainError, match="stars"):
        save_tier_draft(program=program, tiers=unknown, actor=writer, now=day(1))
    fresh = make_program("fresh", status="draft")
    with pytest.raises(ConflictError, match="never live"):
        save_tier_draft(program=fresh, tiers=tiers(), actor=writer, now=day(1))


def test_nobody_takes_a_program_live_with_tiers_of_their_own_where_two_are_needed(
    writer: Actor, reader: Actor
) -> None:
    program = make_program(status="draft", four_eyes=True, tiers=ladder())
    change_tiers(program=program, tiers=tiers(800), actor=writer, now=day(1))
    live = definition_of(program, day(1)).model_copy(update={"status": "live"})
    with pytest.raises(ConflictError) as error:
        apply_definition(live, actor=writer, now=day(2))
    assert error.value.code == "second_person"
    apply_definition(live, actor=reader, now=day(2))
    assert gold(program, 3) == 800


def test_every_step_is_written_down(program: Program, writer: Actor, reader: Actor) -> None:
    before = AuditEntry.objects.count()
    save_tier_draft(program=program, tiers=tiers(900), actor=writer, now=day(1))
    ask_to_publish_tiers(program=program, actor=writer, now=day(1))
    send_tiers_back(program=program, actor=reader, now=day(1), note="No.")
    ask_to_publish_tiers(program=program, actor=writer, now=day(1))
    send_tiers_back(program=program, actor=writer, now=day(1), note="")
    publish_tier_draft(program=program, actor=reader, now=day(2))
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)[before:]
    assert list(actions) == [
        "tiers.drafted", "tiers.asked", "tiers.sent_back", "tiers.asked", "tiers.taken_back",
        "tiers.published",
    ]  # fmt: skip


def test_another_wording_than_the_one_that_was_read_is_neither_asked_for_nor_published(
    program: Program, writer: Actor, reader: Actor
) -> None:
    read = mark(save_tier_draft(program=program, tiers=tiers(900), actor=writer, now=day(1)))
    save_tier_draft(program=program, tiers=tiers(1), actor=writer, now=day(2), seen=read)
    for act, actor in ((ask_to_publish_tiers, writer), (publish_tier_draft, reader)):
        with pytest.raises(ConflictError, match="since you read it"):
            act(program=program, actor=actor, now=day(3), seen=read)
    with pytest.raises(ConflictError, match="while you were writing"):
        save_tier_draft(program=program, tiers=tiers(800), actor=reader, now=day(3), seen=read)
    assert gold(program, 3) == 1500
    publish_tier_draft(program=program, actor=reader, now=day(4), seen=mark(tier_draft_of(program)))
    assert gold(program, 4) == 1
