"""Short ways to surveys. All go through the services."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from campaigns.models import Survey, SurveyResponse
from campaigns.selectors.survey_results import Score, score_from
from campaigns.services.survey_answers import Answered, answer_survey
from campaigns.services.surveys import create_survey, publish_survey
from campaigns.survey_definitions import SurveyDefinition
from loyalty.models import Membership, Program
from members.services.audit import SYSTEM

QUESTIONS: list[dict[str, Any]] = [
    {"code": "recommend", "kind": "nps", "text": "Would you recommend us?"},
    {"code": "stars", "kind": "satisfaction", "text": "How was it?", "required": False},
    {"code": "wish", "kind": "many", "text": "More of what?", "required": False,
     "choices": [{"code": "bread", "text": "Bread"}, {"code": "cake", "text": "Cake"}],
     "texts": {"el": {"text": "Wovon mehr?", "choices": {"cake": "Kuchen"}}}},
    {"code": "words", "kind": "text", "text": "What else?", "required": False},
]  # fmt: skip
# An activity that is worth 50 units.
REWARDED: dict[str, Any] = {
    "activity_types": [{"code": "survey", "name": "Survey"}],
    "earning_rules": [
        {"code": "survey", "name": "Survey", "kind": "activity", "activity": "survey", "units": 50}
    ],
}


def make_survey(program: Program, *, live: bool = True, **values: Any) -> Survey:
    said = {"code": "spring", "title": "Spring", "questions": QUESTIONS} | values
    definition = SurveyDefinition.model_validate(said)
    survey = create_survey(program=program, definition=definition, actor=SYSTEM)
    if live:
        survey = publish_survey(survey=survey, actor=SYSTEM, now=timezone.now())
    return survey


def reply(survey: Survey, member: Membership, number: int = 9, **said: Any) -> Answered:
    given = {"recommend": [str(number)]} | said
    return answer_survey(
        survey=survey, membership=member, given=given, via=SurveyResponse.Via.PAGE, locale="en",
        now=timezone.now(),
    )  # fmt: skip


def score_of(kind: str, numbers: Sequence[int]) -> Score:
    """What the numbers that were given come to."""
    return score_from(kind, Counter(numbers))
