"""What the merchant's own orders of a year say about buyers, before there is any program: a
constant number of queries, each adding up in the database."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db import connection

from loyalty.models import Order
from loyalty.purchase_habits import CategoryShare, Habits, Period, Quartiles
from loyalty.rules.calendar import end_of_day
from loyalty.rules.facts import ZERO
from loyalty.tiers.spread import Part, Spread
from members.selectors.merchants import get_merchant

YEAR = dt.timedelta(days=365)
CATEGORIES = 8
PARTS = 1000
KEPT = 8
VOID = list(Order.VOID)

_ENDS = """
    SELECT min(placed_at) FILTER (WHERE customer_id IS NOT NULL),
           max(placed_at) FILTER (WHERE customer_id IS NOT NULL),
           concat_ws(' ', max(id), count(*), sum(total),
                     (SELECT concat_ws(' ', max(id), count(*), count(order_id))
                        FROM loyalty_refund WHERE currency = %(currency)s))
      FROM loyalty_order
     WHERE currency = %(currency)s AND placed_at <= %(now)s AND status <> ALL(%(void)s)
"""
_SALES = """
    sales AS MATERIALIZED (
        SELECT id, customer_id, placed_at, total FROM loyalty_order
         WHERE currency = %(currency)s AND placed_at >= %(since)s AND placed_at < %(until)s
           AND status <> ALL(%(void)s)),
    back AS (
        SELECT f.customer_id, sum(f.total) AS total
          FROM loyalty_refund f LEFT JOIN loyalty_order o ON o.id = f.order_id
         WHERE f.currency = %(currency)s AND f.refunded_at >= %(since)s
           AND f.refunded_at < %(until)s
           AND coalesce(o.status, '') <> ALL(%(void)s)
         GROUP BY 1),
    buyers AS (
        SELECT s.customer_id, s.orders, s.total, greatest(s.total - coalesce(b.total, 0), 0) AS kept
          FROM (SELECT customer_id, count(*) AS orders, sum(total) AS total FROM sales
                 WHERE customer_id IS NOT NULL GROUP BY 1) s
          LEFT JOIN back b ON b.customer_id = s.customer_id)"""
_FIGURES = f"""
    WITH {_SALES},
    placed AS (
        SELECT kept, row_number() OVER (ORDER BY kept DESC) AS place, count(*) OVER () AS of
          FROM buyers),
    gaps AS (
        SELECT day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS days
          FROM (SELECT DISTINCT customer_id, (placed_at AT TIME ZONE %(zone)s)::date AS day
                  FROM sales WHERE customer_id IS NOT NULL) d)
    SELECT b.buyers, b.orders, b.each, b.mean, b.once, s.guests, s.revenue, s.baskets,
           r.returned, t.top, t.whole, g.gaps
      FROM (SELECT count(*) AS buyers, coalesce(sum(orders), 0) AS orders, avg(orders) AS mean,
                   percentile_disc(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY orders) AS each,
                   count(*) FILTER (WHERE orders = 1) AS once
              FROM buyers) b
     CROSS JOIN (SELECT count(*) FILTER (WHERE customer_id IS NULL) AS guests,
                        coalesce(sum(total) FILTER (WHERE customer_id IS NOT NULL), 0) AS revenue,
                        percentile_disc(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY total)
                            FILTER (WHERE total > 0 AND customer_id IS NOT NULL) AS baskets
                   FROM sales) s
     CROSS JOIN (SELECT coalesce(sum(total), 0) AS returned FROM back
                  WHERE customer_id IS NOT NULL) r
     CROSS JOIN (SELECT sum(kept) FILTER (WHERE place <= greatest(of / 5, 1)) AS top,
                        sum(kept) AS whole FROM placed) t
     CROSS JOIN (SELECT percentile_disc(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY days) AS gaps
                   FROM gaps WHERE days IS NOT NULL) g
