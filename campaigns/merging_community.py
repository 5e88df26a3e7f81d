"""The community of two customers who turn out to be one person: what was read and said under either
name is theirs, and they have one name, and one place in the forum."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from campaigns.models import (
    CommentReport,
    CommunityName,
    ForumMember,
    PostComment,
    PostReading,
)
from loyalty.models import Membership
from members.merging import MergeHandler, Merging, Record, register_merge_handler

# Of each the kept one may have one as well: then the duplicate's stays where it is.
_ROWS: dict[str, type[Any]] = {
    "readings": PostReading, "comments": PostComment, "reports": CommentReport,
    "names": CommunityName, "forum": ForumMember,
}  # fmt: skip


def merge_community(merging: Merging) -> Record:
    """What the kept one has already stays theirs."""
    record: Record = {key: [] for key in _ROWS}
    duplicates = Membership.objects.filter(customer=merging.merged, merged_into__isnull=False)
    for duplicate in duplicates.order_by("pk"):
        kept = duplicate.merged_into_id
        for key, model in _ROWS.items():
            for row in _movable(key, model, duplicate.pk, kept):
                record[key].append([row.pk, duplicate.pk])
                model.objects.filter(pk=row.pk).update(membership=kept)
    return record


def part_community(merging: Merging, record: Record) -> None:
    """Each goes back to where it was; what is gone meanwhile stays gone."""
    for key, model in _ROWS.items():
        for pk, membership in record.get(key, []):
            model.objects.filter(pk=pk).update(membership=membership)


def register() -> None:
    """After memberships know which of them counts; called once, when the application is ready."""
    register_merge_handler(
        "community",
        MergeHandler(
            fields=(), merge=merge_community, undo=part_community,
        ),
        order=86,
    )  # fmt: skip


def _movable(key: str, model: type[Any], duplicate: int, kept: int | None) -> QuerySet[Any]:
    found: QuerySet[Any] = model.objects.filter(membership=duplicate).order_by("pk")
    theirs = model.objects.filter(membership=kept)
    if key == "readings":
        return found.exclude(post__in=theirs.values("post"))
    if key == "reports":
        return found.exclude(comment__in=theirs.values("comment"))
    if key in ("names", "forum") and theirs.exists():
        return found.none()
    return found
