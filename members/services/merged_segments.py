"""What a merge does to lists that customers are on, and to what was worked out about them."""

from __future__ import annotations

from django.db.models import Q

from members.merging import (
    MergeHandler,
    Merging,
    Record,
    register_merge_handler,
)
from members.models import Customer, CustomerFacts, Segment, SegmentMember

FOREIGN_KEYS = ("members.segmentmember.customer", "members.customerfacts.customer")


def merge_segments(merging: Merging) -> Record:
    """Who is kept is on both customers' lists. Segments by a condition and the facts behind them
    are worked out anew."""
    kept, merged = merging.kept, merging.merged
    own = SegmentMember.objects.filter(customer=kept).values("segment")
    lists = Segment.objects.filter(kind=Segment.Kind.STATIC, members__customer=merged)
    added = list(lists.exclude(pk__in=own).values_list("pk", flat=True))
    SegmentMember.objects.bulk_create(
        SegmentMember(segment_id=pk, customer=kept, since=merging.now) for pk in added
    )
    _resize(merged, without=True)
    _forget(kept, merged)
    return {"lists": added}


def part_segments(merging: Merging, record: Record) -> None:
    """Who was kept leaves the other one's lists again."""
    SegmentMember.objects.filter(customer=merging.kept, segment__in=record["lists"]).delete()
    _resize(merging.merged, without=False)
    _forget(merging.kept, merging.merged)


def _resize(merged: Customer, *, without: bool) -> None:
    """Who was merged away stays on their lists, for the case that the merge is undone, and does
    not count there."""
    gone = ~Q(customer__merged_into=None) & ~Q(customer=merged)
    for each in Segment.objects.filter(kind=Segment.Kind.STATIC, members__customer=merged):
        counted = each.members.exclude(gone)
        each.size = counted.exclude(customer=merged).count() if without else counted.count()
        each.save(update_fields=["size"])


def _forget(*customers: Customer) -> None:
    CustomerFacts.objects.filter(customer__in=customers).delete()


def register() -> None:
    register_merge_handler(
        "segments",
        MergeHandler(
            fields=FOREIGN_KEYS,
            merge=merge_segments,
            undo=part_segments,
        ),
    )
