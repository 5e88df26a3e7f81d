"""What a campaign gives and brings: counted from the ledger and from orders, and compared with
those who were kept aside from its first day. Never with people who are no members."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from campaigns.campaign_rules import template_of, unit_of
from campaigns.comparisons import Arm, compare, led_and_aside
from campaigns.models import Campaign, CampaignMember
from campaigns.selectors.campaigns import audience_of, with_draw
from loyalty.insight_registry import Compared
from loyalty.models import EarningRule, Program, WalletType
from loyalty.rules.calendar import end_of_day, start_of_day
from loyalty.selectors.discount_costs import discount_costs, discounts_by_source

# What is until the end of a day is none of the next one.
INSTANT = dt.timedelta(microseconds=1)
# By a campaign's rules: units given less those taken back, members and orders that have some left.
_UNITS = """
    SELECT coalesce(sum(x.units), 0), count(DISTINCT x.wallet_id) FILTER (WHERE x.units > 0),
           count(*) FILTER (WHERE x.units > 0)
      FROM (SELECT t.wallet_id, t.order_id,
                   sum(CASE WHEN t.corrects_id IS NULL THEN t.amount ELSE -t.amount END) AS units
              FROM loyalty_transfer t
              JOIN loyalty_earningruleversion v ON v.id = t.rule_version_id
              JOIN loyalty_earningrule r ON r.id = v.rule_id
             WHERE r.program_id = %(program)s AND r.source = %(source)s
               AND t.wallet_type_id = %(unit)s AND t.booked_on >= %(since)s
               AND (%(last)s::date IS NULL OR t.booked_on <= %(last)s)
               AND (t.kind = 'accrual' OR t.corrects_id IS NOT NULL)
             GROUP BY t.wallet_id, t.order_id) x
"""
# The same of some days by campaign, with what it is worth; of orders of those days alone, so that
# what comes back of earlier ones takes nothing from them.
_BROUGHT = """
    SELECT x.source, count(*), count(DISTINCT x.order_id),
           coalesce(sum(x.units * x.worth) FILTER (WHERE x.order_id IS NOT NULL), 0)
      FROM (SELECT r.source, t.wallet_id, t.order_id,
                   coalesce(y.unit_value, 0) / power(10::numeric, y.scale) AS worth,
                   sum(CASE WHEN t.corrects_id IS NULL THEN t.amount ELSE -t.amount END) AS units
              FROM loyalty_transfer t
              JOIN loyalty_wallettype y ON y.id = t.wallet_type_id AND y.program_id = %(program)s
              JOIN loyalty_earningruleversion v ON v.id = t.rule_version_id
              JOIN loyalty_earningrule r ON r.id = v.rule_id AND r.source <> ''
             WHERE t.booked_on >= %(first)s AND t.booked_on <= %(last)s
               AND (t.kind = 'accrual' OR t.corrects_id IS NOT NULL)
             GROUP BY r.source, t.wallet_id, t.order_id, y.unit_value, y.scale) x
     WHERE x.units > 0
     GROUP BY x.source
"""
_ARMS = """
    SELECT c.held_out, count(*), avg(x.orders), avg(x.revenue),
           coalesce(var_samp(x.orders), 0), coalesce(var_samp(x.revenue), 0),
           coalesce(covar_samp(x.orders, x.revenue), 0)
      FROM campaigns_campaignmember c
      JOIN loyalty_membership m ON m.id = c.membership_id
     CROSS JOIN LATERAL (
           SELECT count(*) AS orders, coalesce(sum(o.total), 0) AS revenue
             FROM loyalty_countedorder o
            WHERE (o.program_id IS NULL OR o.program_id = m.program_id)
              AND o.customer_id = m.customer_id AND o.placed_at >= %(since)s
              AND o.placed_at < %(until)s AND o.currency = %(currency)s
              AND o.status NOT IN ('cancelled', 'refunded')) x
     WHERE c.campaign_id = %(campaign)s
       AND (c.held_out OR NOT %(drawn)s OR EXISTS (
            SELECT FROM campaigns_surpriseticket t
              JOIN campaigns_surprisedraw d ON d.id = t.draw_id
             WHERE d.campaign_id = c.campaign_id AND t.membership_id = c.membership_id
               AND t.chosen))
     GROUP BY c.held_out
