"""What became of messages: how many were sent, arrived, were opened, followed, led to an order or
to being declined. By day, way, language, version, and by step of a journey. One query each, over
the messages of a bounded time."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field, fields
from operator import add
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count

from campaigns.models import Broadcast, DeliveryClick, Journey, JourneyVersion
from campaigns.selectors.journeys import definition_of
from campaigns.selectors.policies import get_policy
from loyalty.models import Order
from members.program_scope import programs_in_scope
from members.selectors.merchants import get_merchant

# So many days are looked at at most.
LONGEST = 90
MOST_LINKS = 12
# Told by a journey, whichever step it was; who was told already was not told by it.
_STEPS = """
      JOIN campaigns_passagestep s ON s.message_id = m.id AND s.outcome = 'told'
      JOIN campaigns_passage p ON p.id = s.passage_id
"""
_TOLD = """
    SELECT m.occasion, m.locale, d.channel, d.version_id, {step} AS step, {journey} AS journey,
           (m.created_at AT TIME ZONE %(zone)s)::date AS day, d.state,
           d.sent_at IS NOT NULL AS sent,
           d.state = 'sent' AND d.delivered_at IS NOT NULL AS delivered,
           d.counts_opens OR d.channel = 'inbox' AS shows_opens,
           d.opened_at IS NOT NULL OR d.read_at IS NOT NULL AS opened,
           d.counts_clicks, d.clicked_at IS NOT NULL AS clicked,
           d.unsubscribed_at IS NOT NULL AS unsubscribed,
           d.sent_at + w.span <= %(now)s AS over,
           d.sent_at + w.span <= %(now)s AND EXISTS (
               SELECT 1 FROM loyalty_order o
                WHERE o.customer_id = m.customer_id AND o.placed_at > d.sent_at
                  AND o.placed_at <= d.sent_at + w.span AND o.status <> ALL (%(void)s)) AS ordered
      FROM campaigns_message m
      JOIN campaigns_delivery d ON d.message_id = m.id
      LEFT JOIN loyalty_membership ms ON ms.id = m.membership_id
      LEFT JOIN campaigns_programmeasuring pm ON pm.program_id = ms.program_id
      {steps}
     CROSS JOIN LATERAL (
           SELECT {days} * interval '1 day' AS span) w
     WHERE m.created_at >= %(since)s AND m.created_at <= %(now)s {which}
       AND (%(programs)s::bigint[] IS NULL OR ms.program_id = ANY (%(programs)s))
"""
_COUNTS = """
           count(*) FILTER (WHERE sent), count(*) FILTER (WHERE delivered),
           count(*) FILTER (WHERE sent AND shows_opens),
           count(*) FILTER (WHERE sent AND shows_opens AND opened),
           count(*) FILTER (WHERE sent AND counts_clicks),
           count(*) FILTER (WHERE sent AND clicked), count(*) FILTER (WHERE over),
           count(*) FILTER (WHERE ordered), count(*) FILTER (WHERE unsubscribed),
           count(*) FILTER (WHERE state = 'failed'), count(*) FILTER (WHERE state = 'uncertain'),
           count(*) FILTER (WHERE state = 'suppressed'),
           count(*) FILTER (WHERE state IN ('queued', 'sending'))
"""
_PLAIN_DAYS = "coalesce(pm.order_days, %(days)s)"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many deliveries came to what. `shows_opens`, `counts_clicks`: of how many it can be seen;
    `over`: of how many the days in which an order counts are over."""

    sent: int = 0
    delivered: int = 0
    shows_opens: int = 0
    opened: int = 0
    counts_clicks: int = 0
    clicked: int = 0
    over: int = 0
    ordered: int = 0
    unsubscribed: int = 0
    failed: int = 0
    uncertain: int = 0
    suppressed: int = 0
    waiting: int = 0

    @property
    def rates(self) -> dict[str, float | None]:
        """In percent of those of which it can be known; None: of none."""
        return {
            # None at all: nobody tells, rather than that none has arrived.
            "delivered": _percent(self.delivered, self.sent) if self.delivered else None,
            "opened": _percent(self.opened, self.shows_opens),
            "clicked": _percent(self.clicked, self.counts_clicks),
            "ordered": _percent(self.ordered, self.over),
            "unsubscribed": _percent(self.unsubscribed, self.sent),
        }

    def plus(self, other: Counts) -> Counts:
        return Counts(*map(add, astuple(self), astuple(other)))

    @property
    def is_empty(self) -> bool:
        return not any(getattr(self, item.name) for item in fields(self))


