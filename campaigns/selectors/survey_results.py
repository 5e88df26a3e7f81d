"""What was answered: figures for each question, over time, by tier and by segment."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from campaigns.models import Survey, SurveyAnswer, SurveyQuestion, SurveyResponse
from loyalty.selectors.tier_sets import tier_set_at
from members.models import Segment, SegmentMember

Kind = SurveyQuestion.Kind
MOST_WORDS = 30
MOST_POINTS = 60
_WORD = re.compile(r"[^\W\d_]{3,}(?:['’][^\W\d_]+)?")
# They say nothing by themselves.
_FILLERS = """
    the and for with that this was were are but not you your our have has had they them from it's
    its all can could would more very just too than then there what when which who also into out
    about been will some any how die der das und ich ist sie wir mit auf für les des est une que
    pas los las una por con del para
"""
_SMALL = frozenset(_FILLERS.split())


@dataclass(frozen=True, slots=True)
class Score:
    """What a scale came to: NPS from −100 to 100, or the mean of 1 to 5. None: nobody answered."""

    count: int
    value: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """Those of a tier or a segment."""

    name: str
    score: Score


@dataclass(frozen=True, slots=True)
class Share:
    """An answer that could be given, and how many gave it."""

    code: str
    text: str
    count: int
    percent: int


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """`shares`: of choices and scales; `trend`: a score for each day, week or month; `words`: the
    ones that are in most texts."""

    question: SurveyQuestion
    answered: int
    score: Score | None = None
    shares: Sequence[Share] = ()
    trend: Sequence[tuple[dt.date, Score]] = ()
    tiers: Sequence[Group] = ()
    segments: Sequence[Group] = ()
    words: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True, slots=True)
class Results:
    answered: int
    members: int
    unrewarded: int
    questions: Sequence[QuestionResult] = field(default=())


def results_of(survey: Survey) -> Results:
    """A constant number of queries for each question."""
    responses = SurveyResponse.objects.filter(survey=survey)
    segments = _segments(responses)
    return Results(
        answered=responses.count(),
        members=responses.filter(membership__isnull=False).count(),
        unrewarded=responses.exclude(unrewarded="").count(),
        questions=[_result(survey, item, segments) for item in survey.questions.all()],
    )


def score_of(kind: str, numbers: Sequence[int]) -> Score:
    """NPS: the share of 9 and 10 less that of 0 to 6, in points; else the mean."""
    if not numbers:
        return Score(0, None)
    if kind == Kind.NPS:
        promoters = sum(number >= 9 for number in numbers)
        detractors = sum(number <= 6 for number in numbers)
        return Score(len(numbers), round((promoters - detractors) * 100 / len(numbers), 1))
    return Score(len(numbers), round(sum(numbers) / len(numbers), 2))


def texts_of(question: SurveyQuestion) -> QuerySet[SurveyAnswer]:
    """What was written, newest first."""
    found = SurveyAnswer.objects.filter(question=question).exclude(text="")
    return found.select_related("response__membership__customer").order_by(
        "-response__answered_at", "-pk"
    )


def frequent_words(texts: Iterable[str]) -> list[tuple[str, int]]:
    """Each word counts once for a text, so that nobody weighs more by repeating it."""
    counted: Counter[str] = Counter()
    for text in texts:
        counted.update(set(_WORD.findall(text.lower())) - _SMALL)
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return [item for item in ranked if item[1] > 1][:MOST_WORDS]


def _result(
    survey: Survey, question: SurveyQuestion, segments: dict[str, set[int]]
) -> QuestionResult:
    answers = SurveyAnswer.objects.filter(question=question)
    if question.kind == Kind.TEXT:
        texts = list(answers.exclude(text="").values_list("text", flat=True))
        return QuestionResult(question, len(texts), words=frequent_words(texts))
    if question.kind in SurveyQuestion.CHOSEN:
        return _chosen(question, list(answers.values_list("chosen", flat=True)))
    rows = list(
        answers.values_list(
            "number", "response__answered_at", "response__tier", "response__membership__customer",
            "response__membership",
        )
    )  # fmt: skip
    return _scaled(survey, question, rows, segments)


def _chosen(question: SurveyQuestion, chosen: Sequence[list[str]]) -> QuestionResult:
    counted = Counter(code for codes in chosen for code in codes)
    shares = [
        Share(item["code"], item["text"], counted[item["code"]],
              _percent(counted[item["code"]], len(chosen)))
        for item in question.choices
    ]  # fmt: skip
    return QuestionResult(question, len(chosen), shares=shares)


Row = tuple[int | None, dt.datetime, str, int | None, int | None]


def _scaled(
    survey: Survey, question: SurveyQuestion, rows: Sequence[Row], segments: dict[str, set[int]]
) -> QuestionResult:
    kind, numbers = question.kind, [row[0] or 0 for row in rows]
    counted, names = Counter(numbers), _tier_names(survey)
    tiers: defaultdict[str, list[int]] = defaultdict(list)
    for number, _at, tier, _customer, member in rows:
        if member is not None:
            tiers[tier].append(number or 0)
    inside = [
        Group(name, score_of(kind, [row[0] or 0 for row in rows if row[3] in people]))
        for name, people in segments.items()
    ]
    return QuestionResult(
        question, len(rows), score_of(kind, numbers),
        shares=[
            Share(str(n), str(n), counted[n], _percent(counted[n], len(rows)))
            for n in SurveyQuestion.SCALES[Kind(kind)]
        ],
        trend=_trend(survey, kind, rows),
        tiers=[
            Group(names.get(tier) or tier or _("Without a tier"), score_of(kind, found))
            for tier, found in sorted(tiers.items(), key=lambda item: _place(names, item[0]))
        ] if set(tiers) - {""} else [],
        segments=[group for group in inside if group.score.count],
    )  # fmt: skip


def _trend(survey: Survey, kind: str, rows: Sequence[Row]) -> list[tuple[dt.date, Score]]:
    """By day, by week, or by month where it would be too many points."""
    zone = survey.program.zone
    days = [(at.astimezone(zone).date(), number or 0) for number, at, *_others in rows]
    if not days:
        return []
    length = (max(days)[0] - min(days)[0]).days
    found: defaultdict[dt.date, list[int]] = defaultdict(list)
    for day, number in days:
        if length > 7 * MOST_POINTS:
            found[day.replace(day=1)].append(number)
        elif length > 21:
            found[day - dt.timedelta(days=day.weekday())].append(number)
        else:
            found[day].append(number)
    return [(day, score_of(kind, numbers)) for day, numbers in sorted(found.items())]


def _tier_names(survey: Survey) -> dict[str, str]:
    tiers = tier_set_at(survey.program, survey.ended_at or dt.datetime.now(dt.UTC))
    return {tier.code: tier.name for tier in tiers.tiers.all()} if tiers else {}


def _place(names: dict[str, str], tier: str) -> int:
    return list(names).index(tier) if tier in names else -1


def _segments(responses: QuerySet[SurveyResponse]) -> dict[str, set[int]]:
    """Who of those that answered is in which segment today, by its name."""
    people = responses.filter(membership__isnull=False).values("membership__customer")
    found: dict[str, set[int]] = {}
    names = dict(Segment.objects.filter(archived_at=None).values_list("pk", "name"))
    rows = SegmentMember.objects.filter(segment__in=list(names), customer__in=people)
    for segment, customer in rows.values_list("segment", "customer"):
        found.setdefault(names[segment], set()).add(customer)
    return dict(sorted(found.items()))


def _percent(part: int, whole: int) -> int:
    return round(part * 100 / whole) if whole else 0
