"""Surveys: asked of whom they are for, answered once, rewarded once, and counted right."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from campaigns.demo.surveys import show_surveys
from campaigns.models import (
    Delivery,
    Message,
    Survey,
    SurveyAnswer,
    SurveyQuestion,
    SurveyResponse,
    WebhookEvent,
)
from campaigns.selectors.survey_results import results_of
from campaigns.selectors.survey_rewards import brings
from campaigns.selectors.surveys import asked_of
from campaigns.services.survey_answers import (
    SurveyClosedError,
    answer_anonymously,
    remove_text,
)
from campaigns.services.survey_invitations import find_invitations
from campaigns.services.surveys import (
    change_survey,
    copy_survey,
    delete_survey,
    end_survey,
    publish_survey,
)
from campaigns.survey_definitions import SurveyDefinition, definition_of_survey
from campaigns.survey_texts import told_survey
from loyalty.definitions import ActivityTypeDefinition
from loyalty.models import Activity, ActivityAward, Membership, Program
from loyalty.services.activity_types import save_activity_type
from loyalty.services.leaving import leave_program
from members.errors import ConflictError, DomainError
from members.models import AuditEntry
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled
from members.services.merging import merge_customers
from tests.campaigns.factories import follow, switch_on
from tests.campaigns.surveys import QUESTIONS, REWARDED, make_survey, reply, score_of
from tests.campaigns.webhooks import make_endpoint
from tests.loyalty.factories import make_program, wallet_of
from tests.rewards.factories import make_member as make_any
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def make_member(program: Program, number: str = "c1") -> Membership:
    return make_any(0, number, program)


made_once = shared(lambda: make_program(at=timezone.now() - 30 * DAY, **REWARDED))


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


def refused(error: Any) -> set[str]:
    return {item.field for item in error.value.errors}


def test_an_answer_is_kept_and_rewarded_once(club: Program) -> None:
    member, survey = make_member(club), make_survey(club, activity="survey")
    assert brings(survey, timezone.now()) == "50\xa0points"
    assert asked_of(member, timezone.now()) == [survey]
    first = reply(survey, member, stars=["4"], wish=["cake", "bread"], words=[" More. "])
    again = reply(survey, member, number=1)
    assert (first.again, again.again) == (False, True)
    assert again.response == first.response
    assert wallet_of(member.account_id).balance == 50
    said = SurveyAnswer.objects.order_by("question__position")
    assert [(item.number, item.chosen, item.text) for item in said] == [
        (9, [], ""), (4, [], ""), (None, ["bread", "cake"], ""), (None, [], "More."),
    ]  # fmt: skip
    assert asked_of(member, timezone.now()) == []


@pytest.mark.django_db(transaction=True)
def test_of_two_answers_at_once_one_is_kept_and_rewarded(club: Program) -> None:
    member, survey = make_member(club), make_survey(club, activity="survey")

    def answer(number: int) -> bool:
        try:
            return reply(survey, member, number=number).again
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as crowd:
        assert sorted(crowd.map(answer, range(4))) == [False, True, True, True]
    assert SurveyResponse.objects.count() == Activity.objects.count() == 1
    assert ActivityAward.objects.get().units == 50
    assert wallet_of(member.account_id).balance == 50


def test_the_database_takes_one_answer_of_a_member(club: Program) -> None:
    member, survey = make_member(club), make_survey(club)
    known = reply(survey, member).response
    with pytest.raises(IntegrityError, match="survey_answered_once"), transaction.atomic():
        SurveyResponse.objects.create(
            survey=survey, membership=member, via="page", answered_at=known.answered_at
        )


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"recommend": []}, {"answers.recommend"}),
        ({"recommend": ["11"]}, {"answers.recommend"}),
        ({"recommend": ["9", "8"]}, {"answers.recommend"}),
        ({"stars": ["0"], "wish": ["pie"]}, {"answers.stars", "answers.wish"}),
        ({"words": ["x" * 2001]}, {"answers.words"}),
        ({"other": ["1"]}, {"answers.other"}),
    ],
)
def test_what_is_wrong_is_named(club: Program, said: dict[str, Any], wrong: set[str]) -> None:
    member, survey = make_member(club), make_survey(club)
    with pytest.raises(DomainError) as error:
        reply(survey, member, **said)
    assert refused(error) == wrong
    assert not SurveyResponse.objects.exists()


def test_it_is_asked_in_its_window_of_those_it_is_for(club: Program) -> None:
    now, member, other = timezone.now(), make_member(club, "c1"), make_member(club, "c2")
    member.customer.country = "GR"
    member.customer.save()
    make_survey(club, code="later", opens_at=now + DAY)
    make_survey(club, code="draft", live=False)
    make_survey(club, code="by-link", on_page=False)
    when = {"field": "customer.country", "op": "is", "value": "GR"}
    greek = make_survey(club, code="greek", when=when, closes_at=now + DAY)
    everybody = make_survey(club, code="everybody")
    assert asked_of(member, now) == [greek, everybody]
    assert asked_of(other, now) == [everybody]
    assert asked_of(member, now + 2 * DAY) != [greek, everybody]
    with pytest.raises(SurveyClosedError):
        reply(greek, other)
    leave_program(membership=other, actor=SYSTEM, now=now)
    other.refresh_from_db()
    assert asked_of(other, now) == []


def test_a_reward_that_cannot_be_given_keeps_the_answer(club: Program) -> None:
    member, survey = make_member(club), make_survey(club, activity="survey")
    kind = survey.activity_type
    assert kind is not None
    kind.active = False
    kind.save()
    response = reply(survey, member).response
    assert (response.activity, bool(response.unrewarded)) == (None, True)
    assert results_of(survey).unrewarded == 1


def test_once_live_its_questions_stay(club: Program) -> None:
    survey = make_survey(club, live=False)
    known = definition_of_survey(survey)
    fewer = known.model_copy(update={"questions": known.questions[:1]})
    assert change_survey(survey=survey, definition=fewer, actor=SYSTEM).questions.count() == 1
    now = timezone.now()
    publish_survey(survey=survey, actor=SYSTEM, now=now)
    publish_survey(survey=survey, actor=SYSTEM, now=now)
    with pytest.raises(ConflictError) as error:
        change_survey(survey=survey, definition=known, actor=SYSTEM)
    assert (error.value.code, refused(error)) == ("survey_live", {"questions"})
    with pytest.raises(IntegrityError, match="stay as they are"), transaction.atomic():
        SurveyQuestion.objects.update(text="Something else?")
    later = fewer.model_copy(update={"closes_at": now + DAY, "thanks": "Thanks"})
    assert change_survey(survey=survey, definition=later, actor=SYSTEM).closes_at == now + DAY
    with pytest.raises(ConflictError):
        delete_survey(survey=survey, actor=SYSTEM)
    end_survey(survey=survey, actor=SYSTEM, now=now)
    with pytest.raises(SurveyClosedError):
        reply(survey, make_member(club))
    with pytest.raises(ConflictError):
        publish_survey(survey=survey, actor=SYSTEM, now=now)
    fresh = copy_survey(survey=survey, actor=SYSTEM)
    assert (fresh.code, fresh.state, fresh.closes_at) == ("spring-2", "draft", None)
    delete_survey(survey=fresh, actor=SYSTEM)
    told = AuditEntry.objects.filter(action__startswith="survey.").order_by("pk")
    assert list(told.values_list("action", flat=True)) == [
        f"survey.{step}" for step in
        ("created", "changed", "published", "changed", "ended", "created", "deleted")
    ]  # fmt: skip


def test_what_cannot_be_asked_does_not_begin(club: Program) -> None:
    now = timezone.now()
    empty = make_survey(club, live=False, code="empty", questions=[], closes_at=now - DAY)
    with pytest.raises(DomainError) as error:
        publish_survey(survey=empty, actor=SYSTEM, now=now)
    assert refused(error) == {"questions", "closes_at"}
    for kind in ({"proof": "required"}, {"data_schema": {"required": ["stars"]}}):
        definition = REWARDED["activity_types"][0] | kind
        save_activity_type(ActivityTypeDefinition.model_validate(definition), actor=SYSTEM)
        other = make_survey(club, live=False, code=next(iter(kind)).replace("_", "-"),
                            activity="survey")  # fmt: skip
        with pytest.raises(DomainError) as error:
            publish_survey(survey=other, actor=SYSTEM, now=now)
        assert refused(error) == {"activity"}
    with pytest.raises(DomainError) as error:
        make_survey(club, code="none", activity="nothing")
    assert refused(error) == {"activity"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"questions": [QUESTIONS[0], QUESTIONS[0]]},
        {"questions": [QUESTIONS[2] | {"choices": []}]},
        {"questions": [QUESTIONS[0] | {"choices": QUESTIONS[2]["choices"]}]},
        {"texts": {"xx": {"title": "?"}}},
        {"opens_at": "2026-02-01T00:00:00Z", "closes_at": "2026-01-01T00:00:00Z"},
    ],
)
def test_what_contradicts_itself_is_no_survey(wrong: dict[str, Any]) -> None:
    said = {"code": "spring", "title": "Spring", "questions": QUESTIONS} | wrong
    with pytest.raises(ValueError, match="SurveyDefinition"):
        SurveyDefinition.model_validate(said)


def test_the_same_form_without_a_name_is_one_answer(club: Program) -> None:
    survey = make_survey(club, anonymous=True, activity="survey")
    form, now = uuid4(), timezone.now()
    given = {"recommend": ["3"]}

    def answer(form: Any) -> bool:
        return answer_anonymously(survey=survey, form=form, given=given, locale="", now=now).again

    assert [answer(form), answer(form), answer(uuid4())] == [False, True, False]
    assert not Activity.objects.exists()
    closed = make_survey(club, code="closed")
    with pytest.raises(SurveyClosedError):
        answer_anonymously(survey=closed, form=uuid4(), given=given, locale="", now=now)


def test_it_is_told_in_the_readers_language(club: Program) -> None:
    survey = make_survey(club, texts={"el": {"title": "Frühling"}})
    told = told_survey(survey, "el-CY")
    assert told.title == "Frühling"
    assert told.questions[2].text == "Wovon mehr?"
    assert told.questions[2].choices == [("bread", "Bread"), ("cake", "Kuchen")]


@pytest.mark.parametrize(
    ("kind", "numbers", "value"),
    [
        ("nps", [], None), ("nps", [9, 10, 8, 6], 25.0), ("nps", [0, 6], -100.0),
        ("nps", [7, 8], 0.0), ("satisfaction", [1, 5, 5], 3.67),
    ],
)  # fmt: skip
def test_scores(kind: str, numbers: list[int], value: float | None) -> None:
    assert score_of(kind, numbers).value == value


def test_frequent_words_count_once_for_a_text(club: Program) -> None:
    survey = make_survey(club)
    texts = ["The bread, the BREAD!", "More bread and queues", "queues", "alone"]
    for number, text in enumerate(texts):
        reply(survey, make_member(club, f"c{number}"), words=[text])
    assert results_of(survey).questions[3].words == [("bread", 2), ("queues", 2)]


def test_results_by_question_and_over_time(club: Program) -> None:
    survey = make_survey(club)
    for number, (score, wish) in enumerate(((10, "bread"), (9, "cake"), (2, "bread"))):
        reply(survey, make_member(club, f"c{number}"), score, wish=[wish], words=["The queue"])
    found = results_of(survey)
    assert (found.answered, found.members) == (3, 3)
    recommend, stars, wish_result, words = found.questions
    assert recommend.score is not None
    assert (recommend.answered, recommend.score.value) == (3, 33.3)
    assert len(recommend.trend) == 1
    assert stars.answered == 0
    assert [(item.count, item.percent) for item in wish_result.shares] == [(2, 67), (1, 33)]
    assert words.words == [("queue", 3)]
    text = SurveyAnswer.objects.exclude(text="").first()
    assert text is not None
    remove_text(answer=text, actor=SYSTEM, now=timezone.now())
    remove_text(answer=text, actor=SYSTEM, now=timezone.now())
    assert results_of(survey).questions[3].answered == 2
    assert AuditEntry.objects.filter(action="survey.text_removed").count() == 1


def test_who_answered_under_another_name_is_not_asked_again(club: Program) -> None:
    kept, merged, survey = make_member(club, "c1"), make_member(club, "c2"), make_survey(club)
    reply(survey, merged)
    merge_customers(
        kept=kept.customer,
        merged=merged.customer,
        actor=SYSTEM,
        source="staff",
        now=timezone.now(),
    )
    assert asked_of(kept, timezone.now()) == []
    assert reply(survey, kept).again


@pytest.mark.usefixtures("awake")
def test_members_are_asked_by_a_message_once(club: Program) -> None:
    switch_on("survey", "inbox")
    member, answered = make_member(club, "c1"), make_member(club, "c2")
    survey = make_survey(club, by_message=True, intro="One minute.", activity="survey")
    make_survey(club, code="quiet")
    reply(survey, answered)
    now = timezone.now()
    job = run_scheduled(kind="survey_invitations", now=now)
    assert job is not None
    assert job.result == {"asked": 1}
    delivery = Delivery.objects.get()
    assert delivery.message.membership == member
    assert (delivery.subject, "50\xa0points" in delivery.text) == ("Spring", True)
    assert "/surveys/" in delivery.message.values["link"]
    assert find_invitations(now + DAY) is None
    newcomer = make_member(club, "c3")
    run_scheduled(kind="survey_invitations", now=now + DAY)
    assert list(Message.objects.order_by("pk").values_list("membership", flat=True)) == [
        member.pk, newcomer.pk,
    ]  # fmt: skip


@pytest.mark.usefixtures("awake")
def test_who_was_asked_or_answered_under_another_name_is_not_asked_again(club: Program) -> None:
    switch_on("survey", "inbox")
    now, survey = timezone.now(), make_survey(club, by_message=True)
    asked, answered = make_member(club, "c1"), make_member(club, "c2")
    reply(survey, answered)
    run_scheduled(kind="survey_invitations", now=now)
    assert Message.objects.get().membership == asked
    for place, duplicate in enumerate((asked, answered)):
        merge_customers(
            kept=make_member(club, f"kept{place}").customer, merged=duplicate.customer,
            actor=SYSTEM, source="staff", now=now,
        )  # fmt: skip
    assert find_invitations(now + DAY) is None
    run_scheduled(kind="survey_invitations", now=now + DAY)
    assert Message.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_follows_is_told_without_what_was_written(club: Program) -> None:
    make_endpoint("https://shop.example/hooks", types=["survey.answered"])
    member, survey = make_member(club), make_survey(club)
    reply(survey, member, words=["Call me"])
    follow()
    [event] = WebhookEvent.objects.all()
    assert event.data["membership"] == str(member.public_id)
    assert event.data["answers"][0] == {
        "question": "recommend", "kind": "nps", "number": 9, "chosen": [],
    }  # fmt: skip
    assert "Call me" not in str(event.data)


def test_answers_are_never_changed_or_deleted(club: Program) -> None:
    response = reply(make_survey(club), make_member(club)).response
    for act in (response.delete, SurveyAnswer.objects.all().delete, Survey.objects.all().delete):
        with pytest.raises(Exception, match=r"Cannot delete|pgtrigger"), transaction.atomic():
            act()


def test_the_demonstration_is_made_once(club: Program) -> None:
    for number in range(3):
        make_member(club, f"c{number}")
    for _time in range(2):
        show_surveys(club)
    assert sorted(Survey.objects.values_list("state", flat=True)) == ["draft", "live"]
    assert SurveyResponse.objects.count() == 3
    found = results_of(Survey.objects.get(state="live"))
    assert [item.answered for item in found.questions[:2]] == [3, 3]
