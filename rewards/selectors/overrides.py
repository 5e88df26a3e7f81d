"""How far each role may let pass what is against the terms of rewards, and what was let pass."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef, QuerySet, Sum
from django.db.models.functions import JSONObject

from loyalty.rules.calendar import start_of_day
from members.models import StaffMember, User
from rewards.models import OverrideLimit, Redemption, StaffOverride

Role = StaffMember.Role

# What an installation begins with: role → how many in a day, units at once, units in a day
# (None: no limit).
DEFAULTS: dict[str, tuple[int | None, int | None, int | None]] = {
    Role.ADMINISTRATOR: (None, None, None),
    Role.MARKETING_MANAGER: (100, 50_000, 200_000),
    Role.SUPPORT_AGENT: (20, 5_000, 20_000),
}


@dataclass(frozen=True, slots=True)
class OverrideTerms:
    """Of one role. Whole units; None: no limit."""

    role: str
    most_in_a_day: int | None
    units_at_once: int | None
    units_in_a_day: int | None

    @property
    def role_name(self) -> str:
        return str(dict(Role.choices)[self.role])


@dataclass(frozen=True, slots=True)
class LetPass:
    """What somebody has let pass today."""

    count: int
    units: Decimal


def override_terms() -> list[OverrideTerms]:
    """Of every role that may, the most powerful first."""
    rows = {row.role: row for row in OverrideLimit.objects.all()}
    return [_terms(role, rows.get(role)) for role in DEFAULTS]


def override_terms_of(role: str) -> OverrideTerms:
    """A role that is not among those may let nothing pass."""
    return _terms(role, OverrideLimit.objects.filter(role=role).first())


def let_pass_today(user: User, zone: zoneinfo.ZoneInfo, now: dt.datetime) -> LetPass:
    """Since the day began in the zone of the program, in all programs."""
    since = start_of_day(now.astimezone(zone).date(), zone)
    own = StaffOverride.objects.filter(staff=user, created_at__gte=since)
    sums = own.aggregate(count=Count("pk"), units=Sum("units"))
    return LetPass(sums["count"], sums["units"] or Decimal(0))


def with_overrides(found: QuerySet[Redemption]) -> QuerySet[Redemption]:
    """Each with `let_pass`: what was let pass of it, by whom and why, the first before others."""
    rows = StaffOverride.objects.filter(redemption=OuterRef("pk")).order_by("pk")
    told = JSONObject(kind="kind", reason="reason", staff="staff__name", email="staff__email")
    return found.annotate(let_pass=ArraySubquery(rows.values(told=told)))


def _terms(role: str, row: OverrideLimit | None) -> OverrideTerms:
    if row is not None:
        return OverrideTerms(role, row.most_in_a_day, row.units_at_once, row.units_in_a_day)
    return OverrideTerms(role, *DEFAULTS.get(role, (0, 0, 0)))