Words = tuple[str, str, int | None]


@dataclass(frozen=True, slots=True)
class Measured:
    """All of it and its parts. `by_words`: by way, language and the version's number, None where
    the words were ready-made; `links`: where people went, and how many of them."""

    since: dt.date
    days: int
    order_days: int
    total: Counts = field(default_factory=Counts)
    by_day: Mapping[dt.date, Counts] = field(default_factory=dict)
    by_channel: Mapping[str, Counts] = field(default_factory=dict)
    by_locale: Mapping[str, Counts] = field(default_factory=dict)
    by_words: Mapping[Words, Counts] = field(default_factory=dict)
    by_step: Mapping[str, Counts] = field(default_factory=dict)
    links: tuple[tuple[str, int], ...] = ()


def figures_of_occasion(occasion: str, *, days: int, now: dt.datetime) -> Measured:
    """Of one message. Two queries and one for the policy."""
    asked = _asked(days, now) | {"occasion": occasion}
    parts = _parts(_told(which="AND m.occasion = %(occasion)s"), asked)
    clicks = DeliveryClick.objects.filter(delivery__message__occasion=occasion)
    return _measured(asked, parts, _links(clicks, asked))


def figures_of_journey(journey: Journey, *, days: int, now: dt.datetime) -> Measured:
    """Of all that a journey has told, also by step."""
    asked = _asked(days, now) | {"journey": journey.pk, "own": _own_days(journey)}
    told = _told(
        step="s.step", steps=_STEPS, which="AND p.journey_id = %(journey)s",
        order_days=f"coalesce(%(own)s, {_PLAIN_DAYS})",
    )  # fmt: skip
    told_here = Journey.objects.filter(pk=journey.pk).values("passages__steps__message")
    clicks = DeliveryClick.objects.filter(delivery__message__in=told_here)
    return _measured(asked, _parts(told, asked), _links(clicks, asked))


def figures_of_broadcast(broadcast: Broadcast, *, now: dt.datetime) -> Measured:
    """Of all that it told, whenever that was."""
    begun, zone = broadcast.begun_at or now, _zone()
    asked = _asked(1, now) | {
        "occasion": broadcast.occasion, "own": broadcast.order_days,
        "first": begun.astimezone(zone).date(), "since": begun,
    }  # fmt: skip
    told = _told(which="AND m.occasion = %(occasion)s", order_days="%(own)s")
    clicks = DeliveryClick.objects.filter(delivery__message__occasion=asked["occasion"])
    return _measured(asked, _parts(told, asked), _links(clicks, asked))


def figures_by_occasion(*, days: int, now: dt.datetime) -> dict[str, Counts]:
    """Of all messages: a row for each. One query and one for the policy."""
    return _by(_told(), "occasion", _asked(days, now))


def figures_by_journey(*, days: int, now: dt.datetime) -> dict[int, Counts]:
    """Of all journeys, by their keys; an order counts by the days of the program."""
    return _by(_told(journey="p.journey_id", steps=_STEPS), "journey", _asked(days, now))


def first_day(days: int, now: dt.datetime) -> dt.date:
    """The first of so many days, today the last."""
    return _first_day(days, now, _zone())


def _first_day(days: int, now: dt.datetime, zone: ZoneInfo) -> dt.date:
    today = now.astimezone(zone).date()
    return today - dt.timedelta(days=min(max(days, 1), LONGEST) - 1)


def _zone() -> ZoneInfo:
    return ZoneInfo(get_merchant().time_zone)


def _told(
    *, step: str = "NULL", journey: str = "NULL", steps: str = "", which: str = "",
    order_days: str = _PLAIN_DAYS,
) -> str:  # fmt: skip
    return _TOLD.format(step=step, journey=journey, steps=steps, which=which, days=order_days)


