"""Members under all their names."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from loyalty.models import Membership
from members.models import Customer
from members.prepared import KeptRows
from members.read_once import read_once


def selves(members: Iterable[Membership]) -> list[int]:
    """The keys of these memberships and of those that were merged into them. They are read first,
    so that what belongs to them is found by an index: told to look for one or the other through a
    join, the database reads all there is."""
    own = tuple(member.pk for member in members)
    return [*own, *read_once(("selves", own), lambda: _merged(own))]


def _merged(own: tuple[int, ...]) -> list[int]:
    return [pk for (pk,) in _duplicates.rows(list(own))] if own else []


_duplicates = KeptRows(
    lambda own: Membership.objects.filter(merged_into__among=own).values_list("pk"), ([1], [2])
)


def selves_of(customer: Customer) -> QuerySet[Membership, int]:
    """The same for all memberships of a customer, as a part of another query."""
    own = Membership.objects.filter(customer=customer, merged_into=None).order_by()
    merged = Membership.objects.filter(merged_into__in=own.values("pk")).order_by()
    return own.values_list("pk", flat=True).union(merged.values_list("pk", flat=True), all=True)
