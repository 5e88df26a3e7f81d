"""Which category or product each member is offered: worked out from what they bought, for many
members in one statement.

What is next best is ranked by expected value, as in direct marketing (Blattberg, Kim and Neslin,
*Database Marketing*, 2008): how likely the category is in the member's next order, times what an
order spends there on average, times its margin. How likely: the share of their orders that had it,
drawn towards the share among all orders by `PRIOR` orders' worth (an empirical Bayes estimate), so
that two orders prove little. What they bought within the days that an offer lasts is left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from campaigns.campaign_definitions import offer_of
from campaigns.campaign_rules import targets_of
from campaigns.campaign_templates import COLLECTION, CampaignTemplate
from campaigns.models import Campaign
from loyalty.models import Program

# So many orders' worth the habits of everybody weigh beside a member's own.
PRIOR = 2
# Of so many lines the habits of everybody are known well enough.
SAMPLE = 20_000
# So many categories a draft begins with.
USUAL = 12
# So many days before a birthday the offer is there.
AHEAD = 7
WHOLE = Decimal(100)


@dataclass(frozen=True, slots=True)
class Habit:
    """A category among all orders: in what share of them, and what such an order spends on it."""

    category: str
    share: float
    spend: float


_HABITS = """
    WITH lines AS (SELECT n.order_id, n.category, n.total
                     FROM (SELECT order_id, category, total FROM loyalty_orderline
                            ORDER BY id DESC LIMIT %(sample)s) n
                     JOIN loyalty_order o ON o.id = n.order_id
                    WHERE o.currency = %(currency)s AND o.status NOT IN ('cancelled', 'refunded'))
    SELECT category,
           count(DISTINCT order_id)::float8 / (SELECT count(DISTINCT order_id) FROM lines),
           sum(total)::float8 / count(DISTINCT order_id)
      FROM lines WHERE category <> '' GROUP BY category ORDER BY 2 DESC, 1
"""
# Orders of the members in their time, by what may be offered: so often, so much, when last.
_BOUGHT = """
    people AS (SELECT m.id AS member, m.customer_id, c.birthday
                 FROM loyalty_membership m JOIN members_customer c ON c.id = m.customer_id
                WHERE m.id = ANY(%(members)s)),
    bought AS (SELECT p.member, n.{column} AS target, max(n.name) AS name,
                      count(DISTINCT o.id) AS times, sum(n.total) AS spent,
                      max(o.placed_at) AS last_at
                 FROM people p JOIN loyalty_order o ON o.customer_id = p.customer_id
                 JOIN loyalty_orderline n ON n.order_id = o.id
                WHERE o.placed_at >= %(since)s AND o.placed_at <= %(now)s
                  AND o.status NOT IN ('cancelled', 'refunded')
                  AND n.{column} = ANY(%(targets)s) AND n.total > 0
                GROUP BY p.member, n.{column})
"""
_BY_CATEGORY = _BOUGHT.format(column="category")
_BY_SKU = _BOUGHT.format(column="sku")
# All four say: member, target, name, times, whole, score, place among the member's candidates.
_FAVORITE = f"""
    WITH {_BY_CATEGORY}
    SELECT b.member, b.target, b.target, b.times, 0, b.times::numeric, row_number() OVER (
               PARTITION BY b.member ORDER BY b.times DESC, b.spent DESC, b.target)
      FROM bought b JOIN people p ON p.member = b.member
     WHERE b.times >= %(least)s
       AND (%(days)s::text[] IS NULL OR to_char(p.birthday, 'MMDD') = ANY(%(days)s::text[]))
"""
_COLLECTION = f"""
    WITH {_BY_SKU},
    owned AS (SELECT member, count(*) AS times FROM bought GROUP BY member),
    names AS (SELECT sku, max(name) AS name FROM loyalty_orderline
               WHERE sku = ANY(%(targets)s) AND id > (SELECT max(id) FROM loyalty_orderline)
                                                      - %(sample)s GROUP BY sku)
    SELECT o.member, t.target, coalesce(nullif(n.name, ''), t.target), o.times, %(whole)s,
           o.times::numeric, row_number() OVER (PARTITION BY o.member ORDER BY t.place)
      FROM owned o CROSS JOIN unnest(%(targets)s::text[]) WITH ORDINALITY AS t(target, place)
      LEFT JOIN names n ON n.sku = t.target
     WHERE %(whole)s - o.times BETWEEN 1 AND %(missing)s
       AND NOT EXISTS (SELECT FROM bought b WHERE b.member = o.member AND b.target = t.target)
