"""The screens of surveys: written, asked, read, and taken away as a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Survey, SurveyAnswer
from campaigns.slow_figures import SURVEY_RESULT
from loyalty.models import Program
from members.slow_figures import work_out
from tests.campaigns.surveys import make_survey, reply
from tests.loyalty.factories import make_program
from tests.rewards.factories import make_member
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db


made_once = shared(make_program)


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


def url(name: str, *args: Any) -> str:
    return reverse(f"surveys_backoffice:{name}", args=args)


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def filled(*questions: dict[str, str], **more: str) -> dict[str, str]:
    """The form with these questions."""
    count = str(len(questions))
    sent = {"title": "Spring", "on_page": "on", "when": "", "questions-TOTAL_FORMS": count,
            "questions-INITIAL_FORMS": "0"}  # fmt: skip
    for number, question in enumerate(questions):
        sent |= {f"questions-{number}-{name}": value for name, value in question.items()}
    return sent | more


ASKED = ({"text": "Recommend us?", "kind": "nps", "required": "on", "ORDER": "2"},
         {"text": "Which day?", "kind": "one", "choices": "Monday\nFriday\n", "ORDER": "1"},
         {"text": "", "kind": "nps"})  # fmt: skip


def test_a_survey_is_written_asked_and_copied(manager: Client, club: Program) -> None:
    assert "Nothing asked yet" in page(manager, url("survey_list"))
    create = url("survey_create", club.code)
    assert manager.post(create, filled(*ASKED)).status_code == 302
    survey = Survey.objects.get()
    assert [(item.code, item.kind) for item in survey.questions.all()] == [
        ("which-day", "one"), ("recommend-us", "nps"),
    ]  # fmt: skip
    assert survey.questions.all()[0].choices[1] == {"code": "friday", "text": "Friday"}
    assert "Friday" in page(manager, url("survey_preview", survey.public_id))
    texts = url("survey_texts", survey.public_id) + "?language=el"
    sent = {"title": "Frühling", "q-which-day": "Welcher Tag?", "c-which-day-friday": "Freitag"}
    assert manager.post(texts, sent).status_code == 302
    german = page(manager, url("survey_preview", survey.public_id) + "?language=el")
    assert "Welcher Tag?" in german
    assert "Freitag" in german
    act = url("survey_act", survey.public_id)
    manager.post(act, {"act": "publish"})
    assert manager.post(texts, sent).status_code == 404
    edit = url("survey_edit", survey.public_id)
    assert "stay as they are" in page(manager, edit)
    assert manager.post(edit, {"on_page": "on", "thanks": "Thanks!"}).status_code == 302
    assert "Pause" in page(manager, url("survey", survey.public_id))
    manager.post(act, {"act": "pause"})
    assert "Resume" in page(manager, url("survey", survey.public_id))
    assert "stay as they are" in page(manager, edit)
    manager.post(act, {"act": "resume"})
    assert Survey.objects.get().state == "live"
    copied = manager.post(act, {"act": "copy"})
    assert Survey.objects.get(state="draft").texts["el"]["title"] == "Frühling"
    assert "Freitag" not in page(manager, copied["Location"])
    manager.post(act, {"act": "end"})
    survey.refresh_from_db()
    assert (survey.state, survey.thanks) == ("ended", "Thanks!")
    assert manager.get(edit).status_code == 404


def test_what_is_wrong_is_said_at_its_place(manager: Client, club: Program) -> None:
    create = url("survey_create", club.code)
    lonely = {"text": "Which?", "kind": "many", "choices": "Only one", "ORDER": "1"}
    answer = manager.post(create, filled(lonely, title=""))
    assert answer.status_code == 422
    assert "Give 2 to 20 different lines." in answer.content.decode()
    answer = manager.post(create, filled(opens_at="2026-03-02T10:00", closes_at="2026-03-01T10:00"))
    assert answer.status_code == 422
    assert answer.context["form"].errors["closes_at"] == ["It has to close later than it opens."]
    live = make_survey(club, code="live", opens_at=timezone.now() - timedelta(days=1))
    answer = manager.post(url("survey_edit", live.public_id), {"closes_at": "2026-03-01T10:00"})
    assert answer.status_code == 422
    assert answer.context["form"].errors["closes_at"] == ["It has to close later than it opens."]
    live.refresh_from_db()
    assert live.closes_at is None
    empty = make_survey(club, live=False, questions=[])
    manager.post(url("survey_act", empty.public_id), {"act": "publish"})
    empty.refresh_from_db()
    assert empty.state == "draft"


def test_a_question_can_be_changed_moved_and_left_out(manager: Client, club: Program) -> None:
    survey = make_survey(club, live=False)
    rows = [
        {"code": "wish", "text": "More of what?", "kind": "many", "choices": "Cake\nBread\nTea",
         "ORDER": "1"},
        {"code": "recommend", "text": "Really?", "kind": "nps", "ORDER": "2"},
        {"code": "words", "text": "What else?", "kind": "text", "ORDER": "3", "DELETE": "on"},
    ]  # fmt: skip
    sent = filled(*rows) | {"questions-INITIAL_FORMS": "3"}
    assert manager.post(url("survey_edit", survey.public_id), sent).status_code == 302
    wish, recommend = Survey.objects.get().questions.all()
    assert [choice["code"] for choice in wish.choices] == ["cake", "bread", "tea"]
    assert wish.texts["el"]["choices"]["cake"] == "Kuchen"
    assert recommend.text == "Really?"


def test_results_are_read_and_taken_away_without_names(
    manager: Client, agent: Client, club: Program
) -> None:
    survey = make_survey(club)
    for number, score in enumerate((10, 9, 2)):
        member = make_member(0, f"c{number}", club)
        reply(survey, member, score, wish=["bread"], words=["=1+1 the queue"], stars=["4"])
    shown = page(agent, url("survey", survey.public_id))
    assert "+33" in shown
    assert "4 of 5" in shown
    assert "queue · 3" in shown
    words = url("survey_words", survey.public_id, "words")
    assert page(agent, words).count("the queue") == 3
    assert agent.get(url("survey_words", survey.public_id, "wish")).status_code == 404
    file = agent.get(url("survey_export", survey.public_id))
    lines = b"".join(file.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[0] == "day,way,language,tier,recommend,stars,wish,words"
    assert lines[1].endswith(",page,en,,10,4,bread,'=1+1 the queue")
    assert "c0" not in "".join(lines[1:])
    answer = SurveyAnswer.objects.filter(question__code="words").first()
    assert answer is not None
    remove = url("survey_word_remove", survey.public_id, answer.pk)
    assert agent.post(remove).status_code == 403
    manager.post(remove)
    assert page(agent, words).count("the queue") == 2


def test_a_text_that_is_taken_away_is_in_no_figures_that_were_kept_with_it(
    manager: Client, club: Program
) -> None:
    survey = make_survey(club)
    for number in range(2):
        reply(survey, make_member(0, f"c{number}", club), 9, words=["Fie on Bob"])
    work_out(SURVEY_RESULT, {"survey": survey.pk, "removed": 0}, None)
    shown = url("survey", survey.public_id)
    assert "bob · 2" in page(manager, shown)
    answer = SurveyAnswer.objects.filter(question__code="words").first()
    assert answer is not None
    manager.post(url("survey_word_remove", survey.public_id, answer.pk))
    assert "bob ·" not in page(manager, shown)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_screens_are_accessible(
    sign_in: Callable[[str], Any], assert_no_axe_violations: Callable[[Any], None], club: Program
) -> None:
    survey = make_survey(club)
    for number in range(3):
        reply(survey, make_member(0, f"c{number}", club), 9, words=["Bread"], wish=["cake"])
    draft = make_survey(club, code="draft", live=False)
    browser = sign_in("marketing_manager")
    for address in (
        url("survey_list"), url("survey", survey.public_id), url("survey_edit", draft.public_id),
        url("survey_preview", draft.public_id), url("survey_words", survey.public_id, "words"),
    ):  # fmt: skip
        browser.goto(address)
        assert_no_axe_violations(browser)