"""
_CATEGORIES = f"""
    WITH {_SALES},
    goods AS (
        SELECT n.category, sum(n.total) AS revenue
          FROM sales s JOIN loyalty_orderline n ON n.order_id = s.id
         WHERE s.customer_id IS NOT NULL AND n.category <> '' GROUP BY 1)
    SELECT category, revenue, revenue / nullif(sum(revenue) OVER (), 0)
      FROM goods WHERE revenue > 0 ORDER BY revenue DESC, category LIMIT {CATEGORIES}
"""
_AMOUNTS = f"""
    WITH {_SALES},
    placed AS (
        SELECT {{amount}} AS amount, ntile({PARTS}) OVER (ORDER BY {{amount}}) AS part FROM buyers)
    SELECT min(amount), max(amount), count(*) FROM placed GROUP BY part ORDER BY part
"""
_CHOSEN = f"""
    WITH {_SALES}
    SELECT customer_id FROM buyers ORDER BY md5(customer_id::text), customer_id LIMIT %(number)s
"""


def history_period(currency: str, now: dt.datetime) -> Period | None:
    """The year that ends with the last day on which somebody bought, so that a history that was
    imported is a year's, too; shorter where the first order is younger. None: nobody bought."""
    zone = zoneinfo.ZoneInfo(get_merchant().time_zone)
    asked: dict[str, Any] = {"currency": currency, "now": now, "void": VOID}
    with connection.cursor() as cursor:
        cursor.execute(_ENDS, asked)
        first, last, mark = cursor.fetchone()
    if last is None:
        return None
    until = min(end_of_day(last.astimezone(zone).date(), zone), now)
    return Period(currency, max(first, until - YEAR), until, zone, mark)


@lru_cache(maxsize=KEPT)
def purchase_habits(period: Period) -> Habits:
    """Two queries, however many orders there are; none, while nothing has changed."""
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, _asked(period))
        row = cursor.fetchone()
        cursor.execute(_CATEGORIES, _asked(period))
        categories = cursor.fetchall()
    buyers, orders, each, mean, once, guests, revenue, baskets, returned, top, whole, gaps = row
    return Habits(
        currency=period.currency,
        days=period.days,
        buyers=buyers,
        orders=int(orders),
        guest_orders=guests,
        revenue=revenue,
        returned=returned,
        basket=_quartiles(baskets) or Quartiles(),
        orders_each=_quartiles(each) or Quartiles(),
        mean_orders=mean or ZERO,
        gap=_quartiles(gaps),
        one_time=Decimal(once) / buyers if buyers else None,
        top_share=top / whole if whole else None,
        categories=tuple(CategoryShare(*found) for found in categories),
    )


def random_buyers(period: Period, number: int | None) -> list[int]:
    """Keys of so many buyers of the period, by a chance that is always the same; None: of all."""
    with connection.cursor() as cursor:
        cursor.execute(_CHOSEN, _asked(period) | {"number": number})
        return [row[0] for row in cursor.fetchall()]


def spend_spread(period: Period) -> Spread:
    """How the buyers spread over what they bought and kept."""
    return _spread(period, "kept")


def order_spread(period: Period) -> Spread:
    """How they spread over the number of their orders."""
    return _spread(period, "orders")


@lru_cache(maxsize=KEPT)
def _spread(period: Period, amount: str) -> Spread:
    with connection.cursor() as cursor:
        cursor.execute(_AMOUNTS.format(amount=amount), _asked(period))
        rows = cursor.fetchall()
    return Spread(tuple(Part(Decimal(low), Decimal(high), members) for low, high, members in rows))


def _asked(period: Period) -> dict[str, Any]:
    return {
        "currency": period.currency,
        "since": period.since,
        "until": period.until,
        "void": VOID,
        "zone": str(period.zone),
    }


def _quartiles(found: list[Any] | None) -> Quartiles | None:
    return Quartiles(*map(Decimal, found)) if found else None
