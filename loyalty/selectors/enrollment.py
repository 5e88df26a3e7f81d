"""How members came: by source, by campaign, day by day."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate

from loyalty.models import Membership, Program

MOST_DETAILS = 20


@dataclass(frozen=True, slots=True)
class SourceCount:
    """How many joined by one way, and since a day; `active`: of them those who still take part."""

    source: str
    members: int
    lately: int
    active: int
    share: float

    @property
    def label(self) -> str:
        return str(Membership.Source(self.source).label)


@dataclass(frozen=True, slots=True)
class DetailCount:
    """How many came by a campaign, a store or the like behind a source."""

    source: str
    detail: str
    members: int

    @property
    def label(self) -> str:
        return str(Membership.Source(self.source).label)


@dataclass(frozen=True, slots=True)
class Joined:
    """By source, by what is behind the sources, and the new ones of some days by source."""

    sources: list[SourceCount]
    details: list[DetailCount]
    first: dt.date
    last: dt.date
    days: dict[str, dict[dt.date, int]]


def how_they_joined(program: Program, now: dt.datetime, days: int) -> Joined:
    """Everybody, and the new ones of so many days; it looks at every member."""
    last = now.astimezone(program.zone).date()
    first = last - dt.timedelta(days=days - 1)
    by_day = joined_by_day(program, first, last)
    return Joined(
        source_counts(program, now - dt.timedelta(days=30)), detail_counts(program), first, last,
        {source: dict(counted) for source, counted in by_day.items()},
    )  # fmt: skip


def members_of(program: Program) -> QuerySet[Membership]:
    """Everybody who ever joined, merged duplicates not counted."""
    return Membership.objects.filter(program=program, merged_into=None)


def source_counts(program: Program, since: dt.datetime) -> list[SourceCount]:
    """By source, the largest first; one query."""
    rows = list(
        members_of(program)
        .values("source")
        .annotate(
            members=Count("pk"),
            lately=Count("pk", filter=Q(enrolled_at__gte=since)),
            active=Count("pk", filter=Q(status=Membership.Status.ACTIVE)),
        )
        .order_by("-members", "source")
    )
    total = sum(row["members"] for row in rows) or 1
    return [
        SourceCount(
            row["source"], row["members"], row["lately"], row["active"], row["members"] / total
        )
        for row in rows
    ]  # fmt: skip


def detail_counts(program: Program) -> list[DetailCount]:
    """The campaigns, stores and the like behind the sources, the largest first."""
    rows = (
        members_of(program)
        .exclude(source_detail="")
        .values_list("source", "source_detail")
        .annotate(members=Count("pk"))
        .order_by("-members", "source", "source_detail")[:MOST_DETAILS]
    )
    return [DetailCount(*row) for row in rows]


def joined_by_day(
    program: Program, first: dt.date, last: dt.date
) -> Mapping[str, Counter[dt.date]]:
    """New members of each source by the program's days, both ends counted."""
    zone = program.zone
    since = dt.datetime.combine(first, dt.time(), zone)
    until = dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), zone)
    rows = (
        members_of(program)
        .filter(enrolled_at__gte=since, enrolled_at__lt=until)
        .values_list("source", TruncDate("enrolled_at", tzinfo=zone))
        .annotate(members=Count("pk"))
        .order_by("source")
    )
    found: defaultdict[str, Counter[dt.date]] = defaultdict(Counter)
    for source, day, members in rows:
        found[source][day] = members
    return found