"""
_NEXT = f"""
    WITH {_BY_CATEGORY},
    orders AS (SELECT p.member, count(*) AS number
                 FROM people p JOIN loyalty_order o ON o.customer_id = p.customer_id
                WHERE o.placed_at >= %(since)s AND o.placed_at <= %(now)s
                  AND o.status NOT IN ('cancelled', 'refunded') GROUP BY p.member),
    scored AS (
        SELECT p.member, h.target, coalesce(b.times, 0) AS times,
               round(((coalesce(b.times, 0) + %(prior)s * h.share) / (o.number + %(prior)s)
                      * h.spend * h.margin)::numeric, 4) AS score
          FROM people p JOIN orders o ON o.member = p.member
         CROSS JOIN unnest(%(targets)s::text[], %(shares)s::float8[], %(spends)s::float8[],
                           %(margins)s::float8[]) AS h(target, share, spend, margin)
          LEFT JOIN bought b ON b.member = p.member AND b.target = h.target
         WHERE o.number >= %(least)s AND (b.last_at IS NULL OR b.last_at < %(recently)s))
    SELECT member, target, target, times, 0, score,
           row_number() OVER (PARTITION BY member ORDER BY score DESC, target)
      FROM scored WHERE score > 0
"""


def habits(program: Program) -> list[Habit]:
    """Of everybody who pays as in this program, most frequent first; by the orders that came last,
    without those that came to nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_HABITS, {"sample": SAMPLE, "currency": program.currency})
        return [Habit(*row) for row in cursor.fetchall()]


def usual_targets(program: Program, template: CampaignTemplate) -> dict[str, Any]:
    """What a draft begins with: the categories that are bought most."""
    if not template.personal or template.code == COLLECTION:
        return {}
    return {"categories": [habit.category for habit in habits(program)[:USUAL]]}


def candidates(
    campaign: Campaign, members: Sequence[int], now: dt.datetime
) -> tuple[str, dict[str, Any]]:
    """A statement and its values: for these memberships, what could be offered, ranked. Whoever is
    offered anything at all is not asked here."""
    offer = offer_of(campaign)
    targets = list(targets_of(offer))
    values: dict[str, Any] = {
        "members": list(members), "targets": targets, "now": now, "least": offer.bought,
        "since": now - dt.timedelta(days=offer.within), "whole": len(targets),
        "missing": offer.missing, "sample": SAMPLE, "days": None,
    }  # fmt: skip
    if campaign.template == COLLECTION:
        return _COLLECTION, values
    if offer.picks != "next":
        if offer.picks == "birthday":
            values["days"] = _birthdays(now.astimezone(campaign.program.zone).date())
        return _FAVORITE, values
    known = {habit.category: habit for habit in habits(campaign.program)}
    found = [known.get(target, Habit(target, 0.0, 0.0)) for target in targets]
    margins = [float(offer.margins.get(target, WHOLE) / WHOLE) for target in targets]
    return _NEXT, values | {
        "shares": [habit.share for habit in found], "spends": [habit.spend for habit in found],
        "margins": margins, "prior": PRIOR, "recently": now - dt.timedelta(days=offer.lasts),
    }  # fmt: skip


def _birthdays(today: dt.date) -> list[str]:
    """Days of birth, as month and day, whose birthday is today or soon. In years without it,
    February 29 is kept on the day before."""
    days = [f"{today + dt.timedelta(days=ahead):%m%d}" for ahead in range(AHEAD + 1)]
    return [*days, "0229"] if "0228" in days else days


@dataclass(frozen=True, slots=True)
class Candidate:
    """What could be offered to a member, and what it is ranked by."""

    target: str
    name: str
    times: int
    whole: int
    score: Decimal


def ranked(campaign: Campaign, member: int, now: dt.datetime) -> list[Candidate]:
    """For one membership, best first."""
    statement, values = candidates(campaign, [member], now)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({statement}) x ORDER BY 7", values)
        return [Candidate(*row[1:6]) for row in cursor.fetchall()]
