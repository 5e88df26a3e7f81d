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
    label: str
    members: int
    lately: int
    active: int
    share: float


def members_of(program: Program) -> QuerySet[Membership]:
    """Everybody who ever joined, merged duplicates not counted."""
    return Membership.objects.filter(program=program, merged_into=None)


def source_counts(program: Program, since: dt.datetime) -> list[SourceCount]:
    """By source, the largest first; one query."""
    labels = dict(Membership.Source.choices)
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
            row["source"], str(labels[row["source"]]), row["members"], row["lately"],
            row["active"], row["members"] / total,
        )
        for row in rows
    ]  # fmt: skip


def detail_counts(program: Program) -> list[tuple[str, str, int]]:
    """The campaigns, stores and the like behind the sources: source in words, detail, members."""
    labels = dict(Membership.Source.choices)
    rows = (
        members_of(program)
        .exclude(source_detail="")
        .values_list("source", "source_detail")
        .annotate(members=Count("pk"))
        .order_by("-members", "source", "source_detail")[:MOST_DETAILS]
    )
    return [(str(labels[source]), detail, members) for source, detail, members in rows]


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
