"""What members have besides units: by their tier and by the plans that they pay for."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence

from loyalty.models import Membership
from loyalty.selectors.member_tiers import member_standings
from loyalty.selectors.plans import benefits_of_plan
from loyalty.selectors.subscriptions import in_force, of_members, owner_of
from loyalty.selectors.tier_sets import benefits_of
from loyalty.tier_definitions import BenefitDefinition


def plan_benefits(
    members: Sequence[Membership], now: dt.datetime
) -> dict[int, list[BenefitDefinition]]:
    """By membership what the plans bring whose benefits last; who has none is not in it. One
    query."""
    found: defaultdict[int, list[BenefitDefinition]] = defaultdict(list)
    for row in of_members([item.pk for item in members]).filter(in_force(now)):
        found[owner_of(row).pk] += benefits_of_plan(row.version)
    return found


def benefits_now(
    members: Sequence[Membership], now: dt.datetime
) -> dict[int, list[BenefitDefinition]]:
    """By membership what tier and plans bring; who has nothing is not in it."""
    found = defaultdict(list, plan_benefits(members, now))
    for pk, standing in member_standings(members, now).items():
        found[pk] += benefits_of(standing.tier)
    return found


def early_access(members: Sequence[Membership], now: dt.datetime) -> Mapping[int, dt.timedelta]:
    """How much earlier than everybody they may come; the longest counts."""
    return {pk: _earlier(found) for pk, found in benefits_now(members, now).items()}


def _earlier(benefits: Sequence[BenefitDefinition]) -> dt.timedelta:
    return dt.timedelta(hours=max((item.hours or 0 for item in benefits), default=0))
