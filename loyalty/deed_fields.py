"""What conditions can ask of when somebody did something: how often in the last days, and when
last, by the type of activity. Those that wait or were rejected do not count."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models import Exists as Is
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from loyalty.asked_elsewhere import BuyerAsked
from loyalty.models import Activity, ActivityType
from members.conditions import values
from members.conditions.fields import DEEDS, Field, FieldFamily
from members.conditions.moments import Moment
from members.conditions.operators import Operator
from members.models import Customer

# Days that a list offers; a file or a program may name others.
OFFERED = (7, 30, 90, 365)
LONGEST = 3650
Times = Mapping[str, Sequence[dt.datetime]]


def deeds_of(asked: Sequence[BuyerAsked]) -> list[Times]:
    """Of each buyer the times before the moment, by type; one query."""
    people = {item.customer_id for item in asked} - {0}
    rows = Activity.objects.filter(customer__in=people, state=Activity.State.APPROVED)
    found: defaultdict[int, list[tuple[str, dt.datetime]]] = defaultdict(list)
    for key, code, at in rows.values_list("customer", "type__code", "occurred_at"):
        found[key].append((code, at))
    told: list[Times] = []
    for item in asked:
        times: defaultdict[str, list[dt.datetime]] = defaultdict(list)
        for code, at in found[item.customer_id]:
            if at < item.at:
                times[code].append(at)
        told.append(times)
    return told


@lru_cache(maxsize=1024)  # the same name is the same field
def _in_days(name: str) -> Field | None:
    said, _dot, code = name.partition(".")
    if not code or not said.isascii() or not said.isdigit() or not 1 <= int(said) <= LONGEST:
        return None
    days = int(said)
    return Field(
        f"activities.days.{name}",
        _("activities of type %(code)s in %(days)s days") % {"code": code, "days": days},
        values.NUMBER, DEEDS, repr, query=lambda *asked: _count_query(code, days, *asked),
        read_at=lambda times, moment: _counted(times.get(code, ()), days, moment),
    )  # fmt: skip


def _counted(times: Sequence[dt.datetime], days: int, moment: Moment) -> int:
    since = moment.now - dt.timedelta(days=days)
    return sum(since <= at < moment.now for at in times)


@lru_cache(maxsize=1024)
def _last(code: str) -> Field:
    return Field(
        f"activities.last.{code}", _("last activity of type %(code)s") % {"code": code},
        values.INSTANT, DEEDS, lambda times: max(times.get(code, ()), default=None),
        query=lambda *asked: _last_query(code, *asked),
    )  # fmt: skip


def _done(code: str, moment: Moment) -> QuerySet[Activity]:
    return Activity.objects.filter(
        customer=OuterRef("pk"), type__code=code, state=Activity.State.APPROVED,
        occurred_at__lt=moment.now,
    ).order_by()  # fmt: skip


def _count_query(code: str, days: int, operator: Operator, operand: Any, moment: Moment) -> Q:
    """Who has none is known to have none."""
    rows = _done(code, moment).filter(occurred_at__gte=moment.now - dt.timedelta(days=days))
    number = rows.values("customer").annotate(number=Count("pk")).values("number")
    people = Customer.objects.annotate(done=Coalesce(Subquery(number), Value(0)))
    return Q(Is(people.filter(operator.query("done", operand, moment), pk=OuterRef("pk"))))


def _last_query(code: str, operator: Operator, operand: Any, moment: Moment) -> Q:
    latest = _done(code, moment).values("customer").annotate(at=Max("occurred_at")).values("at")
    people = Customer.objects.filter(pk=OuterRef("pk")).annotate(last_done=Subquery(latest))
    asked = operator.query("last_done", operand, moment)
    if operator.unknown:
        return ~Q(Is(people.exclude(asked | Q(last_done=None))))
    return Q(Is(people.filter(asked & Q(last_done__isnull=False))))


def _types() -> Sequence[tuple[str, str]]:
    return list(ActivityType.objects.order_by("code").values_list("code", "name"))


def _offered() -> Sequence[tuple[str, str]]:
    return [
        (f"{days}.{code}", str(_("%(name)s, %(days)s days") % {"name": name, "days": days}))
        for code, name in _types()
        for days in OFFERED
    ]


FIELDS = (
    FieldFamily(
        "activities.days.", _("activities in the last days"), DEEDS, _in_days, names=_offered,
        help=_("How often they did it in so many days: activities.days.30.review."),
    ),
    FieldFamily(
        "activities.last.", _("last activity of a type"), DEEDS, _last, names=_types,
        help=_("Those that wait or were rejected do not count."),
    ),
)  # fmt: skip
