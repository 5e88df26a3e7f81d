"""Rules as people work on them: drafts beside the live wording, times, order, second persons."""

import datetime as dt
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from loyalty.models import EarningRule, EarningRuleVersion, Program
from loyalty.rule_definitions import EarningRuleDefinition
from loyalty.selectors.programs import definition_of
from loyalty.selectors.rules import row_of, rule_rows
from loyalty.services.programs import apply_definition
from loyalty.services.rule_approvals import ask_to_publish, send_back
from loyalty.services.rules import (
    RuleRefusedError,
    create_rule,
    discard_draft,
    findings,
    keep_going,
    mark,
    order_rules,
    publish_draft,
    retire_rule,
    save_draft,
    set_four_eyes,
    withdraw_scheduled,
)
from members.errors import ConflictError, DomainError, NotFoundError
from members.models import AuditEntry, User
from members.services.audit import SYSTEM, Actor
from tests.factories import UserFactory
from tests.loyalty.factories import NOW, day, define, make_program, moves, order, record

pytestmark = pytest.mark.django_db


def reads(**said: Any) -> EarningRuleDefinition:
    return EarningRuleDefinition.model_validate(said)


def base(program: Program) -> EarningRule:
    return program.earning_rules.get(code="base")


def drafted(rule: EarningRule, at: dt.datetime = NOW, actor: Actor = SYSTEM, **said: Any) -> None:
    definition = reads(**({"units": 2} | said), name=rule.name)
    save_draft(rule=rule, definition=definition, actor=actor, now=at)


def published(rule: EarningRule, at: dt.datetime, now: dt.datetime, **said: Any) -> Any:
    drafted(rule, now, **said)
    return publish_draft(rule=rule, actor=SYSTEM, now=now, starts_at=at)


def times(rule: EarningRule) -> list[tuple[int, str, Any, Any]]:
    return [
        (item.number, item.status, item.starts_at, item.ends_at)
        for item in rule.versions.order_by("number")
    ]


def earned(number: str, at: dt.datetime) -> int:
    """What an order of 10 earns at an instant."""
    before = sum(units for _kind, units in moves(number))
    record(order(f"{number}-{at:%m%d%H%M}", at=at, buyer=number), now=at)
    return sum(units for _kind, units in moves(number)) - before


def user(**details: Any) -> User:
    return UserFactory.create(**details)


def test_a_draft_stands_beside_the_live_wording_and_counts_for_nothing(program: Program) -> None:
    drafted(base(program))
    assert earned("c1", day(1)) == 10
    row = row_of(base(program), day(1))
    assert row.state == "live"
    assert row.draft is not None
    assert definition_of(program, day(1)).earning_rules[0].units == 1


def test_a_rule_has_one_draft_which_is_written_over(program: Program) -> None:
    drafted(base(program), units=2)
    drafted(base(program), units=3)
    drafts = base(program).versions.filter(status="draft")
    assert [draft.body["units"] for draft in drafts] == ["3"]


def test_what_is_published_counts_for_orders_from_then_on_and_old_orders_keep_theirs(
    program: Program,
) -> None:
    assert earned("c1", day(1)) == 10
    published(base(program), at=day(2), now=day(2))
    assert earned("c1", day(3)) == 20
    record(order("late", at=day(1), buyer="c1"), now=day(4))
    assert sum(units for _kind, units in moves()) == 40, "placed before, so by the old wording"


def test_a_scheduled_wording_ends_the_running_one_when_it_begins(program: Program) -> None:
    published(base(program), at=day(5), now=day(1))
    assert times(base(program)) == [
        (1, "published", None, day(5)), (2, "published", day(5), None),
    ]  # fmt: skip
    assert earned("c1", day(4)) == 10
    assert earned("c1", day(5)) == 20


def test_undoing_a_schedule_makes_it_a_draft_and_the_running_wording_goes_on(
    program: Program,
) -> None:
    version = published(base(program), at=day(5), now=day(1))
    withdraw_scheduled(version=version, actor=SYSTEM, now=day(2))
    assert times(base(program)) == [(1, "published", None, None), (2, "draft", None, None)]
    assert earned("c1", day(6)) == 10


def test_what_counts_already_is_not_undone(program: Program) -> None:
    version = published(base(program), at=day(5), now=day(1))
    with pytest.raises(ConflictError) as error:
        withdraw_scheduled(version=version, actor=SYSTEM, now=day(5))
    assert error.value.code == "counts_already"


def test_undoing_a_schedule_does_not_write_over_another_draft(program: Program) -> None:
    version = published(base(program), at=day(5), now=day(1))
    drafted(base(program), day(2), units=9)
    with pytest.raises(ConflictError) as error:
        withdraw_scheduled(version=version, actor=SYSTEM, now=day(2))
    assert error.value.code == "another_draft"


