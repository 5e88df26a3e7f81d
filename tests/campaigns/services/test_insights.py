"""What surveys, promotions and journeys add to the key figures of a program."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from campaigns.models import SurveyAnswer, SurveyResponse
from campaigns.selectors import campaign_results, controls, journey_results
from campaigns.selectors.opinions import measure_loyalty_index, measure_nps
from loyalty.models import Program
from tests.campaigns.campaigns import DAY, launch
from tests.campaigns.journeys import TELL, begin, live
from tests.campaigns.surveys import make_survey, reply
from tests.loyalty.factories import NOW, day, line, make_program, order, record
from tests.rewards.factories import make_member

pytestmark = pytest.mark.django_db
NOBODY = {"field": "customer.country", "op": "is", "value": "PE"}


@pytest.fixture
def club() -> Program:
    return make_program()


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


def begun(club: Program, name: str, days: int, **said: Any) -> None:
    """On since so many days, with half of the members kept aside."""
    launch(club, name=name, holdout=50, starts_at=NOW - days * DAY, at=NOW, **said)


def test_a_promotion_that_tells_something_is_found_behind_newer_ones_that_do_not(
    club: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign_results, "LEAST_EACH", 2)
    for number in range(24):
        make_member(0, f"c{number}", club)
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
    monkeypatch.setattr(campaign_results, "LEAST_EACH", 2)
    monkeypatch.setattr(controls, "SHOWN", 1)
    for number in range(24):
        make_member(0, f"c{number}", club)
    begun(club, "Older", 2)
    begun(club, "Newer", 1)
    found = controls.campaign_comparisons(club, NOW)
    assert ([item.name for item in found.found], found.too_small) == (["Newer"], 0)


def test_a_journey_is_found_behind_newer_ones_that_keep_nobody_aside(
    club: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journey_results, "LEAST_EACH", 2)
    members = [make_member(0, f"c{number}", club) for number in range(24)]
    begin(live(members[0], TELL, holdout=50), *members)
    live(members[0], TELL, holdout=50)
    for _each in range(controls.LOOKED_AT):
        live(members[0], TELL)
    found = controls.journey_comparisons(club, day(400))
    assert (len(found.found), found.too_small) == (1, 1)
