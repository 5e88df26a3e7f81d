"""What was answered: figures for each question, over time, by tier and by segment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from campaigns.models import Survey, SurveyAnswer, SurveyQuestion, SurveyResponse
from campaigns.selectors.opinions import nps_of
from campaigns.selectors.survey_counts import QuestionCounts, Spread, counts_of
from loyalty.selectors.tier_sets import tier_set_at
from members.audit import target_of
from members.models import AuditEntry

Kind = SurveyQuestion.Kind
TEXT_REMOVED = "survey.text_removed"


@dataclass(frozen=True, slots=True)
class Score:
    """What a scale came to: NPS from −100 to 100, or the mean of 1 to 5 or 0 to 10. None: nobody
    answered."""

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
    """Counted by the database, in as many queries whoever answered and whatever is asked."""
    responses = SurveyResponse.objects.filter(survey=survey).aggregate(
        answered=Count("pk"),
        members=Count("pk", filter=Q(membership__isnull=False)),
        unrewarded=Count("pk", filter=~Q(unrewarded="")),
    )
    counted, names = counts_of(survey), _tier_names(survey)
    nothing = QuestionCounts()
    return Results(
        **responses,
        questions=[
            _result(item, counted.get(item.pk, nothing), names) for item in survey.questions.all()
        ],
    )


def score_from(kind: str, spread: Mapping[int, int]) -> Score:
    """Of how often each number was given. NPS: the share of 9 and 10 less that of 0 to 6, in
    points; else the mean."""
    count = sum(spread.values())
    if not count:
        return Score(0, None)
    if kind == Kind.NPS:
        return Score(count, round(float(nps_of(spread) or 0), 1))
    return Score(count, round(sum(number * times for number, times in spread.items()) / count, 2))


def count_removed(survey: Survey) -> int:
    """How many texts were taken out of its answers, as the log of changes says: answers themselves
    are too many to look at before their figures."""
    entries = AuditEntry.objects.filter(target=target_of(survey), action=TEXT_REMOVED)
    return entries.count()


def texts_of(question: SurveyQuestion) -> QuerySet[SurveyAnswer]:
    """What was written, newest first."""
    found = SurveyAnswer.objects.filter(question=question).exclude(text="")
    return found.select_related("response__membership__customer").order_by(
        "-response__answered_at", "-pk"
    )


def _result(
    question: SurveyQuestion, counts: QuestionCounts, names: dict[str, str]
) -> QuestionResult:
    if question.kind == Kind.TEXT:
        return QuestionResult(question, counts.texts, words=counts.words)
    if question.kind in SurveyQuestion.CHOSEN:
        return _chosen(question, counts)
    return _scaled(question, counts, names)


def _chosen(question: SurveyQuestion, counts: QuestionCounts) -> QuestionResult:
    shares = []
    for item in question.choices:
        times = counts.chosen.get(item["code"], 0)
        shares.append(Share(item["code"], item["text"], times, _percent(times, counts.answered)))
    return QuestionResult(question, counts.answered, shares=shares)


def _scaled(
    question: SurveyQuestion, counts: QuestionCounts, names: dict[str, str]
) -> QuestionResult:
    kind, whole = question.kind, counts.answered
    return QuestionResult(
        question, whole, score_from(kind, counts.spread),
        shares=[
            Share(str(n), str(n), counts.spread.get(n, 0),
                  _percent(counts.spread.get(n, 0), whole))
            for n in SurveyQuestion.SCALES[Kind(kind)]
        ],
        trend=[(day, score_from(kind, spread)) for day, spread in sorted(counts.trend.items())],
        tiers=_tiers(kind, counts.tiers, names),
        segments=[
            Group(name, score_from(kind, spread))
            for name, spread in sorted(counts.segments.items())
        ],
    )  # fmt: skip


def _tiers(kind: str, tiers: Mapping[str, Spread], names: dict[str, str]) -> list[Group]:
    """In the order of the tiers; nothing where nobody had one."""
    if not set(tiers) - {""}:
        return []
    return [
        Group(names.get(tier) or tier or _("Without a tier"), score_from(kind, spread))
        for tier, spread in sorted(tiers.items(), key=lambda item: _place(names, item[0]))
    ]


def _tier_names(survey: Survey) -> dict[str, str]:
    tiers = tier_set_at(survey.program, survey.ended_at or dt.datetime.now(dt.UTC))
    return {tier.code: tier.name for tier in tiers.tiers.all()} if tiers else {}


def _place(names: dict[str, str], tier: str) -> int:
    return list(names).index(tier) if tier in names else -1


def _percent(part: int, whole: int) -> int:
    return round(part * 100 / whole) if whole else 0
