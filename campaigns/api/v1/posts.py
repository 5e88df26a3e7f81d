"""/posts: what members of a program find to read, and whether one of them may."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from campaigns.models import Post
from campaigns.post_words import told_post
from campaigns.selectors.posts import get_post, shown_posts
from campaigns.services.post_access import access_of, access_to
from loyalty.api.v1.pools import member_named
from loyalty.models import Membership
from members.api.bodies import Answer, PublicId, Query, answer, read_query, refuse_field
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.languages import locale_of
from rewards.services.access import Access

SHOWN = 100


class PostAccessOut(Answer):
    allowed: bool
    code: str = Field(
        description="allowed, program_not_live, not_active, not_for_you, not_yet, not_published"
    )
    message: str
    opens_at: dt.datetime | None = Field(description="Of not_yet: when it opens for this member.")


class PostOut(Answer):
    """A post as a member finds it, in their language. What it says is on their own page, and in
    the API of members."""

    id: UUID
    title: str
    teaser: str
    picture: str | None
    pinned: bool
    published_at: dt.datetime
    readers: int
    helpful: int
    comments: int
    access: PostAccessOut


class PostList(Answer):
    results: list[PostOut]


class PostQuery(Query):
    membership: PublicId = Field(description="As this member finds it.")


class Posts(ApiView):
    scopes = {"GET": "community:read"}

    @extend_schema(
        operation_id="listPosts", parameters=query_parameters(PostQuery),
        responses={200: PostList},
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        """List the posts of a member's program: what is on top, then the newest, 100 at most."""
        query = read_query(request, PostQuery)
        member, now = member_named(query.membership, "membership"), timezone.now()
        return answer(PostList(results=post_outputs(member, now)))


class PostAccess(ApiView):
    scopes = {"GET": "community:read"}

    @extend_schema(
        operation_id="checkPostAccess", parameters=query_parameters(PostQuery),
        responses={200: PostAccessOut},
    )  # fmt: skip
    def get(self, request: Request, post_id: UUID) -> HttpResponse:
        """Say whether a member may read a post now, and if not, why and from when on."""
        query, post, now = read_query(request, PostQuery), get_post(post_id), timezone.now()
        member = member_named(query.membership, "membership")
        if member.program_id != post.program_id:
            raise refuse_field("membership", _("It belongs to another program."))
        if not shown_posts(post.program, now).filter(pk=post.pk).exists():
            shut = Access(False, "not_published", _("It is not there, or not any more."))
            return answer(access_output(shut))
        return answer(access_output(access_of(post, member, now)))


def post_outputs(member: Membership, now: dt.datetime) -> list[PostOut]:
    found = list(shown_posts(member.program, now)[:SHOWN])
    access = access_to(found, member, now)
    return [post_output(post, access[post.pk], locale_of(member.customer)) for post in found]


def post_output(post: Post, access: Access, locale: str) -> PostOut:
    told = told_post(post, locale)
    counted = {name: getattr(post, name) for name in ("readers", "thanks", "said", "since")}
    return PostOut(
        id=post.public_id, title=told.title, teaser=told.teaser, picture=picture_url(post),
        pinned=post.pinned, published_at=counted["since"], readers=counted["readers"],
        helpful=counted["thanks"], comments=counted["said"], access=access_output(access),
    )  # fmt: skip


def picture_url(post: Post) -> str | None:
    if not post.picture:
        return None
    path = reverse("community:picture", args=[post.picture_name])
    return f"{settings.SITE_URL.rstrip('/')}{path}"


def access_output(access: Access) -> PostAccessOut:
    return PostAccessOut(
        allowed=access.allowed, code=access.code, message=access.words,
        opens_at=access.opens_at if not access.allowed else None,
    )  # fmt: skip