def test_what_is_published_now_gives_way_to_what_is_scheduled(program: Program) -> None:
    published(base(program), at=day(5), now=day(1), units=5)
    published(base(program), at=day(2), now=day(2), units=2)
    assert [(item[2], item[3]) for item in times(base(program))] == [
        (None, day(2)), (day(5), None), (day(2), day(5)),
    ]  # fmt: skip
    assert [earned("c1", day(at)) for at in (1, 3, 6)] == [10, 20, 50]


def test_two_wordings_do_not_begin_at_once(program: Program) -> None:
    published(base(program), at=day(5), now=day(1))
    drafted(base(program), day(2), units=7)
    with pytest.raises(ConflictError) as error:
        publish_draft(rule=base(program), actor=SYSTEM, now=day(2), starts_at=day(5))
    assert error.value.code == "begins_together"


def test_nothing_is_published_for_the_past(program: Program) -> None:
    drafted(base(program))
    with pytest.raises(DomainError) as error:
        publish_draft(rule=base(program), actor=SYSTEM, now=day(2), starts_at=day(1))
    assert error.value.errors[0].field == "starts_at"


def test_a_published_wording_does_not_change_in_the_database(program: Program) -> None:
    version = base(program).versions.get()
    for change in ({"body": {}}, {"written_at": day(9)}, {"starts_at": NOW}):
        with pytest.raises(DatabaseError), transaction.atomic():
            EarningRuleVersion.objects.filter(pk=version.pk).update(**change)


def test_a_new_rule_is_a_draft_at_the_end_and_earns_once_it_is_published(program: Program) -> None:
    rule = create_rule(
        program=program, definition=reads(code="double", name="Double", kind="multiplier",
                                          factor=2), actor=SYSTEM, now=day(1),
    )  # fmt: skip
    assert [row.state for row in rule_rows(program, day(1))] == ["live", "draft"]
    assert earned("c1", day(1)) == 10
    publish_draft(rule=rule, actor=SYSTEM, now=day(2), ends_at=day(4))
    assert [earned("c1", day(at)) for at in (3, 5)] == [20, 10]


def test_a_rule_gets_a_code_of_its_own(program: Program) -> None:
    rule = create_rule(program=program, definition=reads(), actor=SYSTEM, now=NOW)
    assert rule.code == "base-2"


def test_discarding_the_only_draft_takes_the_rule_with_it(program: Program) -> None:
    rule = create_rule(program=program, definition=reads(code="x"), actor=SYSTEM, now=NOW)
    drafted(base(program))
    assert discard_draft(rule=rule, actor=SYSTEM, now=NOW)
    assert not discard_draft(rule=base(program), actor=SYSTEM, now=NOW)
    assert [rule.code for rule in program.earning_rules.all()] == ["base"]
    with pytest.raises(NotFoundError):
        discard_draft(rule=base(program), actor=SYSTEM, now=NOW)


def test_a_rule_retires_now_or_later_and_an_end_to_come_can_be_called_off(program: Program) -> None:
    retire_rule(rule=base(program), actor=SYSTEM, now=day(1), at=day(3))
    assert earned("c1", day(2)) == 10
    keep_going(rule=base(program), actor=SYSTEM, now=day(2))
    assert earned("c1", day(4)) == 10
    retire_rule(rule=base(program), actor=SYSTEM, now=day(5))
    assert earned("c1", day(6)) == 0
    assert row_of(base(program), day(6)).state == "ended"
    for act in (keep_going, retire_rule):
        with pytest.raises(ConflictError):
            act(rule=base(program), actor=SYSTEM, now=day(7))


def test_what_is_multiplied_does_not_retire_before_what_multiplies_it() -> None:
    double = {"code": "double", "kind": "multiplier", "factor": 2, "of": ["base"]}
    program = make_program(earning_rules=[{}, double])
    with pytest.raises(ConflictError) as error:
        retire_rule(rule=base(program), actor=SYSTEM, now=day(1))
    assert error.value.code == "multiplied"
    retire_rule(rule=program.earning_rules.get(code="double"), actor=SYSTEM, now=day(1))
    retire_rule(rule=base(program), actor=SYSTEM, now=day(1))
    assert definition_of(program, day(2)).earning_rules == ()


def test_a_rule_that_can_never_award_is_not_published_and_says_why(program: Program) -> None:
    never = {"all": [
        {"field": "order.total", "op": "at_least", "value": 100},
        {"field": "order.total", "op": "less_than", "value": 50},
    ]}  # fmt: skip
    drafted(base(program), when=never)
    with pytest.raises(RuleRefusedError, match="never") as error:
        publish_draft(rule=base(program), actor=SYSTEM, now=day(1))
    assert [wrong.field for wrong in error.value.errors] == ["when"]
    assert base(program).versions.filter(status="draft").exists()


