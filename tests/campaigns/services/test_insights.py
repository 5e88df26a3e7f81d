"""What surveys, promotions and journeys add to the key figures of a program."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from campaigns import comparisons
from campaigns.models import Delivery, Message, SurveyAnswer, SurveyResponse
from campaigns.selectors import controls
from campaigns.selectors.opinions import measure_loyalty_index, measure_nps
from loyalty.models import Program
from loyalty.selectors.insights import Overview, get_overview
from loyalty.services.insight_points import rebuild_points
from tests.campaigns.campaigns import DAY, launch
from tests.campaigns.journeys import TELL, begin, live
from tests.campaigns.surveys import make_survey, reply
from tests.loyalty.factories import NOW, day, enroll_all, line, make_program, order, record
from tests.rewards.factories import make_member
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db
NOBODY = {"field": "customer.country", "op": "is", "value": "PE"}


made_once = shared(make_program)


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


def today(club: Program) -> dt.date:
    return timezone.now().astimezone(club.zone).date()


def test_only_answers_of_members_are_told_of_a_program(club: Program) -> None:
    survey = make_survey(club, anonymous=True)
    reply(survey, make_member(0, "c1", club), 10)
    buys = [line(1, "5", category="Tea"), line(2, "5", category="Cups")]
    for number in ("A1", "A2"):
        record(order(number, "10", at=timezone.now(), buyer="c1", lines=buys))
    for _each in range(3):
        response = SurveyResponse.objects.create(
            survey=survey, membership=None, via="anonymous", form=uuid4(), locale="en",
            answered_at=timezone.now(),
        )  # fmt: skip
        SurveyAnswer.objects.create(
            response=response, question=survey.questions.get(code="recommend"), number=0
        )
    assert measure_nps(club, today(club)) == 100
    assert measure_loyalty_index(club, today(club)) == 100


LIKELY = [
    {"code": "recommend", "kind": "nps", "text": "Would you recommend us?"},
    {"code": "again", "kind": "repurchase", "text": "Would you buy again?"},
    {"code": "other", "kind": "other_goods", "text": "Would you buy other things?",
     "required": False},
]  # fmt: skip


def overview_of(club: Program) -> Overview:
    """As the night of tomorrow leaves it."""
    tomorrow = timezone.now() + dt.timedelta(days=1)
    rebuild_points([club], tomorrow)
    return get_overview(club, tomorrow)


def test_the_loyalty_index_is_of_what_members_were_asked_and_names_what_they_were_not(
    club: Program,
) -> None:
    survey = make_survey(club, questions=LIKELY)
    reply(survey, make_member(0, "c1", club), 10, again=["5"])
    reply(survey, make_member(0, "c2", club), 6, again=["7"])
    found = overview_of(club)
    assert {item.metric.code: item.value for item in found.loyalty} == {
        "loyalty_recommend": 80, "loyalty_repurchase": 60, "loyalty_other_goods": None,
    }  # fmt: skip
    index = next(item for item in found.figures if item.metric.code == "loyalty_index")
    assert index.value == 70
    reply(survey, make_member(0, "c3", club), 8, again=["6"], other=["1"])
    found = overview_of(club)
    index = next(item for item in found.figures if item.metric.code == "loyalty_index")
    assert index.value == (80 + 60 + 10) / 3


def test_touchpoints_of_campaigns_count_members_of_the_program(club: Program) -> None:
    member = make_member(0, "c1", club)
    make_member(0, "c2", club)
    reply(make_survey(club), member, 9)
    message = Message.objects.create(
        customer=member.customer, membership=member, occasion="welcome", occurrence="1",
        topic="account", locale="en", created_at=timezone.now(),
    )  # fmt: skip
    Delivery.objects.create(
        message=message, channel="email", state="sent", priority=1,
        available_at=timezone.now(), handed_over_at=timezone.now(), sent_at=timezone.now(),
        counts_opens=True, counts_clicks=True, opened_at=timezone.now(),
        clicked_at=timezone.now(),
    )  # fmt: skip
    found = {item.metric.code: item.value for item in overview_of(club).touchpoints}
    assert {code: int(value or 0) for code, value in found.items()} == {
        "touch_orders": 0, "touch_spent": 0, "touch_activities": 0, "touch_opened": 1,
        "touch_clicked": 1, "touch_challenges": 0, "touch_games": 0, "touch_referrals": 0,
        "touch_surveys": 1,
    }  # fmt: skip


def begun(club: Program, name: str, days: int, **said: Any) -> None:
    """On since so many days, with half of the members kept aside."""
    launch(club, name=name, holdout=50, starts_at=NOW - days * DAY, at=NOW, **said)


def test_a_promotion_that_tells_something_is_found_behind_newer_ones_that_do_not(
    club: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparisons, "LEAST_EACH", 2)
    enroll_all(club, (f"c{number}" for number in range(24)))
    assert controls.campaign_comparisons(club, NOW).too_small == 0
    begun(club, "Told", 2)
    for number in range(7):
        begun(club, f"Empty {number}", 1, audience=NOBODY)
    found = controls.campaign_comparisons(club, NOW)
    assert ([item.name for item in found.found], found.too_small) == (["Told"], 7)
    monkeypatch.setattr(controls, "LOOKED_AT", 7)
    assert controls.campaign_comparisons(club, NOW).found == []


def test_no_more_are_looked_at_once_enough_are_found(
    club: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparisons, "LEAST_EACH", 2)
    monkeypatch.setattr(controls, "SHOWN", 1)
    enroll_all(club, (f"c{number}" for number in range(24)))
    begun(club, "Older", 2)
    begun(club, "Newer", 1)
    found = controls.campaign_comparisons(club, NOW)
    assert ([item.name for item in found.found], found.too_small) == (["Newer"], 0)


def test_a_journey_is_found_behind_newer_ones_that_keep_nobody_aside(
    club: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparisons, "LEAST_EACH", 2)
    members = enroll_all(club, (f"c{number}" for number in range(24)))
    begin(live(members[0], TELL, holdout=50), *members)
    live(members[0], TELL, holdout=50)
    for _each in range(controls.LOOKED_AT):
        live(members[0], TELL)
    found = controls.journey_comparisons(club, day(400))
    assert (len(found.found), found.too_small) == (1, 1)