"""


@dataclass(frozen=True, slots=True)
class Given:
    """What it has given. `money`: what its units are worth, or what was taken off prices."""

    takers: int = 0
    orders: int = 0
    units: Decimal = Decimal(0)
    money: Decimal = Decimal(0)
    unit: WalletType | None = None


@dataclass(frozen=True, slots=True)
class Brought:
    """What a campaign brought in some days and was not taken back: how often, with how many orders,
    and what those were given is worth."""

    times: int = 0
    orders: int = 0
    money: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class CampaignResult:
    """`reach`: members who get it; `aside`: who are kept aside. `by_orders`, `by_revenue` for each
    head, `by_value` of an order: None where nobody is kept aside, or too few on either side to say
    anything."""

    reach: int
    aside: int
    given: Given
    by_orders: Compared | None = None
    by_revenue: Compared | None = None
    by_value: Compared | None = None

    @property
    def share(self) -> float:
        """How many of those it reaches take part, between 0 and 1."""
        return self.given.takers / self.reach if self.reach else 0.0


def result_of(campaign: Campaign, now: dt.datetime) -> CampaignResult:
    """A constant number of queries."""
    given = given_by(campaign, now)
    if not campaign.holdout or campaign.live_at is None:
        return CampaignResult(*reach_of(campaign, now), given)
    led, aside = arms_of(campaign, now)
    return CampaignResult(led.size, aside.size, given, *compare(led, aside))


def reach_of(campaign: Campaign, now: dt.datetime) -> tuple[int, int]:
    """How many it is for, and how many of them are kept aside: as written down when it began, else
    as of now."""
    kept = CampaignMember.objects.filter(campaign=campaign)
    if campaign.live_at is not None and campaign.holdout:
        return kept.filter(held_out=False).count(), kept.filter(held_out=True).count()
    members = audience_of(campaign, now)
    if not campaign.holdout:
        return members.count(), 0
    aside = with_draw(campaign, members).filter(drawn__lt=campaign.holdout).count()
    return members.count() - aside, aside


def given_by(campaign: Campaign, until: dt.datetime | None = None) -> Given:
    """Net of what came back, by then; None: all that there is."""
    if template_of(campaign).takes_off:
        costs = discount_costs(campaign.program, campaign.starts_at, until)
        rules = set(_rules(campaign))
        own = [cost for rule, cost in costs.items() if rule in rules]
        return Given(
            takers=sum(cost.customers for cost in own), orders=sum(cost.orders for cost in own),
            money=sum((cost.kept for cost in own), Decimal(0)),
        )  # fmt: skip
    unit = unit_of(campaign)
    since = campaign.starts_at or campaign.created_at
    asked: dict[str, Any] = {
        "program": campaign.program_id, "source": campaign.source, "unit": unit.pk,
        "since": since.astimezone(campaign.program.zone).date(),
        "last": until and (until - INSTANT).astimezone(campaign.program.zone).date(),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_UNITS, asked)
        units, takers, orders = cursor.fetchone()
    whole = Decimal(units).scaleb(-unit.scale)
    return Given(takers, orders, whole, whole * (unit.unit_value or 0), unit)


def brought_by_source(program: Program, first: dt.date, last: dt.date) -> dict[str, Brought]:
    """By the source of its rules, all of them together: an order that two of them gave something
    is one. Two queries."""
    asked: dict[str, Any] = {"program": program.pk, "first": first, "last": last}
    with connection.cursor() as cursor:
        cursor.execute(_BROUGHT, asked)
        found = {row[0]: Brought(*row[1:]) for row in cursor.fetchall()}
    days = start_of_day(first, program.zone), end_of_day(last, program.zone)
    return found | {
        source: Brought(cost.orders, cost.orders, cost.kept)
        for source, cost in discounts_by_source(program, *days).items()
    }


def _rules(campaign: Campaign) -> Iterable[int]:
    return EarningRule.objects.filter(
        program=campaign.program_id, source=campaign.source
    ).values_list("pk", flat=True)


def arms_of(campaign: Campaign, now: dt.datetime) -> tuple[Arm, Arm]:
    """Of one that keeps members aside: who gets it, and who is kept aside. One query."""
    until = min(now, campaign.ended_at or campaign.ends_at or now)
    asked: dict[str, Any] = {
        "campaign": campaign.pk, "since": campaign.live_at, "until": until,
        "currency": campaign.program.currency, "drawn": template_of(campaign).surprise,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_ARMS, asked)
        return led_and_aside(cursor.fetchall())
