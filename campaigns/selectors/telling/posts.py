"""What is told outside of posts and of what is said to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from campaigns.models import Post, PostComment
from loyalty.selectors.telling.people import MEMBERSHIP, PROGRAM
from members.models import OutboxEvent
from members.models.telling import ToldRow
from members.public_events import CustomerRef, EventData, EventType, PublicEvent, named_rows
from members.selectors.told_customers import SAMPLE as CUSTOMER

PUBLISHED, ARCHIVED, COMMENTED = "post.published", "post.archived", "post.commented"


class PostData(EventData):
    """A post, as it is when it is told. What it says is read by the API, for a member."""

    post: str = Field(description="The post's id in the API: GET /posts.")
    program: str = Field(description="The program's code.")
    title: str
    state: Post.State
    for_everybody: bool = Field(description="No condition says who may read it.")


class PostCommentData(EventData):
    """A member said something to a post; it waits for staff. What they said is not told."""

    post: str = Field(description="The post's id in the API: GET /posts.")
    comment: str = Field(description="The comment's id.")
    program: str = Field(description="The program's code.")
    membership: str = Field(description="The membership's id in the API.")
    customer: CustomerRef


_ID, _SAID = "3f2c8f1e-5b7d-4a61-9f0e-2b1c4d5e6f70", "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"
_SAMPLE = PostData(
    post=_ID, program=PROGRAM, title="Baking bread at home", state=Post.State.PUBLISHED,
    for_everybody=True,
)  # fmt: skip
POST_TYPES = [
    EventType(PUBLISHED, _("A post has appeared for members."), PostData, _SAMPLE),
    EventType(ARCHIVED, _("A post was put away."), PostData,
              _SAMPLE.model_copy(update={"state": Post.State.ARCHIVED})),
]  # fmt: skip
COMMENT_TYPES = [
    EventType(
        COMMENTED, _("A member has said something to a post."), PostCommentData,
        PostCommentData(post=_ID, comment=_SAID, program=PROGRAM, membership=MEMBERSHIP,
                        customer=CUSTOMER),
    )
]  # fmt: skip


def tell_posts(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, _names)
    found = Post.objects.select_related("program").in_bulk([item.row.id for item in named])
    for item in named:
        post = found[item.row.id]
        yield item.told(post.program.code, _data(post))


def tell_comments(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, lambda row: [COMMENTED] if row.is_new else [])
    rows = PostComment.objects.select_related("post__program", "membership__customer")
    found = rows.in_bulk([item.row.id for item in named])
    for item in named:
        comment = found[item.row.id]
        yield item.told(comment.post.program.code, _comment(comment))


def _names(row: ToldRow) -> list[str]:
    if row.became == Post.State.PUBLISHED:
        return [PUBLISHED]
    return [ARCHIVED] if row.became == Post.State.ARCHIVED else []


def _data(post: Post) -> PostData:
    return PostData(
        post=str(post.public_id), program=post.program.code, title=post.title,
        state=Post.State(post.state), for_everybody=not post.when,
    )  # fmt: skip


def _comment(comment: PostComment) -> PostCommentData:
    return PostCommentData(
        post=str(comment.post.public_id), comment=str(comment.public_id),
        program=comment.post.program.code, membership=str(comment.membership.public_id),
        customer=CustomerRef.of(comment.membership.customer),
    )  # fmt: skip
