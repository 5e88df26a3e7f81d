"""Results of surveys are counted by the database: the same as reading every answer one by one."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections import Counter, defaultdict
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.models import Survey, SurveyAnswer, SurveyResponse
from campaigns.selectors.survey_counts import _SMALL
from campaigns.selectors.survey_results import QuestionResult, results_of
from loyalty.models import Membership, Program
from members.models import Segment, SegmentMember
from tests.campaigns.surveys import QUESTIONS, make_survey, score_of
from tests.loyalty.factories import enroll_all, make_program

pytestmark = pytest.mark.django_db
ZONE = "America/New_York"
TEXTS = (
    "The bread, the BREAD!", "More Brötchen und queues", "queues", "it's the don't and Don’t",
    "ΚΑΛΗΜΕΡΑ καλημερα 123 ab", "bread_and_cake", "",
)  # fmt: skip


@pytest.fixture
def club() -> Program:
    return make_program(time_zone=ZONE)


def fill(survey: Survey, members: list[Membership], days: int, chance: random.Random) -> None:
    """Answers of many days, some without a name, some to a part of the questions."""
    questions = {item.code: item for item in survey.questions.all()}
    begun = timezone.now() - dt.timedelta(days=days)
    for member in [*members, *[None] * 5]:
        response = SurveyResponse.objects.create(
            survey=survey, membership=member, via="link" if member else "anonymous",
            form=None if member else uuid4(), locale="en",
            tier=chance.choice(["", "gold", "silver"]) if member else "",
            answered_at=begun + dt.timedelta(days=chance.uniform(0, days)),
        )  # fmt: skip
        said: list[dict[str, Any]] = [
            {"question": questions["recommend"], "number": chance.randint(0, 10)}
        ]
        if chance.random() < 0.7:
            said.append({"question": questions["stars"], "number": chance.randint(1, 5)})
        if chance.random() < 0.7:
            wishes = chance.sample(["bread", "cake"], chance.randint(1, 2))
            said.append({"question": questions["wish"], "chosen": wishes})
        if text := chance.choice(TEXTS):
            said.append({"question": questions["words"], "text": text})
        SurveyAnswer.objects.bulk_create(SurveyAnswer(response=response, **one) for one in said)


def spread_over(rows: list[SurveyAnswer], days: list[dt.date]) -> list[dt.date]:
    length = (max(days) - min(days)).days
    if length > 420:
        return [day.replace(day=1) for day in days]
    return [day - dt.timedelta(days=day.weekday()) for day in days] if length > 21 else days


def read_one_by_one(found: QuestionResult) -> None:
    """Compares a result of numbers with all answers, read and counted here."""
    kind = found.question.kind
    rows = list(
        SurveyAnswer.objects.filter(question=found.question).select_related("response__membership")
    )
    numbers = [row.number or 0 for row in rows]
    assert (found.answered, found.score) == (len(rows), score_of(kind, numbers))
    assert [share.count for share in found.shares] == [
        Counter(numbers)[int(share.code)] for share in found.shares
    ]
    days = [row.response.answered_at.astimezone(ZoneInfo(ZONE)).date() for row in rows]
    periods: defaultdict[dt.date, list[int]] = defaultdict(list)
    tiers: defaultdict[str, list[int]] = defaultdict(list)
    people: defaultdict[str, list[int]] = defaultdict(list)
    for row, period in zip(rows, spread_over(rows, days), strict=True):
        periods[period].append(row.number or 0)
        if member := row.response.membership:
            tiers[row.response.tier or "Without a tier"].append(row.number or 0)
            inside = SegmentMember.objects.filter(customer=member.customer_id)
            for name in set(inside.filter(segment__archived_at=None).values_list(
                "segment__name", flat=True
            )):  # fmt: skip
                people[name].append(row.number or 0)
    assert dict(found.trend) == {day: score_of(kind, said) for day, said in periods.items()}
    assert [day for day, _score in found.trend] == sorted(periods)
    assert {group.name: group.score for group in found.tiers} == {
        name: score_of(kind, said) for name, said in tiers.items()
    }
    assert [(group.name, group.score) for group in found.segments] == [
        (name, score_of(kind, said)) for name, said in sorted(people.items())
    ]


@pytest.mark.parametrize("days", [10, 200, 700])
def test_the_same_figures_as_by_reading_every_answer(club: Program, days: int) -> None:
    chance, survey = random.Random(days), make_survey(club)
    members = enroll_all(club, (f"c{number}" for number in range(40)))
    fill(survey, members, days, chance)
    fill(make_survey(club, code="other"), members[:5], days, chance)
    now = timezone.now()
    for name, archived in (("A", None), ("B", None), ("Gone", now)):
        segment = Segment.objects.create(
            name=name, code=name.lower(), kind="static", archived_at=archived
        )
        for member in chance.sample(members, 15):
            SegmentMember.objects.create(segment=segment, customer=member.customer, since=now)
    results = results_of(survey)
    assert (results.answered, results.members) == (45, 40)
    recommend, stars, wish, words = results.questions
    read_one_by_one(recommend)
    read_one_by_one(stars)
    chosen = list(
        SurveyAnswer.objects.filter(question=wish.question).values_list("chosen", flat=True)
    )
    assert wish.answered == len(chosen)
    assert [(share.code, share.count) for share in wish.shares] == [
        (code, sum(code in one for one in chosen)) for code in ("bread", "cake")
    ]
    texts = SurveyAnswer.objects.filter(question=words.question).values_list("text", flat=True)
    counted: Counter[str] = Counter()
    for text in texts:
        found = re.findall(r"[^\W\d_]{3,}(?:['’][^\W\d_]+)?", text.lower())
        counted.update(set(found) - set(_SMALL))
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    assert words.answered == len(texts)
    assert words.words == [item for item in ranked if item[1] > 1]
    assert words.words


def test_it_costs_the_same_however_many_answered_and_whatever_is_asked(club: Program) -> None:
    more = [{**QUESTIONS[0], "code": f"q{number}"} for number in range(6)]
    few = make_survey(club, code="few")
    many = make_survey(club, code="many", questions=[*QUESTIONS, *more])
    fill(many, enroll_all(club, (f"c{number}" for number in range(12))), 30, random.Random(1))
    costs = []
    for code in (few.code, many.code):
        survey = Survey.objects.select_related("program").get(code=code)
        with CaptureQueriesContext(connection) as queries:
            results_of(survey)
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 9