def _asked(days: int, now: dt.datetime) -> dict[str, Any]:
    zone = _zone()
    first = _first_day(days, now, zone)
    programs = programs_in_scope()
    return {
        "programs": None if programs is None else list(programs),
        "zone": str(zone), "now": now, "days": get_policy().order_days, "first": first,
        "since": dt.datetime.combine(first, dt.time(), tzinfo=zone),
        "void": [str(status) for status in Order.VOID],
    }  # fmt: skip


def _by(told: str, name: str, asked: dict[str, Any]) -> dict[Any, Counts]:
    sql = f"SELECT {name}, {_COUNTS} FROM ({told}) told GROUP BY {name}"
    with connection.cursor() as cursor:
        cursor.execute(sql, asked)
        return {row[0]: Counts(*row[1:]) for row in cursor.fetchall()}


def _parts(told: str, asked: dict[str, Any]) -> dict[str, dict[Any, Counts]]:
    """Grouped in every way at once; which way a row is of, its bits say."""
    sql = f"""
        SELECT GROUPING(day, channel, locale, version_id, step), day, channel, locale,
               (SELECT CASE t.variant WHEN '' THEN v.number ELSE 0 END
                  FROM campaigns_templateversion v
                  JOIN campaigns_messagetemplate t ON t.id = v.template_id
                 WHERE v.id = version_id), step,
               {_COUNTS}
          FROM ({told}) told
         GROUP BY GROUPING SETS
               ((), (day), (channel), (locale), (channel, locale, version_id), (step))
    """
    found: dict[str, dict[Any, Counts]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(sql, asked)
        for bits, day, channel, locale, number, step, *numbers in cursor.fetchall():
            counts = Counts(*numbers)
            match bits:
                case 0b11111:
                    found["total"][""] = counts
                case 0b01111:
                    found["day"][day] = counts
                case 0b10111:
                    found["channel"][channel] = counts
                case 0b11011:
                    found["locale"][locale] = counts
                case 0b10001 if number == 0:
                    # The words of an arm: their figures are with the experiment.
                    continue
                case 0b10001:
                    # Each message of a journey has a version of this number.
                    others = found["words"].get((channel, locale, number), Counts())
                    found["words"][channel, locale, number] = others.plus(counts)
                case _ if step is not None:
                    found["step"][step] = counts
    return found


def _measured(
    asked: dict[str, Any], parts: dict[str, dict[Any, Counts]], links: tuple[tuple[str, int], ...]
) -> Measured:
    length = (asked["now"].astimezone(ZoneInfo(asked["zone"])).date() - asked["first"]).days + 1
    days = [asked["first"] + dt.timedelta(days=number) for number in range(length)]
    return Measured(
        since=asked["first"], days=length, order_days=asked.get("own") or asked["days"],
        total=parts["total"].get("", Counts()),
        by_day={day: parts["day"].get(day, Counts()) for day in days},
        by_channel=dict(sorted(parts["channel"].items())),
        by_locale=dict(sorted(parts["locale"].items())),
        by_words=dict(sorted(parts["words"].items(), key=lambda item: _newest_first(item[0]))),
        by_step=parts["step"], links=links,
    )  # fmt: skip


def _newest_first(words: Words) -> tuple[str, str, int]:
    channel, locale, number = words
    return channel, locale, -(number or 0)


def _links(clicks: Any, asked: dict[str, Any]) -> tuple[tuple[str, int], ...]:
    """Where people went from messages of these days, and how many."""
    within = clicks.filter(delivery__message__created_at__gte=asked["since"])
    counted = within.values_list("link").annotate(people=Count("pk"))
    return tuple((link, people) for link, people in
                 counted.order_by("-people", "link")[:MOST_LINKS])  # fmt: skip


def _own_days(journey: Journey) -> int | None:
    """What the version in force says, else the last one."""
    versions = JourneyVersion.objects.filter(journey=journey)
    version = versions.filter(published_at__isnull=False).first() or versions.first()
    return definition_of(version).ordered_days if version else None


def _percent(part: int, whole: int) -> float | None:
    return round(part * 100 / whole, 1) if whole else None
