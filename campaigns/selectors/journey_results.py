"""What a journey brought: whoever was led through it against whoever was kept aside."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection
from django.db.models import BigIntegerField, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from campaigns.comparisons import compare, led_and_aside
from campaigns.models import Journey, JourneyTally, Passage
from loyalty.insight_registry import Compared

_SQL = """
    SELECT p.held_out, count(*), avg(x.orders), avg(x.revenue),
           coalesce(var_samp(x.orders), 0), coalesce(var_samp(x.revenue), 0),
           coalesce(covar_samp(x.orders, x.revenue), 0)
      FROM (SELECT DISTINCT ON (membership_id) membership_id, held_out, entered_at
              FROM campaigns_passage WHERE journey_id = %(journey)s
             ORDER BY membership_id, entered_at) p
      JOIN loyalty_membership m ON m.id = p.membership_id
     CROSS JOIN LATERAL (
           SELECT count(*) AS orders, coalesce(sum(o.total), 0) AS revenue
             FROM loyalty_countedorder o
            WHERE (o.program_id IS NULL OR o.program_id = m.program_id)
              AND o.customer_id = m.customer_id AND o.placed_at > p.entered_at
              AND o.placed_at <= p.entered_at + %(days)s * interval '1 day'
              AND o.currency = %(currency)s AND o.status NOT IN ('cancelled', 'refunded')) x
     WHERE p.entered_at <= %(now)s - %(days)s * interval '1 day'
     GROUP BY p.held_out
"""


@dataclass(frozen=True, slots=True)
class Result:
    """Of those whose days are over. `orders` and `revenue` for each head, `values` of an order:
    None where there are too few to say."""

    days: int
    led: int
    aside: int
    orders: Compared | None = None
    revenue: Compared | None = None
    values: Compared | None = None


def result_of(journey: Journey, days: int, now: dt.datetime) -> Result:
    """Each member counts once, from when they first began it. One query."""
    asked: dict[str, int | str | dt.datetime] = {
        "journey": journey.pk, "days": days, "now": now, "currency": journey.program.currency,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_SQL, asked)
        led, aside = led_and_aside(cursor.fetchall())
    return Result(days, led.size, aside.size, *compare(led, aside))


def people_in_each() -> Coalesce:
    """For each of some journeys, how many are in it now, within their own query."""
    rows = JourneyTally.objects.filter(journey=OuterRef("pk"), state=Passage.State.ACTIVE)
    sums = rows.order_by().values("journey").annotate(of=Sum("passages")).values("of")
    return Coalesce(Subquery(sums), 0, output_field=BigIntegerField())


def people_per_step(journey: Journey) -> dict[str, int]:
    """How many are at which step now."""
    return _people(journey, Passage.State.ACTIVE)


def leavers(journey: Journey) -> dict[str, int]:
    """How many left for which reason, those kept aside included."""
    return _people(journey, Passage.State.DONE)


def _people(journey: Journey, state: Passage.State) -> dict[str, int]:
    """By where they are: from tallies, so that it costs the same however many there are."""
    rows = JourneyTally.objects.filter(journey=journey, state=state).order_by()
    sums = rows.values_list("place").annotate(of=Sum("passages"))
    return dict(sums.exclude(of=0))
