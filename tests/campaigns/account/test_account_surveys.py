"""Members answer on their own page or by a link; nobody needs JavaScript for it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Survey, SurveyAnswer, SurveyResponse
from campaigns.services.surveys import end_survey
from campaigns.survey_links import read_survey_token, survey_path
from loyalty.models import Membership, Program
from members.services.audit import SYSTEM
from tests.campaigns.surveys import REWARDED, make_survey, reply
from tests.factories import CustomerFactory
from tests.loyalty.factories import make_program, wallet_of
from tests.rewards.factories import make_member
from tests.sharing import anew, shared
from tests.sign_ins import signed_in

pytestmark = pytest.mark.django_db
SAID = {"q-recommend": "10", "q-wish": ["bread", "cake"], "q-words": "More bread."}


made_once = shared(lambda: make_program(at=timezone.now() - dt.timedelta(days=9), **REWARDED))


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


@pytest.fixture
def ana(club: Program) -> Membership:
    CustomerFactory(external_id="ana", with_user=True)
    return make_member(0, "ana", club)


@pytest.fixture
def client_of_ana(ana: Membership) -> Client:
    return signed_in(ana.customer.user)


def own(member: Membership, survey: Survey) -> str:
    return reverse("surveys_account:survey", args=[member.public_id, survey.public_id])


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def test_a_member_is_led_to_it_and_answers_once(
    client_of_ana: Client, ana: Membership, club: Program
) -> None:
    survey = make_survey(club, activity="survey", thanks="We read it all.")
    address = own(ana, survey)
    for name in ("mypage:home", "surveys_account:surveys"):
        assert address in page(client_of_ana, reverse(name))
    assert "50 points for your answer" in page(client_of_ana, address)
    wrong = client_of_ana.post(address, {"q-words": "Only this"})
    assert wrong.status_code == 422
    assert "Please answer this." in wrong.content.decode()
    assert "Only this" in wrong.content.decode()
    assert client_of_ana.post(address, SAID).status_code == 302
    client_of_ana.post(address, SAID | {"q-recommend": "1"})
    assert SurveyAnswer.objects.get(question__code="recommend").number == 10
    thanks = page(client_of_ana, address)
    assert "We read it all." in thanks
    assert "You got 50 points for it." in thanks
    assert wallet_of(ana.account_id).balance == 50
    assert "+50 points" in page(client_of_ana, reverse("surveys_account:surveys"))


def test_what_is_not_theirs_is_not_there(
    client_of_ana: Client, ana: Membership, club: Program
) -> None:
    other = make_member(0, "other", club)
    draft = make_survey(club, code="draft", live=False)
    by_link = make_survey(club, code="by-link", on_page=False)
    live = make_survey(club, code="live")
    page(client_of_ana, own(ana, draft), 404)
    page(client_of_ana, own(ana, by_link), 404)
    page(client_of_ana, own(other, live), 404)
    assert "No questions" not in page(client_of_ana, reverse("surveys_account:surveys"))


def test_a_personal_link_needs_no_sign_in_and_opens_nothing_else(
    ana: Membership, club: Program
) -> None:
    survey = make_survey(club, activity="survey", on_page=False)
    client, address = Client(), survey_path(survey, ana)
    assert "We know that this answer is yours." in page(client, address)
    assert not SurveyResponse.objects.exists()
    assert client.post(address, {}).status_code == 422
    assert "You got 50\xa0points for it." in client.post(address, SAID).content.decode()
    assert client.post(address, SAID | {"q-recommend": "1"}).status_code == 200
    response = SurveyResponse.objects.get()
    assert (response.membership, response.via) == (ana, "link")
    assert "Thank you" in page(client, address)
    page(client, reverse("surveys:survey", args=["made-up"]), 404)
    assert read_survey_token("made-up") is None
    assert client.get(own(ana, survey)).status_code == 302


def test_the_link_for_everybody_knows_nobody(club: Program, ana: Membership) -> None:
    survey = make_survey(club, anonymous=True)
    client, address = Client(), survey_path(survey)
    assert "Nobody knows that this answer is yours." in page(client, address)
    assert client.post(address, SAID).status_code == 422
    sent = SAID | {"form": str(uuid4())}
    for _time in range(2):
        assert "Thank you" in client.post(address, sent).content.decode()
    assert SurveyResponse.objects.get().membership is None
    alone = make_survey(club, code="members")
    assert "This survey is over" in page(client, survey_path(alone))
    end_survey(survey=survey, actor=SYSTEM, now=timezone.now())
    assert "This survey is over" in page(client, address)
    late = client.post(address, sent | {"form": str(uuid4())})
    assert "This survey is over" in late.content.decode()


def test_somebody_elses_answer_by_a_merged_name_counts(club: Program, ana: Membership) -> None:
    survey = make_survey(club)
    reply(survey, ana)
    assert "Thank you" in page(Client(), survey_path(survey, ana))


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_it_is_answered_by_keyboard_on_a_phone(
    page: Any, live_server: Any, club: Program, assert_no_axe_violations: Callable[[Any], None]
) -> None:
    survey, member = make_survey(club, activity="survey"), make_member(0, "ben", club)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}{survey_path(survey, member)}")
    assert_no_axe_violations(page)
    first = page.get_by_role("group", name="Would you recommend us?").get_by_role("radio").first
    first.focus()
    for _step in range(9):
        page.keyboard.press("ArrowRight")
    page.get_by_label("Cake").press("Space")
    page.get_by_role("button", name="Send").press("Enter")
    page.get_by_role("heading", name="Thank you").wait_for()
    assert_no_axe_violations(page)
    said = SurveyAnswer.objects.order_by("question__position")
    assert [(item.number, item.chosen) for item in said] == [(9, []), (None, ["cake"])]
