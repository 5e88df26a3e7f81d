"""/me/memberships/{id}/referrals: a member's own code, what is promised, and whom they brought."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from campaigns.models import Referral
from campaigns.referral_definitions import definition_of
from campaigns.referral_words import member_sentences, member_status, told_referrals
from campaigns.selectors.referrals import brought_by, live_terms, own_figures
from campaigns.services.referral_links import address_of, link_of
from loyalty.api.v1.own_memberships import own_membership
from members.api.bodies import Answer, answer, read_query
from members.api.member_views import MEMBER, MemberView
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.errors import NotFoundError
from members.languages import locale_of
from members.selectors.merges import current


class OwnReferralCodeOut(Answer):
    """In the member's language."""

    code: str
    url: str
    title: str
    text: str
    share: str = Field(description="What to send; the address goes with it.")
    sentences: list[str] = Field(description="What else they need to know.")
    friends: int
    bought: int
    paid: int


class OwnReferralOut(Answer):
    name: str = Field(description="The friend's first name; or empty.")
    came_at: dt.datetime
    status: str = Field(description="How far it is, in words.")
    paid: bool


class OwnReferralPage(Page):
    results: list[OwnReferralOut]


class OwnReferralCode(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="getOwnReferralCode", responses={200: OwnReferralCodeOut})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Read the member's code and link, what bringing friends brings, and what it brought. 404:
        nobody brings friends in this program now."""
        member = own_membership(self, membership_id)
        terms, link = live_terms(member.program), link_of(member, timezone.now())
        if terms is None or link is None:
            raise NotFoundError(_("Nobody brings friends in this program at the moment."))
        definition, figures = definition_of(terms), own_figures(member)
        with self.in_own_language():
            told = told_referrals(definition, member.program, locale_of(member.customer))
            sentences = member_sentences(definition, member.program)
        return answer(
            OwnReferralCodeOut(
                code=link.code, url=address_of(link), title=told.title, text=told.text,
                share=told.share, sentences=sentences, friends=figures.friends,
                bought=figures.bought, paid=figures.paid,
            )
        )  # fmt: skip


class OwnReferrals(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(
        operation_id="listOwnReferrals",
        parameters=query_parameters(PageQuery),
        responses={200: OwnReferralPage},
    )
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List whom the member brought, newest first."""
        member = own_membership(self, membership_id)
        query = read_query(request, PageQuery)
        with self.in_own_language():
            page = paginate(request, brought_by(member), query, ordering=["-pk"], row=_out)
        return answer(OwnReferralPage(**page))


def _out(referral: Referral) -> OwnReferralOut:
    return OwnReferralOut(
        name=current(referral.friend).given_name, came_at=referral.came_at,
        status=member_status(referral), paid=referral.status == Referral.Status.PAID,
    )  # fmt: skip
