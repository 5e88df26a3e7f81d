"""Whom a campaign would offer what now, and what they bought of it in as many days as it lasts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from campaigns.campaign_definitions import offer_of
from campaigns.campaign_rules import template_of
from campaigns.campaign_templates import COLLECTION
from campaigns.models import Campaign
from campaigns.selectors.offer_picks import candidates
from campaigns.selectors.personal_offers import eligible

WHOLE = Decimal(100)
_EXPECTED = """
    WITH offered AS (SELECT x.member, x.target, x.name
                       FROM ({found}) AS x(member, target, name, times, whole, score, place)
                      WHERE x.place = 1)
    SELECT f.name, count(*), coalesce(sum(s.spent), 0)
      FROM offered f JOIN loyalty_membership m ON m.id = f.member
     CROSS JOIN LATERAL (
           SELECT sum(n.total * o.rate) AS spent FROM loyalty_countedorder o
             JOIN loyalty_orderline n ON n.order_id = o.id
            WHERE o.customer_id = m.customer_id AND o.placed_at >= %(before)s
              AND o.placed_at <= %(now)s AND o.status NOT IN ('cancelled', 'refunded')
              AND o.currency = %(currency)s
              AND (o.program_id IS NULL OR o.program_id = m.program_id)
              AND n.{column} = f.target) s
     GROUP BY f.name ORDER BY 2 DESC, 1
"""


@dataclass(frozen=True, slots=True)
class Expected:
    """Of one category or product: how many would be offered it, and what they bought of it."""

    name: str
    members: int
    spent: Decimal


@dataclass(frozen=True, slots=True)
class OfferForecast:
    """`units`, `money`: what it would cost if they bought as before, and each took a bonus."""

    rows: Sequence[Expected]
    days: int
    units: Decimal | None
    money: Decimal | None

    @property
    def members(self) -> int:
        return sum(row.members for row in self.rows)

    @property
    def spent(self) -> Decimal:
        return sum((row.spent for row in self.rows), Decimal(0))


def forecast_offers(campaign: Campaign, now: dt.datetime) -> OfferForecast:
    """Nothing is offered. Two queries; of a multiplier it says what was spent, since what that
    earns is said by other rules."""
    offer, days = offer_of(campaign), offer_of(campaign).lasts
    members = list(eligible(campaign, now).values_list("pk", flat=True))
    found, values = candidates(campaign, members, now)
    column = "sku" if campaign.template == COLLECTION else "category"
    with connection.cursor() as cursor:
        cursor.execute(
            _EXPECTED.format(found=found, column=column),
            {
                **values,
                "before": now - dt.timedelta(days=days),
                "currency": campaign.program.currency,
            },
        )
        rows = [Expected(*row) for row in cursor.fetchall()]
    result = OfferForecast(rows, days, None, None)
    [part] = template_of(campaign).parts
    if part == "bonus":
        return OfferForecast(rows, days, offer.units * result.members, None)
    if part == "off":
        return OfferForecast(rows, days, None, result.spent * offer.percent / WHOLE)
    return result
