"""How many members programs have: from the tallies that the database keeps, so that it costs the
same however many there are."""

from __future__ import annotations

import datetime as dt

from django.db.models import BigIntegerField, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from loyalty.models import Membership, MemberTally, Program

MERGED = Membership.Status.MERGED


def members_in(program: Program) -> int:
    """Everybody who ever joined, merged duplicates not counted."""
    rows = MemberTally.objects.filter(program=program).exclude(status=MERGED)
    return int(rows.aggregate(members=Sum("members", default=0))["members"])


def active_members_in(program: Program) -> int:
    rows = MemberTally.objects.filter(program=program, status=Membership.Status.ACTIVE)
    return int(rows.aggregate(members=Sum("members", default=0))["members"])


def joined_between(program: Program, first: dt.date, last: dt.date) -> int:
    """Those who joined from one of the program's days to another, merged duplicates not counted."""
    rows = MemberTally.objects.filter(program=program, joined_on__range=(first, last))
    found = rows.exclude(status=MERGED).aggregate(members=Sum("members", default=0))
    return int(found["members"])


def members_of_each() -> Coalesce:
    """For each of some programs, as `members_in`, within their own query."""
    rows = MemberTally.objects.filter(program=OuterRef("pk")).exclude(status=MERGED)
    sums = rows.order_by().values("program").annotate(of=Sum("members")).values("of")
    return Coalesce(Subquery(sums), 0, output_field=BigIntegerField())
