"""Reading connections, how they do, and what came in by them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import (
    Avg,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from campaigns.connectors.records import Reading
from campaigns.models import Connection, InboundMessage
from members.errors import NotFoundError
from members.selectors.merchants import get_merchant

State = InboundMessage.State
HEALTH_WINDOW = dt.timedelta(hours=24)
# What waits so long does not get its turn.
SLOW = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Health:
    """How a connection does. `lag`: between happening there and being taken in here, on average
    over the last day; None: nothing says."""

    last_at: dt.datetime | None
    came: int
    failed: int
    refused: int
    waiting: int
    waiting_since: dt.datetime | None
    lag: dt.timedelta | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages are looked at."""

    connection: Connection | None = None
    state: str = ""
    topic: str = ""
    number: str = ""


def list_connections() -> list[Connection]:
    return list(Connection.objects.select_related("program").order_by("pk"))


def get_connection(public_id: UUID | str) -> Connection:
    """Raises NotFoundError."""
    found = Connection.objects.select_related("program").filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError(_("There is no such connection."))
    return found


def health_of(connections: list[Connection], *, now: dt.datetime) -> dict[int, Health]:
    """How each does, in two queries for all of them, of which none walks the whole log."""
    recent, refused = Q(received_at__gt=now - HEALTH_WINDOW), Q(state=State.REFUSED)
    waits = Q(state=State.WAITING)
    lag = ExpressionWrapper(F("received_at") - F("happened_at"), output_field=DurationField())
    rows = (
        InboundMessage.objects.filter(recent | waits, connection__in=connections)
        .values("connection")
        .annotate(
            came=Count("pk", filter=recent & ~refused),
            failed=Count("pk", filter=recent & Q(state=State.FAILED)),
            refused=Coalesce(Sum("times", filter=recent & refused), 0),
            waiting=Count("pk", filter=waits),
            waiting_since=Min("received_at", filter=waits),
            lag=Avg(lag, filter=recent & Q(happened_at__lte=F("received_at"))),
        )
    )
    found = {row["connection"]: row for row in rows}
    newest = _newest(connections)
    return {item.pk: _health(newest.get(item.pk), found.get(item.pk)) for item in connections}


def _newest(connections: list[Connection]) -> dict[int, dt.datetime | None]:
    """When the last message came that was signed as it should."""
    own = InboundMessage.objects.filter(connection=OuterRef("pk")).exclude(state=State.REFUSED)
    last = Subquery(own.order_by("-pk").values("received_at")[:1])
    found = Connection.objects.filter(pk__in=[item.pk for item in connections])
    return dict(found.annotate(last_at=last).values_list("pk", "last_at"))


def _health(last_at: dt.datetime | None, row: Mapping[str, Any] | None) -> Health:
    if row is None:
        return Health(last_at, 0, 0, 0, 0, None, None)
    return Health(
        last_at, row["came"], row["failed"], row["refused"], row["waiting"], row["waiting_since"],
        row["lag"],
    )  # fmt: skip


def troubled(*, now: dt.datetime) -> list[tuple[Connection, Health]]:
    """Connections of which something failed in the last day, or waits too long."""
    connections = list_connections()
    health = health_of(connections, now=now)
    return [
        (item, health[item.pk])
        for item in connections
        if health[item.pk].failed or is_slow(health[item.pk], now)
    ]


def is_slow(health: Health, now: dt.datetime) -> bool:
    return health.waiting_since is not None and health.waiting_since < now - SLOW


def messages(wanted: Wanted) -> QuerySet[InboundMessage]:
    """With what a list shows of them, but without their content."""
    found = InboundMessage.objects.select_related("connection").defer("payload")
    if wanted.connection is not None:
        found = found.filter(connection=wanted.connection)
    if wanted.state:
        found = found.filter(state=wanted.state)
    if wanted.topic:
        found = found.filter(topic=wanted.topic)
    if wanted.number:
        found = found.filter(result__contains=[{"number": wanted.number}])
    return found


def get_message(public_id: UUID | str) -> InboundMessage:
    """Raises NotFoundError."""
    found = (
        InboundMessage.objects.select_related("connection__program")
        .filter(public_id=public_id)
        .first()
    )
    if found is None:
        raise NotFoundError(_("There is no such message."))
    return found


# From one topic to the next by the index: as fast with a million messages as with ten.
_TOPICS = """
    WITH RECURSIVE t(topic) AS (
        (SELECT topic FROM campaigns_inboundmessage WHERE topic <> '' ORDER BY topic LIMIT 1)
        UNION ALL
        SELECT (SELECT m.topic FROM campaigns_inboundmessage m
                 WHERE m.topic <> '' AND m.topic > t.topic ORDER BY m.topic LIMIT 1)
          FROM t WHERE t.topic IS NOT NULL)
    SELECT topic FROM t WHERE topic IS NOT NULL LIMIT 200
"""


def known_topics() -> list[str]:
    """The topics of what is in the log."""
    with connection.cursor() as cursor:
        cursor.execute(_TOPICS)
        return [topic for (topic,) in cursor.fetchall()]


def latest_payload(source: Connection) -> str:
    """The content of the newest message that is kept."""
    kept = InboundMessage.objects.filter(connection=source).exclude(payload="")
    return kept.order_by("-pk").values_list("payload", flat=True).first() or ""


def reading_of(connection: Connection, received_at: dt.datetime) -> Reading:
    """What a reader has to know of the connection."""
    merchant = get_merchant()
    zone = connection.program.zone if connection.program else ZoneInfo(merchant.time_zone)
    return Reading(
        source=connection.source, customer_prefix=connection.customer_prefix,
        mapping=connection.mapping, received_at=received_at, zone=zone,
    )  # fmt: skip