def test_a_multiplier_of_a_rule_that_is_only_a_draft_is_refused(program: Program) -> None:
    create_rule(program=program, definition=reads(code="extra"), actor=SYSTEM, now=NOW)
    rule = create_rule(
        program=program, actor=SYSTEM, now=NOW,
        definition=reads(code="double", kind="multiplier", factor=2, of=["extra"]),
    )  # fmt: skip
    with pytest.raises(RuleRefusedError, match="not live"):
        publish_draft(rule=rule, actor=SYSTEM, now=day(1))


def test_warnings_do_not_keep_a_rule_from_being_published(program: Program) -> None:
    rule = create_rule(
        program=program, actor=SYSTEM, now=NOW,
        definition=reads(code="welcome", kind="fixed", units=5),
    )  # fmt: skip
    found = findings(rule, rule.versions.get(), now=NOW)
    assert [(item.code, item.refused) for item in found] == [("no_limit", False)]
    assert publish_draft(rule=rule, actor=SYSTEM, now=day(1)).number == 1


def test_rules_are_put_in_order_and_the_list_has_to_be_whole() -> None:
    program = make_program(earning_rules=[{}, {"code": "two"}, {"code": "three"}])
    order_rules(program=program, codes=["three", "base", "two"], actor=SYSTEM, now=NOW)
    assert [row.rule.code for row in rule_rows(program, NOW)] == ["three", "base", "two"]
    with pytest.raises(ConflictError):
        order_rules(program=program, codes=["three", "base"], actor=SYSTEM, now=NOW)


def test_nobody_publishes_what_they_wrote_where_a_second_person_does() -> None:
    program = make_program(four_eyes=True)
    writer, reader = user(), user()
    drafted(base(program), actor=Actor.of_user(writer))
    with pytest.raises(ConflictError) as error:
        publish_draft(rule=base(program), actor=Actor.of_user(writer), now=day(1))
    assert error.value.code == "second_person"
    ask_to_publish(rule=base(program), actor=Actor.of_user(writer), now=day(1), starts_at=day(3))
    assert row_of(base(program), day(1)).draft.asked_start == day(3)
    publish_draft(rule=base(program), actor=Actor.of_user(reader), now=day(2), starts_at=day(3))
    version = base(program).versions.get(number=2)
    assert (version.written_by, version.published_by, version.asked_by) == (writer, reader, None)


def test_a_draft_that_is_sent_back_says_why_and_writing_it_anew_takes_that_away() -> None:
    program = make_program(four_eyes=True)
    writer, reader = user(), user()
    drafted(base(program), actor=Actor.of_user(writer))
    ask_to_publish(rule=base(program), actor=Actor.of_user(writer), now=day(1))
    with pytest.raises(DomainError):
        send_back(rule=base(program), actor=Actor.of_user(reader), now=day(1), note=" ")
    send_back(rule=base(program), actor=Actor.of_user(reader), now=day(1), note="Too much.")
    assert row_of(base(program), day(1)).draft.sent_back == "Too much."
    drafted(base(program), day(2), actor=Actor.of_user(writer))
    draft = row_of(base(program), day(1)).draft
    assert (draft.sent_back, draft.asked_at) == ("", None)


def test_writing_again_takes_back_what_was_asked() -> None:
    program = make_program(four_eyes=True)
    writer = Actor.of_user(user())
    drafted(base(program), actor=writer)
    ask_to_publish(rule=base(program), actor=writer, now=day(1))
    drafted(base(program), day(2), actor=writer, units=900)
    assert row_of(base(program), day(2)).state == "live"
    assert row_of(base(program), day(2)).draft.asked_at is None


def test_a_file_applied_by_a_person_does_not_go_round_the_second_one() -> None:
    program = make_program(four_eyes=True)
    changed = define(earning_rules=[{"units": 5}], four_eyes=True)
    with pytest.raises(ConflictError) as error:
        apply_definition(changed, actor=Actor.of_user(user()), now=day(1))
    assert error.value.code == "second_person"
    apply_definition(changed, actor=SYSTEM, now=day(1))
    assert definition_of(program, day(2)).earning_rules[0].units == 5


def test_a_file_that_lets_one_suffice_publishes_nothing_by_that(db: None) -> None:
    program = make_program(four_eyes=True)
    said = definition_of(program, day(1))
    rule = said.earning_rules[0].model_copy(update={"units": 3})
    alone = said.model_copy(update={"four_eyes": False, "earning_rules": (rule,)})
    with pytest.raises(ConflictError) as error:
        apply_definition(alone, actor=Actor.of_user(user()), now=day(1))
    assert error.value.code == "second_person"
    program.refresh_from_db()
    assert program.four_eyes


