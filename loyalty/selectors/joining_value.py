"""What the same customers brought in half a year before they joined, and in half a year after: no
lift, for who joins is often about to buy more anyway. Only who was known for long enough is looked
at, so that nobody's first order makes the time before look empty."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from loyalty.goal_metrics import GoalMetric
from loyalty.insight_registry import Measure, register_insight
from loyalty.models import Program
from loyalty.selectors.goal_metrics import HALF, YEAR, one_row

# Who joined in a year up to half a year ago, and had bought half a year before that. The day of
# joining is the first one after: the order that enrolls is placed before it does.
_AROUND = """
    WITH m AS (SELECT m.customer_id,
                      date_trunc('day', m.enrolled_at AT TIME ZONE %(zone)s)
                      AT TIME ZONE %(zone)s AS begun
                 FROM loyalty_membership m
                WHERE m.program_id = %(program)s AND m.merged_into_id IS NULL
                  AND m.status <> 'left' AND m.enrolled_at >= %(since)s
                  AND m.enrolled_at < %(until)s - %(half)s),
    k AS (SELECT m.* FROM m
           WHERE EXISTS (SELECT FROM loyalty_countedorder o
                          WHERE (o.program_id IS NULL OR o.program_id = %(program)s)
                            AND o.customer_id = m.customer_id AND o.placed_at < m.begun - %(half)s
                            AND o.currency = %(currency)s AND NOT o.status = ANY(%(void)s))),
    o AS (SELECT o.placed_at < k.begun AS is_before,
                 (o.as_told
                  - coalesce((SELECT sum(f.total) FROM loyalty_refund f
                               WHERE f.order_id = o.id AND f.refunded_at < %(until)s), 0))
                 * o.rate AS kept
            FROM k JOIN loyalty_countedorder o ON o.customer_id = k.customer_id
           WHERE (o.program_id IS NULL OR o.program_id = %(program)s)
             AND o.placed_at >= k.begun - %(half)s AND o.placed_at < k.begun + %(half)s
             AND o.currency = %(currency)s AND NOT o.status = ANY(%(void)s))
    SELECT (SELECT count(*) FROM k),
           coalesce(sum(kept) FILTER (WHERE is_before), 0),
           coalesce(sum(kept) FILTER (WHERE NOT is_before), 0) FROM o
"""
BEFORE, AFTER, CUSTOMERS = "value_before", "value_after", "value_customers"


def register() -> None:
    """Called once, when the application is ready."""
    for metric, place in (
        (GoalMetric(BEFORE, "money", "up", _("Revenue of each in the half year before joining, "
                                             "less returns."), name=_("Before joining")), 1),
        (GoalMetric(AFTER, "money", "up", _("Revenue of each in the half year from the day of "
                                            "joining on, less returns."),
                    name=_("After joining")), 2),
        (GoalMetric(CUSTOMERS, "count", "up", _("Who joined in the year up to half a year ago and "
                                                "had bought half a year before."),
                    name=_("Customers compared")), 0),
    ):  # fmt: skip
        register_insight(metric, _measure(place), "joining")


def _measure(place: int) -> Measure:
    def measure(program: Program, day: dt.date) -> Decimal | None:
        half = dt.timedelta(days=HALF)
        found = one_row(_AROUND, program, day, HALF + YEAR, half=half, zone=program.time_zone)
        customers = found[0]
        if not place:
            return Decimal(customers)
        return round(Decimal(found[place]) / customers, 4) if customers else None

    return measure
