"""/me/memberships/{id}/posts: what a member finds to read, reads, and says to it."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from campaigns.api.v1.posts import PostOut, post_output, post_outputs
from campaigns.community_badges import badges_of
from campaigns.models import CommunityName, Post, PostComment
from campaigns.post_markdown import shown_post
from campaigns.post_words import told_post
from campaigns.selectors.posts import comments_for, readings_of, shown_posts
from campaigns.services.community_names import choose_name
from campaigns.services.post_access import access_of
from campaigns.services.post_comments import (
    LONGEST,
    report_comment,
    withdraw_comment,
    write_comment,
)
from campaigns.services.post_readings import read_post, say_helpful
from loyalty.api.v1.own_memberships import own_membership
from loyalty.models import Membership
from members.api.bodies import Answer, Body, answer, read_body
from members.api.idempotency import idempotent, number_of
from members.api.member_views import MEMBER, MemberView
from members.errors import NotFoundError
from members.languages import locale_of

SHOWN_COMMENTS = 200


class OwnPostList(Answer):
    results: list[PostOut]


class OwnCommentOut(Answer):
    id: UUID
    name: str = Field(description="What the member is called here; or empty.")
    badge: str = Field(description="The name of their tier; or empty.")
    text: str
    state: PostComment.State = Field(description="Others read it once it is shown.")
    written_at: dt.datetime
    own: bool


class OwnPostOut(Answer):
    """A post that the member opened. Without access it says nothing but what all see."""

    post: PostOut
    html: str | None = Field(description="What it says, as HTML that was cleaned.")
    read_at: dt.datetime | None
    helpful: bool
    comments_open: bool
    comments: list[OwnCommentOut]


class OwnPostReadingIn(Body):
    helpful: bool | None = Field(None, description="Null: as it is.")


class OwnPostReadingOut(Answer):
    read_at: dt.datetime
    helpful: bool


class OwnCommentIn(Body):
    text: Annotated[str, Field(min_length=1, max_length=LONGEST, pattern=r"^[^\x00]*$")]
    name: Annotated[str, Field(max_length=20)] = Field(
        "", description="What others read; needed the first time, and kept."
    )


class ReportOut(Answer):
    reported_at: dt.datetime


class OwnPosts(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="listOwnPosts", responses={200: OwnPostList})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List what there is to read, as the member finds it."""
        member, now = own_membership(self, membership_id), timezone.now()
        return answer(OwnPostList(results=post_outputs(member, now)))


class OwnPost(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="getOwnPost", responses={200: OwnPostOut})
    def get(self, request: Request, membership_id: UUID, post_id: UUID) -> HttpResponse:
        """One post with what members said to it. That it was read is said beside."""
        member, now = own_membership(self, membership_id), timezone.now()
        return answer(_out(_post(member, post_id, now), member, now))


class OwnPostReading(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(
        operation_id="readOwnPost", request=OwnPostReadingIn, responses={200: OwnPostReadingOut}
    )
    @idempotent()
    def post(self, request: Request, membership_id: UUID, post_id: UUID) -> HttpResponse:
        """Note that the member read it, and whether it helped. Who may not is refused with
        `post_closed`."""
        member, now = own_membership(self, membership_id), timezone.now()
        body, post = read_body(request, OwnPostReadingIn), _post(member, post_id, now)
        if body.helpful is None:
            reading = read_post(post=post, membership=member, now=now)
        else:
            reading = say_helpful(post=post, membership=member, helpful=body.helpful, now=now)
        return answer(
            OwnPostReadingOut(read_at=reading.first_at, helpful=reading.helpful_at is not None)
        )


class OwnPostComments(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(
        operation_id="commentOwnPost", request=OwnCommentIn, responses={201: OwnCommentOut}
    )
    @idempotent()
    def post(self, request: Request, membership_id: UUID, post_id: UUID) -> HttpResponse:
        """Say something to a post, under a name that others read. It waits until staff let it
        through."""
        member, now = own_membership(self, membership_id), timezone.now()
        body, post = read_body(request, OwnCommentIn), _post(member, post_id, now)
        if body.name and not CommunityName.objects.filter(membership=member).exists():
            choose_name(membership=member, name=body.name, now=now)
        form = number_of(self, request)
        comment = write_comment(post=post, membership=member, text=body.text, form=form, now=now)
        return answer(_comments([comment], member, now)[0], HTTPStatus.CREATED)


class OwnPostComment(MemberView):
    scopes = {"DELETE": MEMBER}

    @extend_schema(operation_id="withdrawOwnComment", request=None, responses={204: None})
    def delete(
        self, request: Request, membership_id: UUID, post_id: UUID, comment_id: UUID
    ) -> HttpResponse:
        """Take back what they said: nothing of it is kept. Again changes nothing."""
        member, now = own_membership(self, membership_id), timezone.now()
        rows = PostComment.objects.filter(membership=member)
        comment = _comment(rows, _post(member, post_id, now), comment_id)
        withdraw_comment(comment=comment, membership=member)
        return HttpResponse(status=HTTPStatus.NO_CONTENT)


class OwnCommentReport(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(operation_id="reportComment", request=None, responses={200: ReportOut})
    @idempotent()
    def post(
        self, request: Request, membership_id: UUID, post_id: UUID, comment_id: UUID
    ) -> HttpResponse:
        """Say that something should not be there. Each member says so once; staff look at it."""
        member, now = own_membership(self, membership_id), timezone.now()
        rows = PostComment.objects.exclude(state=PostComment.State.WITHDRAWN)
        comment = _comment(rows, _post(member, post_id, now), comment_id)
        report = report_comment(comment=comment, membership=member, now=now)
        return answer(ReportOut(reported_at=report.at))


def _comment(rows: QuerySet[PostComment], post: Post, comment_id: UUID) -> PostComment:
    found = rows.filter(post=post, public_id=comment_id).first()
    if found is None:
        raise NotFoundError("There is no such comment.")
    return found


def _post(member: Membership, post_id: UUID, now: dt.datetime) -> Post:
    found = shown_posts(member.program, now).filter(public_id=post_id).first()
    if found is None:
        raise NotFoundError("This member's program has no such post.")
    return found


def _out(post: Post, member: Membership, now: dt.datetime) -> OwnPostOut:
    access, locale = access_of(post, member, now), locale_of(member.customer)
    reading = readings_of(member, [post]).get(post.pk)
    said = list(comments_for(post, member)[:SHOWN_COMMENTS]) if access.allowed else []
    return OwnPostOut(
        post=post_output(post, access, locale),
        html=str(shown_post(told_post(post, locale).body)) if access.allowed else None,
        read_at=reading.first_at if reading else None,
        helpful=reading is not None and reading.helpful_at is not None,
        comments_open=post.comments_open, comments=_comments(said, member, now),
    )  # fmt: skip


def _comments(
    found: list[PostComment], member: Membership, now: dt.datetime
) -> list[OwnCommentOut]:
    badges = badges_of([row.membership for row in found], now)
    return [
        OwnCommentOut(
            id=row.public_id, name=str(getattr(row.membership, "community_name", "")),
            badge=badges.get(row.membership_id, ""), text=row.text,
            state=PostComment.State(row.state), written_at=row.written_at,
            own=row.membership_id == member.pk,
        )
        for row in found
    ]  # fmt: skip
