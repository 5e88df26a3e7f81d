"""Which segments there are, and who is in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from members.models import Segment, SegmentMember


def segments_of(customer_ids: Iterable[int]) -> dict[int, frozenset[str]]:
    """The codes of the segments that each customer is in, in one query."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    rows = SegmentMember.objects.filter(customer__in=list(customer_ids)).values_list(
        "customer_id", "segment__code"
    )
    for customer_id, code in rows:
        found[customer_id].add(code)
    return {customer_id: frozenset(codes) for customer_id, codes in found.items()}


def segment_choices() -> list[tuple[str, str]]:
    """Codes and names of those that are in use."""
    return list(Segment.objects.filter(archived_at=None).values_list("code", "name"))
