"""What members said of a program in surveys, as its key figures tell it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from django.db.models import Count

from campaigns.models import SurveyAnswer, SurveyQuestion
from loyalty.insight_sums import likelihood, loyalty_index, net_promoters
from loyalty.models import Program
from loyalty.rules.calendar import end_of_day, start_of_day
from loyalty.selectors.goal_metrics import YEAR

PROMOTER, DETRACTOR = 9, 6
Kind = SurveyQuestion.Kind
# The parts of the loyalty index, in their order.
PARTS = (Kind.NPS, Kind.REPURCHASE, Kind.OTHER_GOODS)


def measure_nps(program: Program, day: dt.date) -> Decimal | None:
    """Of all who were asked whether they would recommend the shop, in the year up to a day."""
    return nps_of(_answers(program, Kind.NPS, day))


def measure_likelihood(kind: Kind, program: Program, day: dt.date) -> Decimal | None:
    """One part of the loyalty index. None: nobody was asked."""
    return likelihood(_answers(program, kind, day))


def measure_loyalty_index(program: Program, day: dt.date) -> Decimal | None:
    """Of the parts that members were asked about."""
    return loyalty_index(*(measure_likelihood(kind, program, day) for kind in PARTS))


def nps_of(spread: Mapping[int, int]) -> Decimal | None:
    """Of how often each number from 0 to 10 was given: 9 and 10 promote, 0 to 6 detract."""
    promoters = sum(times for number, times in spread.items() if number >= PROMOTER)
    detractors = sum(times for number, times in spread.items() if number <= DETRACTOR)
    return net_promoters(promoters, sum(spread.values()) - promoters - detractors, detractors)


def _answers(program: Program, kind: Kind, day: dt.date) -> dict[int, int]:
    """How often members gave each number, so not whoever came by a link without a name; an answer
    without one is a zero, as in results."""
    since = start_of_day(day - dt.timedelta(days=YEAR - 1), program.zone)
    rows = SurveyAnswer.objects.filter(
        question__survey__program=program, question__kind=kind,
        response__membership__isnull=False, response__answered_at__gte=since,
        response__answered_at__lt=end_of_day(day, program.zone),
    )  # fmt: skip
    counted = rows.order_by().values_list("number").annotate(times=Count("pk"))
    return {number or 0: times for number, times in counted}