def test_a_file_says_what_counts_now_and_leaves_drafts_and_schedules_alone(
    program: Program,
) -> None:
    published(base(program), at=day(5), now=day(1))
    create_rule(program=program, definition=reads(code="idea"), actor=SYSTEM, now=day(1))
    before = definition_of(program, day(2))
    assert [rule.units for rule in before.earning_rules] == [1]
    assert apply_definition(before, actor=SYSTEM, now=day(2)).changes == []
    assert [row.state for row in rule_rows(program, day(2))] == ["live", "draft"]
    assert earned("c1", day(6)) == 20


def test_nobody_takes_a_program_live_with_rules_of_their_own_where_two_are_needed() -> None:
    program = make_program(status="draft", four_eyes=True)
    writer, other = Actor.of_user(user()), Actor.of_user(user())
    drafted(base(program), actor=writer)
    with pytest.raises(ConflictError, match="not live yet"):
        ask_to_publish(rule=base(program), actor=writer, now=day(1))
    live = definition_of(program, day(1)).model_copy(update={"status": "live"})
    with pytest.raises(ConflictError) as error:
        apply_definition(live, actor=writer, now=day(1))
    assert error.value.code == "second_person"
    apply_definition(live, actor=other, now=day(1))
    assert earned("c1", day(2)) == 20


def test_a_file_does_not_bring_a_rule_that_can_never_award(program: Program) -> None:
    dead = {"include": {"skus": ["A"]}, "exclude": {"skus": ["A"]}}
    with pytest.raises(ConflictError) as error:
        apply_definition(define(earning_rules=[dead]), actor=SYSTEM, now=day(1))
    assert error.value.code == "rule_refused"
    assert error.value.errors[0].field == "earning_rules[0].exclude"
    draft = define("other", status="draft", earning_rules=[dead])
    apply_definition(draft, actor=SYSTEM, now=day(1))
    live = draft.model_copy(update={"status": "live"})
    with pytest.raises(ConflictError):
        apply_definition(live, actor=SYSTEM, now=day(1))


def test_a_file_without_a_live_rule_ends_it_with_what_was_to_come(program: Program) -> None:
    published(base(program), at=day(5), now=day(1))
    apply_definition(define(earning_rules=[]), actor=SYSTEM, now=day(2))
    assert times(base(program)) == [(1, "published", None, day(2))]


def test_a_file_does_not_end_what_a_scheduled_rule_multiplies(program: Program) -> None:
    rule = create_rule(
        program=program, actor=SYSTEM, now=NOW,
        definition=reads(code="double", kind="multiplier", factor=2, of=["base"]),
    )  # fmt: skip
    publish_draft(rule=rule, actor=SYSTEM, now=day(1), starts_at=day(5))
    with pytest.raises(ConflictError, match="multiplies"):
        apply_definition(define(earning_rules=[]), actor=SYSTEM, now=day(2))


def test_rules_of_a_program_that_is_not_live_go_live_with_it() -> None:
    program = make_program(status="draft")
    drafted(base(program))
    with pytest.raises(ConflictError) as error:
        publish_draft(rule=base(program), actor=SYSTEM, now=day(1))
    assert error.value.code == "program_not_live"
    live = definition_of(program, day(1)).model_copy(update={"status": "live"})
    apply_definition(live, actor=SYSTEM, now=day(1))
    assert earned("c1", day(2)) == 20


def test_two_who_write_at_once_do_not_write_over_each_other(program: Program) -> None:
    rule = base(program)
    seen = mark(rule)
    save_draft(rule=rule, definition=reads(units=2), actor=SYSTEM, now=day(1), seen=seen)
    with pytest.raises(ConflictError) as error:
        save_draft(rule=rule, definition=reads(units=3), actor=SYSTEM, now=day(2), seen=seen)
    assert error.value.code == "changed_meanwhile"


def test_everything_is_written_down(program: Program) -> None:
    rule = base(program)
    version = published(rule, at=day(5), now=day(1))
    withdraw_scheduled(version=version, actor=SYSTEM, now=day(1))
    publish_draft(rule=rule, actor=SYSTEM, now=day(2))
    retire_rule(rule=rule, actor=SYSTEM, now=day(3))
    set_four_eyes(program=program, on=True, actor=SYSTEM)
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == [
        "program.created", "rule.drafted", "rule.scheduled", "rule.unscheduled", "rule.published",
        "rule.retired", "program.changed",
    ]  # fmt: skip
