"""The demonstration's surveys: one that is being asked, with what people answered; one that is
over; and one that waits to be asked."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

from django.conf import settings
from django.utils import timezone

from campaigns.models import Survey, SurveyAnswer, SurveyQuestion, SurveyResponse
from campaigns.services.surveys import create_survey, publish_survey
from campaigns.survey_definitions import SurveyDefinition
from loyalty.demo.parts import register_demo_part
from loyalty.models import Membership, Program
from loyalty.selectors.member_tiers import member_standings
from members.services.audit import SYSTEM

# After the rewards and messages, in the order of names.
PART = "told_surveys"
PEOPLE = 140
SPRING: dict[str, Any] = {
    "code": "your-opinion", "title": "How do you like shopping with us?",
    "intro": "Six questions, two minutes.", "thanks": "Thank you. We read every answer.",
    "texts": {"ms": {"title": "Sukakah anda membeli-belah di sini?",
                     "intro": "Enam soalan, dua minit."}},
    "by_message": True, "anonymous": True,
    "questions": [
        {"code": "recommend", "kind": "nps",
         "text": "How likely are you to recommend us to a friend?",
         "texts": {"ms": {"text": "Adakah anda akan mengesyorkan kami kepada rakan?"}}},
        {"code": "again", "kind": "repurchase",
         "text": "How likely are you to buy from us again?"},
        {"code": "other", "kind": "other_goods", "required": False,
         "text": "How likely are you to buy things from us that you have not bought before?"},
        {"code": "choice", "kind": "satisfaction", "required": False,
         "text": "How satisfied are you with what we have to choose from?"},
        {"code": "wishes", "kind": "many", "required": False,
         "text": "What would you like more of in Harvest Club?",
         "choices": [{"code": "rewards", "text": "More rewards"},
                     {"code": "events", "text": "Tastings and events"},
                     {"code": "early", "text": "New things first"},
                     {"code": "giving", "text": "Giving to good causes"}]},
        {"code": "words", "kind": "text", "required": False, "text": "What should we do better?"},
    ],
}  # fmt: skip
NEXT: dict[str, Any] = {
    "code": "opening-hours", "title": "When should we be open?",
    "questions": [
        {"code": "day", "kind": "one", "text": "Which evening would suit you?",
         "choices": [{"code": "thursday", "text": "Thursday"}, {"code": "friday", "text": "Friday"},
                     {"code": "saturday", "text": "Saturday"}]},
    ],
}  # fmt: skip
WORDS = (
    "More kinds of bread on Saturdays, please.", "The queue at the till is too long on Fridays.",
    "I love the coffee, and the friendly people.", "A bigger choice of cheese would be lovely.",
    "Longer opening hours on Saturdays.", "Delivery to the village would help us.",
    "Friendly people, good bread. Go on like this.", "The queue. A second till would help.",
)  # fmt: skip


def register() -> None:
    """Called once, when the application is ready."""
    register_demo_part(PART, show_surveys)


def show_surveys(program: Program) -> None:
    """Made once, however often the demonstration is loaded."""
    now = timezone.now()
    if Survey.objects.filter(program=program).exists():
        return
    begun = now - dt.timedelta(days=60)
    survey = create_survey(
        program=program, definition=SurveyDefinition.model_validate(SPRING), actor=SYSTEM
    )
    publish_survey(survey=survey, actor=SYSTEM, now=begun)
    create_survey(program=program, definition=SurveyDefinition.model_validate(NEXT), actor=SYSTEM)
    _answer(survey, begun, now)


def _answer(survey: Survey, begun: dt.datetime, now: dt.datetime) -> None:
    """As people answered in the weeks since: written down as of then, which answering does not."""
    members = Membership.objects.filter(program=survey.program, status="active", merged_into=None)
    others = members.exclude(customer__email=settings.SETIA_DEMO_CUSTOMER)
    found = list(others.select_related("program", "customer").order_by("pk")[:PEOPLE])
    standings = member_standings(found, now)
    questions = {item.code: item for item in survey.questions.all()}
    chance = random.Random(11)
    span = (now - begun).total_seconds()
    for member in found:
        stands = standings.get(member.pk)
        at = begun + dt.timedelta(seconds=chance.uniform(0, span))
        response = SurveyResponse.objects.create(
            survey=survey, membership=member, via=SurveyResponse.Via.LINK, locale="en",
            tier=stands.tier.code if stands else "", answered_at=at,
        )  # fmt: skip
        # They came to like it a little better.
        later = (at - begun).total_seconds() / span
        SurveyAnswer.objects.bulk_create(_said(response, questions, chance, later))


def _said(
    response: SurveyResponse, questions: dict[str, SurveyQuestion], chance: random.Random,
    later: float,
) -> list[SurveyAnswer]:  # fmt: skip
    number = min(10, max(0, round(chance.gauss(7.6 + later, 2))))
    found = [
        SurveyAnswer(response=response, question=questions["recommend"], number=number),
        SurveyAnswer(response=response, question=questions["again"],
                     number=min(10, max(0, round(chance.gauss(8.2, 1.5))))),
        SurveyAnswer(response=response, question=questions["other"],
                     number=min(10, max(0, round(chance.gauss(5.5, 2.5))))),
        SurveyAnswer(response=response, question=questions["choice"],
                     number=min(5, max(1, round(chance.gauss(4, 1))))),
    ]  # fmt: skip
    if chance.random() < 0.8:
        codes = [choice["code"] for choice in questions["wishes"].choices]
        chosen = sorted(chance.sample(codes, chance.randint(1, 3)), key=codes.index)
        found.append(SurveyAnswer(response=response, question=questions["wishes"], chosen=chosen))
    if chance.random() < 0.35:
        words = chance.choice(WORDS)
        found.append(SurveyAnswer(response=response, question=questions["words"], text=words))
    return found
