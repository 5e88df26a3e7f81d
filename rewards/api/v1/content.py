"""/content: the library as a member finds it, and links to what is in it."""

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

from loyalty.api.v1.pools import member_named
from members.api.bodies import (
    Answer,
    Body,
    PublicId,
    Query,
    answer,
    read_body,
    read_query,
    refuse_field,
)
from members.api.schema import query_parameters
from members.api.views import ApiView
from rewards.errors import ContentRefusedError
from rewards.selectors.content import get_content, library
from rewards.services.content import LINK_FOR, Entry, entries_for, signed_token


class ContentOut(Answer):
    id: UUID
    code: str
    title: str
    summary: str
    kind: str = Field(description="file or link")
    allowed: bool
    reward: UUID | None = Field(description="To be taken first, where it is not null.")
    message: str = Field(description="Why not, if not.")


class ContentList(Answer):
    results: list[ContentOut]


class ContentQuery(Query):
    membership: PublicId = Field(description="As this member finds it.")


class ContentLinkIn(Body):
    membership: PublicId


class ContentLinkOut(Answer):
    url: str = Field(description="Opens without signing in. Ask for it when it is clicked.")
    expires_at: dt.datetime


class Content(ApiView):
    scopes = {"GET": "rewards:read"}

    @extend_schema(
        operation_id="listContent",
        parameters=query_parameters(ContentQuery),
        responses={200: ContentList},
    )
    def get(self, request: Request) -> HttpResponse:
        """List the library of a member's program: what they may have, and what they could."""
        query = read_query(request, ContentQuery)
        member = member_named(query.membership, "membership")
        found = entries_for(list(library(member.program)), member, timezone.now())
        return answer(ContentList(results=[content_out(entry) for entry in found]))


class ContentLink(ApiView):
    scopes = {"POST": "rewards:read"}

    @extend_schema(
        operation_id="linkContent", request=ContentLinkIn, responses={200: ContentLinkOut}
    )
    def post(self, request: Request, content_id: UUID) -> HttpResponse:
        """Get a link for a member, good for a quarter of an hour. Whoever may not have it is
        refused with 409 `content_refused`. Nothing is written; it is counted when it is used."""
        body, item, now = read_body(request, ContentLinkIn), get_content(content_id), timezone.now()
        member = member_named(body.membership, "membership")
        if member.program_id != item.program_id:
            raise refuse_field("membership", _("It belongs to another program."))
        [entry] = entries_for([item], member, now)
        if not entry.allowed:
            raise ContentRefusedError(entry.refusal or _("It has to be taken first."))
        path = reverse("rewards_account:content_link", args=[signed_token(item, member)])
        return answer(ContentLinkOut(url=settings.SITE_URL + path, expires_at=now + LINK_FOR))


def content_out(entry: Entry) -> ContentOut:
    item = entry.item
    return ContentOut(
        id=item.public_id,
        code=item.code,
        title=item.title,
        summary=item.summary,
        kind="link" if item.link else "file",
        allowed=entry.allowed,
        reward=item.reward.public_id if item.reward and entry.to_take else None,
        message=entry.refusal,
    )
