"""What of a program could be used in a quarter, and how often it was: rules, and tiers with
benefits."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.models import (
    EarningRuleVersion,
    EconomicAssumptions,
    Goal,
    InsightPoint,
    Program,
)
from loyalty.quarters import Quarter
from loyalty.review_registry import Use, UseKind, register_uses
from loyalty.rules.calendar import end_of_day, last_instant, start_of_day
from loyalty.selectors.discount_costs import discount_costs
from loyalty.selectors.insights import first_joined, tier_figures, value_in
from loyalty.selectors.tier_sets import tier_set_at

RULE = UseKind(
    "rule", _("Rule"),
    _("The rule “%(name)s” brought nobody anything in %(days)s days."),
    _("See whether its condition can be met at all, tell members of it, or end it: a rule that "
      "nobody meets makes the program harder to explain."),
)  # fmt: skip
TIER = UseKind(
    "tier",
    _("Tier"),
    _("Nobody is at the tier “%(name)s”, so nobody has its benefits."),
    _("Lower its threshold, or take it away: the editor of tiers shows how members spread."),
)
# How often rules of the program itself brought something.
_BROUGHT = """
    SELECT v.rule_id, count(*)
      FROM loyalty_transfer t
      JOIN loyalty_earningruleversion v ON v.id = t.rule_version_id
      JOIN loyalty_earningrule r ON r.id = v.rule_id
     WHERE r.program_id = %(program)s AND r.source = ''
       AND t.kind = 'accrual' AND t.booked_on >= %(first)s AND t.booked_on <= %(last)s
     GROUP BY 1
"""


def days_in(quarter: Quarter, since: dt.datetime | None, until: dt.datetime | None,
            program: Program, day: dt.date) -> int:  # fmt: skip
    """How many days of a quarter, up to the one that is looked at, something could be used."""
    first, last = quarter.first, min(quarter.last, day)
    if since is not None:
        first = max(first, since.astimezone(program.zone).date())
    if until is not None:
        last = min(last, until.astimezone(program.zone).date())
    return max((last - first).days + 1, 0)


def last_day(program: Program, quarter: Quarter, now: dt.datetime) -> dt.date:
    """The last day of it that is over; on its first day this one."""
    yesterday = now.astimezone(program.zone).date() - dt.timedelta(days=1)
    return max(min(quarter.last, yesterday), quarter.first)


def what_an_order_leaves(program: Program, quarter: Quarter) -> Decimal | None:
    """The margin of the average order at the end of it; None: one of the two is not known."""
    assumed = EconomicAssumptions.objects.filter(program=program).first()
    point = InsightPoint.objects.filter(
        program=program, metric=Goal.Metric.AVERAGE, value__isnull=False,
        day__gte=quarter.first, day__lte=quarter.last,
    ).order_by("-day").first()  # fmt: skip
    if assumed is None or assumed.margin is None or point is None or point.value is None:
        return None
    leaves: Decimal = point.value * assumed.margin / 100
    return leaves


def rule_uses(program: Program, quarter: Quarter, day: dt.date) -> list[Use]:
    """Rules of the program itself that are in force at its end: those of tiers, plans and campaigns
    are looked at with these. Four queries."""
    at = end_of_day(day, program.zone)
    rows = EarningRuleVersion.objects.filter(
        Q(starts_at=None) | Q(starts_at__lt=at), Q(ends_at=None) | Q(ends_at__gte=at),
        rule__program=program, rule__source="", status=EarningRuleVersion.Status.PUBLISHED,
    )  # fmt: skip
    brought = _brought_by_rules(program, quarter.first, day)
    joined = first_joined(program)
    # Before anybody had joined it could bring nobody anything.
    begun = start_of_day(joined, program.zone) if joined else at
    return [
        Use(
            RULE.code, version.rule.code, version.rule.name,
            brought.get(version.rule_id, 0),
            days_in(quarter, max(begun, version.starts_at or begun), None, program, day),
            "loyalty_backoffice:rule_by_id", str(version.rule_id),
        )
        for version in rows.select_related("rule").order_by("rule")
    ]  # fmt: skip


def tier_uses(program: Program, quarter: Quarter, day: dt.date) -> list[Use]:
    """Tiers with benefits, by whether anybody was at each and no higher one when it was measured
    last in the quarter; of one that was not nothing is told."""
    at = last_instant(day, program.zone)
    found = tier_set_at(program, at)
    if found is None:
        return []
    figures = {item.tier_code: item.points for item in tier_figures(program, at)}
    days = days_in(quarter, found.starts_at, None, program, day)
    return [
        Use(
            TIER.code, tier.code, tier.name, int(share > 0), days,
            "loyalty_backoffice:tier_set_page", program.code,
        )
        for tier in found.tiers.all()
        if tier.benefits
        and (share := value_in(figures.get(tier.code, ()), quarter)) is not None
    ]  # fmt: skip


def register() -> None:
    """Called once, when the application is ready."""
    register_uses(RULE, rule_uses)
    register_uses(TIER, tier_uses)


def _brought_by_rules(program: Program, first: dt.date, last: dt.date) -> dict[int, int]:
    """How often, by rule, in these days; what takes something off prices as well. Two queries."""
    asked: dict[str, Any] = {"program": program.pk, "first": first, "last": last}
    with connection.cursor() as cursor:
        cursor.execute(_BROUGHT, asked)
        found: dict[int, int] = dict(cursor.fetchall())
    costs = discount_costs(
        program, start_of_day(first, program.zone), end_of_day(last, program.zone)
    )
    return found | {rule: cost.orders for rule, cost in costs.items()}
