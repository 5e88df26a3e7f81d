"""Which posts there are, and what is said to them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _

from campaigns.models import CommentReport, Post, PostComment, PostReading
from loyalty.models import Membership, Program
from loyalty.segment_uses import Asking, segments_asked_for
from members.errors import NotFoundError
from members.segment_uses import SegmentUse, register_segment_uses

State = Post.State
Comment = PostComment.State


def posts() -> QuerySet[Post]:
    return Post.objects.select_related("program", "item")


def counted_posts() -> QuerySet[Post]:
    """With how many members read each and found it helpful, and what they said; newest first."""
    theirs = PostReading.objects.filter(membership__merged_into=None)
    comments = PostComment.objects
    return (
        posts()
        .annotate(
            readers=_how_many(theirs),
            thanks=_how_many(theirs.filter(helpful_at__isnull=False)),
            said=_how_many(comments.filter(state=Comment.SHOWN)),
            waiting=_how_many(comments.filter(state=Comment.WAITING)),
        )
        .order_by("-created_at", "-pk")
    )  # fmt: skip


def _how_many(rows: QuerySet[Any]) -> Coalesce:
    """Of a post, each counted by itself: joined, each reading would come with each comment."""
    counted = rows.filter(post=OuterRef("pk")).order_by().values("post").annotate(of=Count("pk"))
    return Coalesce(Subquery(counted.values("of")), 0)


def get_post(public_id: UUID | str) -> Post:
    """Raises NotFoundError."""
    found = posts().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError("There is no such post.")
    return found


def shown_posts(program: Program, now: dt.datetime) -> QuerySet[Post]:
    """What members of a program find: what is on top first, then the newest. What is to appear by
    now is there, whether or not that was written down yet."""
    there = Q(state=State.PUBLISHED) | Q(state=State.SCHEDULED, publish_at__lte=now)
    return (
        counted_posts()
        .filter(there, program=program)
        .annotate(since=Coalesce(F("published_at"), F("publish_at")))
        .order_by("-pinned", "-since", "-pk")
    )


def readings_of(membership: Membership, found: list[Post]) -> dict[int, PostReading]:
    """What the member has read, by post."""
    rows = PostReading.objects.filter(membership=membership, post__in=found)
    return {row.post_id: row for row in rows}


def comments() -> QuerySet[PostComment]:
    return PostComment.objects.select_related(
        "post__program", "membership__customer", "membership__program",
        "membership__community_name",
    )  # fmt: skip


def comments_for(post: Post, membership: Membership) -> QuerySet[PostComment]:
    """What a member reads: what staff let through, and their own that waits."""
    theirs = Q(state=Comment.WAITING, membership=membership)
    return comments().filter(Q(state=Comment.SHOWN) | theirs, post=post)


def comment_queue() -> QuerySet[PostComment]:
    """What staff have to look at: what is new, and what members complain of; oldest first."""
    complained = Count("reports", filter=Q(reports__settled_at=None))
    return (
        comments()
        .annotate(complaints=complained)
        .filter(Q(state=Comment.WAITING) | Q(state=Comment.SHOWN, complaints__gt=0))
        .order_by("written_at", "pk")
    )


def waiting_comments() -> int:
    """How many are in the queue."""
    open_reports = CommentReport.objects.filter(
        settled_at=None, comment__state=Comment.SHOWN
    ).values("comment")
    return PostComment.objects.filter(Q(state=Comment.WAITING) | Q(pk__in=open_reports)).count()


def uses_of_segments() -> Iterator[SegmentUse]:
    """Of posts that are not put away."""
    found = Post.objects.exclude(state=State.ARCHIVED).exclude(when={})
    asking = (
        Asking(
            item.pk, item.when, f"{item.title} ({item.program.name})",
            reverse("community_backoffice:post", args=[item.public_id]),
        )
        for item in found.select_related("program")
    )  # fmt: skip
    return segments_asked_for(_("post"), asking)


def register() -> None:
    """Called once, when the application is ready."""
    register_segment_uses("posts", uses_of_segments)
