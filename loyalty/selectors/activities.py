"""Activities: what was told, what waits, and what types there are."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.db.models import Count, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from loyalty.definitions import ActivityTypeDefinition
from loyalty.models import (
    Activity,
    ActivityAward,
    ActivityType,
    EarningRuleVersion,
    Program,
)
from loyalty.rules.bodies import ActivityBody, parse_body
from members.errors import NotFoundError
from members.models import Customer
from members.prepared import KeptQuery

# More than that are not counted: nobody works through them by number.
COUNTED = 200


def activities() -> QuerySet[Activity]:
    """With all that showing one needs."""
    awards = ActivityAward.objects.select_related(
        "rule_version__rule__wallet_type", "rule_version__rule__program"
    ).order_by("pk")
    return Activity.objects.select_related("type", "customer", "decided_by").prefetch_related(
        Prefetch("awards", awards)
    )


def activities_of(customer: Customer) -> QuerySet[Activity]:
    return activities().filter(customer=customer)


def waiting_activities() -> QuerySet[Activity]:
    """Those that somebody has to decide on, the oldest first."""
    return activities().filter(state=Activity.State.PENDING).order_by("recorded_at", "pk")


def decided_activities() -> QuerySet[Activity]:
    """Those that somebody approved, rejected or took back, the newest decision first."""
    return activities().exclude(decided_at=None).order_by("-decided_at", "-pk")


def counted_activities() -> QuerySet[Activity, Any]:
    """The keys of those that wait, to count: at most `COUNTED`."""
    return Activity.objects.filter(state=Activity.State.PENDING).order_by().values("pk")[:COUNTED]


def get_activity(public_id: UUID) -> Activity:
    """Raises NotFoundError."""
    found = activities().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError(_("There is no such activity."))
    return found


def list_activity_types() -> QuerySet[ActivityType]:
    """All of them with how many activities there are (`activity_count`)."""
    return ActivityType.objects.annotate(activity_count=Count("activities")).order_by("name", "pk")


def activity_type_definitions() -> tuple[ActivityTypeDefinition, ...]:
    """All types as a program file says them."""
    return tuple(map(definition_of_type, _types.rows()))


_types: KeptQuery[ActivityType] = KeptQuery(lambda: ActivityType.objects.order_by("pk"))


def definition_of_type(found: ActivityType) -> ActivityTypeDefinition:
    return ActivityTypeDefinition.model_validate(
        {name: getattr(found, name) for name in ActivityTypeDefinition.model_fields}
    )


def rewards_by_type(now: dt.datetime) -> dict[str, list[tuple[EarningRuleVersion, ActivityBody]]]:
    """Which rules give something for which type now, in live programs."""
    found: dict[str, list[tuple[EarningRuleVersion, ActivityBody]]] = {}
    versions = (
        EarningRuleVersion.objects.filter(
            Q(starts_at=None) | Q(starts_at__lte=now),
            Q(ends_at=None) | Q(ends_at__gt=now),
            body__kind="activity",
            status=EarningRuleVersion.Status.PUBLISHED,
            rule__program__status=Program.Status.LIVE,
        )
        .select_related("rule__program", "rule__wallet_type")
        .order_by("rule__program__name", "rule__position", "rule")
    )
    for version in versions:
        body = parse_body(version.body)
        assert isinstance(body, ActivityBody)
        found.setdefault(body.activity, []).append((version, body))
    return found
