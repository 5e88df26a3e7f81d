"""Members under all their names."""

from __future__ import annotations

from collections.abc import Iterable

from loyalty.models import Membership


def selves(members: Iterable[Membership]) -> list[int]:
    """The keys of these memberships and of those that were merged into them. They are read first,
    so that what belongs to them is found by an index: told to look for one or the other through a
    join, the database reads all there is."""
    own = [member.pk for member in members]
    merged = Membership.objects.filter(merged_into__in=own).values_list("pk", flat=True)
    return [*own, *merged]
