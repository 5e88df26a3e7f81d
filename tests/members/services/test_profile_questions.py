"""The merchant's questions about people, and what people answer."""

from typing import Any

import pytest
from django.utils import timezone, translation

from members.errors import ConflictError, DomainError
from members.models import AuditEntry, Customer, ProfileQuestion
from members.selectors.profile_questions import asked_questions, said_answers
from members.selectors.segments import customers_matching, merchant_moment, read_condition
from members.services.audit import SYSTEM
from members.services.customers import (
    create_customer,
    erase_customer_details,
    update_customer,
)
from members.services.merging import merge_customers, undo_merge
from members.services.profile_questions import (
    MOST,
    change_question,
    create_question,
    put_question_away,
)
from tests.loyalty.factories import NOW

pytestmark = pytest.mark.django_db

TASTES = [{"code": "dark", "text": "Dark"}, {"code": "milk", "text": "Milk"},
          {"code": "nuts", "text": "With nuts"}]  # fmt: skip


def ask(code: str = "taste", kind: str = "many", **changes: Any) -> ProfileQuestion:
    said: dict[str, Any] = {"text": "What do you like?", "choices": TASTES} | changes
    return create_question(code=code, kind=kind, actor=SYSTEM, **said)


def make(number: str, **answers: Any) -> Customer:
    return create_customer(actor=SYSTEM, external_id=number, given_name="Ana", answers=answers)


def test_answers_are_kept_in_the_order_of_the_question_each_once() -> None:
    ask()
    assert make("c1", taste=["nuts", "dark", "nuts"]).answers == {"taste": ["dark", "nuts"]}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"taste": ["white"]}, "answers.taste"),
        ({"color": ["red"]}, "answers.color"),
        ({"whom": ["me", "others"]}, "answers.whom"),
        ({"taste": [7]}, "answers.taste"),
        ({"taste": {"dark": True}}, "answers.taste"),
    ],
)
def test_what_cannot_be_chosen_is_refused_by_its_question(said: Any, field: str) -> None:
    ask()
    ask("whom", "one", choices=[{"code": "me", "text": "Me"}, {"code": "others", "text": "Others"}])
    with pytest.raises(DomainError) as wrong:
        make("c1", **said)
    assert [error.field for error in wrong.value.errors] == [field]


def test_an_answer_leaves_the_others_and_none_takes_it_back() -> None:
    ask()
    ask("whom", "one")
    ana = make("c1", taste=["dark"], whom=["milk"])
    update_customer(customer=ana, actor=SYSTEM, changes={"answers": {"taste": ["milk"]}})
    ana.refresh_from_db()
    assert ana.answers == {"taste": ["milk"], "whom": ["milk"]}
    update_customer(customer=ana, actor=SYSTEM, changes={"answers": {"whom": []}})
    ana.refresh_from_db()
    assert ana.answers == {"taste": ["milk"]}


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"op": "has_any", "value": ["dark", "milk"]}, ["c1", "c2"]),
        ({"op": "has_all", "value": ["dark", "nuts"]}, ["c1"]),
        # Who has not said has chosen none of them.
        ({"op": "has_none", "value": ["nuts"]}, ["c2", "c3"]),
        ({"op": "empty"}, ["c3"]),
        ({"op": "not_empty"}, ["c1", "c2"]),
    ],
)
def test_segments_and_conditions_ask_for_them_alike(
    condition: dict[str, object], found: list[str]
) -> None:
    ask()
    people = [make("c1", taste=["dark", "nuts"]), make("c2", taste=["milk"]), make("c3")]
    asked = read_condition({"field": "customer.answers.taste", **condition})
    moment = merchant_moment(NOW)
    matching = customers_matching(asked, moment)
    assert sorted(matching.values_list("external_id", flat=True)) == found
    field, operator, operand = asked.field, asked.operator, asked.operand  # type: ignore[union-attr]
    alone = [who.external_id for who in people
             if operator.test(field.value(who, moment), operand, moment)]  # fmt: skip
    assert alone == found


def test_a_condition_can_only_ask_for_what_could_be_said() -> None:
    ask()
    with pytest.raises(DomainError):
        read_condition({"field": "customer.answers.taste", "op": "has_any", "value": ["white"]})


