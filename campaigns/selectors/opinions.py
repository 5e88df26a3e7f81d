"""What members said of a program in surveys, as one of its key figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from django.db.models import Count

from campaigns.models import SurveyAnswer, SurveyQuestion
from loyalty.insight_sums import loyalty_index, net_promoters, share
from loyalty.models import Goal, Program
from loyalty.rules.calendar import end_of_day, start_of_day
from loyalty.selectors.goal_metrics import YEAR, measure

PROMOTER, DETRACTOR = 9, 6


def measure_nps(program: Program, day: dt.date) -> Decimal | None:
    """Of all who were asked whether they would recommend the shop, in the year up to a day."""
    return nps_of(_answers(program, day))


def measure_loyalty_index(program: Program, day: dt.date) -> Decimal | None:
    """None where nobody was asked, or nothing was bought: it is the mean of three."""
    spread = _answers(program, day)
    now = end_of_day(day, program.zone)
    parts = [
        share(_promoters(spread), sum(spread.values())),
        *(
            measure(program, metric, day, now)
            for metric in (Goal.Metric.REPEATED, Goal.Metric.SEVERAL)
            if spread
        ),
    ]
    known = [part for part in parts if part is not None]
    return loyalty_index(*known) if len(known) == 3 else None


def nps_of(spread: Mapping[int, int]) -> Decimal | None:
    """Of how often each number from 0 to 10 was given: 9 and 10 promote, 0 to 6 detract."""
    promoters, detractors = _promoters(spread), _detractors(spread)
    return net_promoters(promoters, sum(spread.values()) - promoters - detractors, detractors)


def _promoters(spread: Mapping[int, int]) -> int:
    return sum(times for number, times in spread.items() if number >= PROMOTER)


def _detractors(spread: Mapping[int, int]) -> int:
    return sum(times for number, times in spread.items() if number <= DETRACTOR)


def _answers(program: Program, day: dt.date) -> dict[int, int]:
    """How often members gave each number, so not whoever came by a link without a name; an answer
    without one is a zero, as in results."""
    since = start_of_day(day - dt.timedelta(days=YEAR - 1), program.zone)
    rows = SurveyAnswer.objects.filter(
        question__survey__program=program, question__kind=SurveyQuestion.Kind.NPS,
        response__membership__isnull=False, response__answered_at__gte=since,
        response__answered_at__lt=end_of_day(day, program.zone),
    )  # fmt: skip
    counted = rows.order_by().values_list("number").annotate(times=Count("pk"))
    return {number or 0: times for number, times in counted}
