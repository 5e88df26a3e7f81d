"""Tiers that were given by hand: who has one, giving one, ending one."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.models import ManualTier
from loyalty.rules.calendar import end_of_day
from loyalty.selectors.memberships import get_membership
from loyalty.services.manual_tiers import end_tier, give_tier
from members.api.bodies import (
    TEXT,
    Answer,
    Body,
    DayOrInstant,
    Reason,
    answer,
    read_body,
    read_query,
)
from members.api.idempotency import idempotent
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.errors import NotFoundError


class ManualTierIn(Body):
    tier: Annotated[str, Field(max_length=32, pattern=TEXT)] = Field(description="Its code.")
    reason: Reason = Field(description="For the merchant's staff.")
    until: DayOrInstant | None = Field(
        None,
        description="The last day in the program's time zone, or the instant at which it ends.",
    )


class ManualTierEnd(Body):
    reason: Reason


class ManualTierOut(Answer):
    id: UUID
    membership: UUID
    tier: str
    since: dt.datetime
    until: dt.datetime | None
    reason: str
    ended_at: dt.datetime | None = Field(description="Ended by hand before its end.")


class ManualTierPage(Page):
    results: list[ManualTierOut]


class ManualTiers(ApiView):
    scopes = {"GET": "memberships:read", "POST": "memberships:write"}

    @extend_schema(
        operation_id="listManualTiers",
        parameters=query_parameters(PageQuery),
        responses={200: ManualTierPage},
    )
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List what was given to a member by hand, newest first."""
        query = read_query(request, PageQuery)
        found = get_membership(membership_id).manual_tiers.select_related("membership")
        page = paginate(request, found, query, ordering=["-pk"], row=_out)
        return answer(ManualTierPage(**page))

    @extend_schema(operation_id="giveTier", request=ManualTierIn, responses={201: ManualTierOut})
    @idempotent(required=True)
    def post(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Give a member a tier by hand: they have at least this one, up to its end."""
        body = read_body(request, ManualTierIn)
        membership = get_membership(membership_id)
        until = body.until
        if until is not None and not isinstance(until, dt.datetime):
            until = end_of_day(until, membership.program.zone)
        given = give_tier(
            membership=membership, tier=body.tier, reason=body.reason, until=until,
            actor=self.actor, now=timezone.now(),
        )  # fmt: skip
        return answer(_out(given), HTTPStatus.CREATED)


class ManualTierEnding(ApiView):
    scopes = {"POST": "memberships:write"}

    @extend_schema(operation_id="endTier", request=ManualTierEnd, responses={200: ManualTierOut})
    @idempotent(required=True)
    def post(self, request: Request, manual_tier_id: UUID) -> HttpResponse:
        """End a tier that was given by hand now. Ending it again changes nothing."""
        body = read_body(request, ManualTierEnd)
        rows = ManualTier.objects.select_related("membership__merged_into", "membership__customer")
        given = rows.filter(public_id=manual_tier_id).first()
        if given is None:
            raise NotFoundError(_("There is no such tier by hand."))
        ended = end_tier(given=given, reason=body.reason, actor=self.actor, now=timezone.now())
        return answer(_out(ended))


def _out(given: ManualTier) -> ManualTierOut:
    return ManualTierOut(
        id=given.public_id, membership=given.membership.public_id, tier=given.tier_code,
        since=given.since, until=given.until, reason=given.reason, ended_at=given.ended_at,
    )  # fmt: skip
