"""Answers of a survey counted by the database: one query for each kind of figure, however many
answered and however many questions there are."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from campaigns.models import Survey, SurveyQuestion

# How often each number was given.
Spread = dict[int, int]
# More points than that are brought together by the month; more than three weeks, by the week.
MOST_POINTS = 60
MOST_WORDS = 30
# They say nothing by themselves.
_FILLERS = """
    the and for with that this was were are but not you your our have has had they them from it's
    its all can could would more very just too than then there what when which who also into out
    about been will some any how die der das und ich ist sie wir mit auf für les des est une que
    pas los las una por con del para
"""
_SMALL = _FILLERS.split()
_ANSWERS = """
      FROM campaigns_surveyanswer a
      JOIN campaigns_surveyquestion q ON q.id = a.question_id AND q.survey_id = %(survey)s
"""
_ANSWERED = f"""
    SELECT a.question_id, count(*), count(*) FILTER (WHERE a.text <> '') {_ANSWERS}
     GROUP BY a.question_id
"""
_CHOSEN = f"""
    SELECT a.question_id, choice, count(*) {_ANSWERS}
     CROSS JOIN LATERAL unnest(a.chosen) choice
     GROUP BY a.question_id, choice
"""
# In all, by the tier that members had, and by the day, week or month.
_SCALED = f"""
    WITH said AS (
        SELECT a.question_id, coalesce(a.number, 0) AS number,
               r.membership_id IS NOT NULL AS is_member, r.tier,
               (r.answered_at AT TIME ZONE %(zone)s)::date AS day
               {_ANSWERS} AND q.kind = ANY(%(scales)s)
          JOIN campaigns_surveyresponse r ON r.id = a.response_id
    ), timed AS (
        SELECT *, max(day) OVER w - min(day) OVER w AS length
          FROM said WINDOW w AS (PARTITION BY question_id)
    ), placed AS (
        SELECT question_id, number, CASE WHEN is_member THEN tier END AS tier,
               CASE WHEN length > 7 * %(points)s THEN date_trunc('month', day::timestamp)::date
                    WHEN length > 21 THEN date_trunc('week', day::timestamp)::date
                    ELSE day END AS period
          FROM timed
    )
    SELECT question_id, GROUPING(tier, period), tier, period, number, count(*) FROM placed
     GROUP BY GROUPING SETS
           ((question_id, number), (question_id, tier, number), (question_id, period, number))
"""
# In the segments that people are in today; those of one name are one.
_SEGMENTS = f"""
    SELECT a.question_id, s.name, coalesce(a.number, 0), count(*) {_ANSWERS}
       AND q.kind = ANY(%(scales)s)
      JOIN campaigns_surveyresponse r ON r.id = a.response_id
      JOIN loyalty_membership m ON m.id = r.membership_id
      JOIN (SELECT DISTINCT s.name, i.customer_id FROM members_segment s
              JOIN members_segmentmember i ON i.segment_id = s.id
             WHERE s.archived_at IS NULL) s ON s.customer_id = m.customer_id
     GROUP BY a.question_id, s.name, coalesce(a.number, 0)
"""
# Each word counts once for a text, so that nobody weighs more by repeating it.
_WORDS = f"""
    SELECT question_id, word, texts
      FROM (SELECT question_id, word, count(*) AS texts,
                   row_number() OVER (PARTITION BY question_id
                                          ORDER BY count(*) DESC, word COLLATE "C") AS place
              FROM (SELECT DISTINCT a.question_id, a.id, found[1] AS word {_ANSWERS}
                     CROSS JOIN LATERAL regexp_matches(
                           lower(a.text), '[[:alpha:]]{{3,}}(?:[''’][[:alpha:]]+)?', 'g') found
                     WHERE a.text <> '') words
             WHERE word <> ALL(%(small)s)
             GROUP BY question_id, word
            HAVING count(*) > 1) ranked
     WHERE place <= %(most)s
     ORDER BY question_id, place
"""


@dataclass(frozen=True, slots=True)
class QuestionCounts:
    """What was counted of one question. `answered`: all; `texts`: those that wrote something."""

    answered: int = 0
    texts: int = 0
    chosen: dict[str, int] = field(default_factory=dict)
    spread: Spread = field(default_factory=dict)
    tiers: dict[str, Spread] = field(default_factory=dict)
    trend: dict[dt.date, Spread] = field(default_factory=dict)
    segments: dict[str, Spread] = field(default_factory=dict)
    words: list[tuple[str, int]] = field(default_factory=list)


def counts_of(survey: Survey) -> Mapping[int, QuestionCounts]:
    """By question. Five queries."""
    asked = {
        "survey": survey.pk, "zone": survey.program.time_zone, "points": MOST_POINTS,
        "scales": [str(kind) for kind in SurveyQuestion.SCALES], "small": _SMALL,
        "most": MOST_WORDS,
    }  # fmt: skip
    found: defaultdict[int, QuestionCounts] = defaultdict(QuestionCounts)
    for question, answered, texts in _rows(_ANSWERED, asked):
        found[question] = QuestionCounts(answered, texts)
    for question, code, count in _rows(_CHOSEN, asked):
        found[question].chosen[code] = count
    for question, bits, tier, period, number, count in _rows(_SCALED, asked):
        _place(found[question], bits, tier, period)[number] = count
    for question, name, number, count in _rows(_SEGMENTS, asked):
        found[question].segments.setdefault(name, {})[number] = count
    for question, word, texts in _rows(_WORDS, asked):
        found[question].words.append((word, texts))
    return found


def _place(counts: QuestionCounts, bits: int, tier: str | None, period: dt.date) -> Spread:
    """Where a number is counted; which grouping a row is of, its bits say."""
    if bits == 0b11:
        return counts.spread
    if bits == 0b10:
        return counts.trend.setdefault(period, {})
    # Nobody knows the tier of who answered without a name.
    return counts.tiers.setdefault(tier, {}) if tier is not None else {}


def _rows(sql: str, asked: dict[str, Any]) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, asked)
        rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
        return rows