def test_a_choice_that_is_left_out_is_offered_no_more_and_stays_known() -> None:
    question = ask()
    ana = make("c1", taste=["nuts"])
    change_question(question=question, actor=SYSTEM, choices=TASTES[:2])
    [asked] = asked_questions()
    assert [code for code, _words in asked.choices] == ["dark", "milk"]
    assert said_answers(ana.answers) == [("What do you like?", "With nuts")]
    # Whoever had chosen it may still say so.
    update_customer(customer=ana, actor=SYSTEM, changes={"answers": {"taste": ["nuts", "dark"]}})
    read_condition({"field": "customer.answers.taste", "op": "has_any", "value": ["nuts"]})


def test_one_that_is_put_away_is_asked_no_more_and_its_answers_stay() -> None:
    question = ask()
    ana = make("c1", taste=["nuts"])
    put_question_away(question=question, away=True, actor=SYSTEM, now=timezone.now())
    assert asked_questions() == []
    assert said_answers(ana.answers) == [("What do you like?", "With nuts")]


def test_it_is_read_in_the_readers_language_as_far_as_it_is_said() -> None:
    ask(texts={"el": {"text": "Τι σας αρέσει;", "choices": {"dark": "Μαύρη"}}})
    with translation.override("el"):
        [asked] = asked_questions()
    assert asked.text == "Τι σας αρέσει;"
    assert asked.choices[:2] == [("dark", "Μαύρη"), ("milk", "Milk")]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "Taste"}, "code"), ({"kind": "some"}, "kind"), ({"text": " "}, "text"),
        ({"choices": TASTES[:1]}, "choices"), ({"choices": [TASTES[0], TASTES[0]]}, "choices"),
        ({"choices": [{"code": "a b", "text": "x"}, TASTES[0]]}, "choices"),
        ({"texts": {"el": {"choices": {"white": "Λευκή"}}}}, "texts"),
        ({"texts": {"Greek": {"text": "Τι σας αρέσει;"}}}, "texts"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(DomainError) as wrong:
        ask(**changes)
    assert [error.field for error in wrong.value.errors] == [field]
    assert not ProfileQuestion.objects.exists()


def test_a_code_is_taken_once_and_a_change_that_changes_nothing_leaves_no_trace() -> None:
    question = ask()
    with pytest.raises(ConflictError):
        ask()
    before = AuditEntry.objects.count()
    change_question(question=question, actor=SYSTEM, text="What do you like?", choices=TASTES)
    assert AuditEntry.objects.count() == before


def test_those_that_are_put_away_leave_room_for_others() -> None:
    first, *_others = [ask(f"q{number}") for number in range(MOST)]
    with pytest.raises(ConflictError):
        ask("further")
    now = timezone.now()
    put_question_away(question=first, away=True, actor=SYSTEM, now=now)
    ask("further")
    with pytest.raises(ConflictError):
        put_question_away(question=first, away=False, actor=SYSTEM, now=now)


def test_a_choice_that_was_offered_keeps_its_words_in_other_languages() -> None:
    texts = {"el": {"text": "Τι;", "choices": {"nuts": "Με ξηρούς καρπούς"}}}
    question = ask(texts=texts)
    change_question(question=question, actor=SYSTEM, choices=TASTES[:2], texts=texts)
    question.refresh_from_db()
    assert question.texts == texts


def test_a_merge_fills_what_is_not_answered_and_undoing_it_takes_that_back() -> None:
    ask()
    ask("whom", "one")
    kept, merged = make("c1", taste=["dark"]), make("c2", taste=["milk"], whom=["nuts"])
    merge, _again = merge_customers(kept=kept, merged=merged, actor=SYSTEM, source="staff", now=NOW)
    kept.refresh_from_db()
    assert kept.answers == {"taste": ["dark"], "whom": ["nuts"]}
    undo_merge(merge=merge, actor=SYSTEM, source="staff", now=NOW)
    kept.refresh_from_db()
    merged.refresh_from_db()
    assert kept.answers == {"taste": ["dark"]}
    assert merged.answers == {"taste": ["milk"], "whom": ["nuts"]}


def test_whoever_is_erased_has_answered_nothing() -> None:
    ask()
    ana = make("c1", taste=["dark"])
    erase_customer_details(customer=ana, actor=SYSTEM)
    ana.refresh_from_db()
    assert ana.answers == {}
