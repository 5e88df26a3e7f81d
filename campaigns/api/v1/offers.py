"""What is offered to a member alone, and the draws of surprises, so that they can be checked."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from campaigns.campaign_words import told_campaign
from campaigns.models import PersonalOffer, SurpriseDraw, SurpriseTicket
from campaigns.offer_cards import offer_card
from campaigns.selectors.campaigns import get_campaign
from campaigns.selectors.personal_offers import offers_to
from campaigns.selectors.surprises import draws_of
from campaigns.services.personal_offers import mark_seen
from loyalty.api.v1.own_memberships import own_membership
from loyalty.models import Membership
from loyalty.plain_numbers import exact
from loyalty.selectors.memberships import get_membership
from members.api.bodies import Answer, answer
from members.api.idempotency import idempotent
from members.api.member_views import MEMBER, MemberView
from members.api.views import ApiView
from members.errors import NotFoundError
from members.languages import locale_of


class OwnPersonalOfferOut(Answer):
    """In the member's language. What ends first comes first."""

    id: UUID
    campaign: UUID
    title: str
    gives: str = Field(description="What it gives, in words.")
    reason: str = Field(description="Why they have it, in words.")
    target: str = Field(description="The category or SKU that it holds for.")
    state: PersonalOffer.State
    starts_at: dt.datetime
    ends_at: dt.datetime
    taken_at: dt.datetime | None


class OwnPersonalOfferList(Answer):
    results: list[OwnPersonalOfferOut]


class PersonalOfferOut(OwnPersonalOfferOut):
    """As the member reads it, and what it was ranked by."""

    score: str = Field(
        description="What it was ranked by among what they could be offered: margins are in it, "
        "so members do not read it."
    )


class PersonalOfferList(Answer):
    results: list[PersonalOfferOut]


class SurpriseDrawOut(Answer):
    number: int
    due_at: dt.datetime
    commitment: str = Field(description="SHA-256 of the seed, known before anybody is drawn.")
    seed: str = Field(description="In hexadecimal digits; empty: nobody was drawn yet.")
    list_hash: str = Field(description="SHA-256 of the names in order, each in a line.")
    eligible: int
    chosen: int
    drawn_at: dt.datetime | None


class SurpriseDrawList(Answer):
    results: list[SurpriseDrawOut]


class OwnSurpriseDrawOut(SurpriseDrawOut):
    """A draw that the member could be chosen in. Their proof is HMAC-SHA-256, by the seed, of the
    list's hash, a `|` and their name; the lowest proofs are chosen."""

    title: str
    name: str
    proof: str
    place: int
    won: bool


class OwnSurpriseDrawList(Answer):
    results: list[OwnSurpriseDrawOut]


class MemberOffers(ApiView):
    scopes = {"GET": "campaigns:read"}

    @extend_schema(operation_id="listMemberOffers", responses={200: PersonalOfferList})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List what is offered to a member alone now, as for the shop's own pages."""
        member, now = get_membership(membership_id), timezone.now()
        found = [
            PersonalOfferOut(**_offer(offer, now, member), score=exact(offer.score, 0))
            for offer in offers_to(member, now)
        ]
        return answer(PersonalOfferList(results=found))


class OwnOffers(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="listOwnOffers", responses={200: OwnPersonalOfferList})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List what is offered to the member alone now."""
        return answer(_own_offers(own_membership(self, membership_id), timezone.now()))


class OwnOfferSeen(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(operation_id="seeOwnOffer", request=None, responses={200: OwnPersonalOfferList})
    @idempotent()
    def post(self, request: Request, membership_id: UUID, offer_id: UUID) -> HttpResponse:
        """Say that the member has seen an offer; again changes nothing."""
        member, now = own_membership(self, membership_id), timezone.now()
        found = [offer for offer in offers_to(member, now) if offer.public_id == offer_id]
        if not found:
            raise NotFoundError("There is no such offer.")
        mark_seen(found, now)
        return answer(_own_offers(member, now))


class OwnSurprises(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="listOwnSurprises", responses={200: OwnSurpriseDrawList})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List the draws that the member could be chosen in, newest first: what it takes to check
        their place."""
        member = own_membership(self, membership_id)
        rows = SurpriseTicket.objects.filter(membership=member).select_related("draw__campaign")
        locale = locale_of(member.customer)
        found = [_own_draw(ticket, locale) for ticket in rows.order_by("-pk")[:100]]
        return answer(OwnSurpriseDrawList(results=found))


class CampaignDraws(ApiView):
    scopes = {"GET": "campaigns:read"}

    @extend_schema(operation_id="listCampaignDraws", responses={200: SurpriseDrawList})
    def get(self, request: Request, campaign_id: UUID) -> HttpResponse:
        """List the draws of a surprise, newest first."""
        found = draws_of(get_campaign(campaign_id))
        return answer(SurpriseDrawList(results=[SurpriseDrawOut(**_draw(draw)) for draw in found]))


def _own_offers(member: Membership, now: dt.datetime) -> OwnPersonalOfferList:
    found = [OwnPersonalOfferOut(**_offer(offer, now, member)) for offer in offers_to(member, now)]
    return OwnPersonalOfferList(results=found)


def _offer(offer: PersonalOffer, now: dt.datetime, member: Membership) -> dict[str, Any]:
    card = offer_card(offer, now, locale_of(member.customer))
    return {
        "id": offer.public_id, "campaign": offer.campaign.public_id, "title": card.title,
        "gives": card.gives, "reason": card.reason, "target": offer.target,
        "state": PersonalOffer.State(offer.state), "starts_at": offer.starts_at,
        "ends_at": offer.ends_at, "taken_at": offer.taken_at,
    }  # fmt: skip


def _draw(draw: SurpriseDraw) -> dict[str, object]:
    return {
        "number": draw.number, "due_at": draw.due_at, "commitment": draw.commitment,
        "seed": draw.revealed, "list_hash": draw.list_hash, "eligible": draw.eligible,
        "chosen": draw.chosen, "drawn_at": draw.drawn_at,
    }  # fmt: skip


def _own_draw(ticket: SurpriseTicket, locale: str) -> OwnSurpriseDrawOut:
    title = told_campaign(ticket.draw.campaign, locale).title
    return OwnSurpriseDrawOut(
        **_draw(ticket.draw), title=title, name=str(ticket.name),
        proof=ticket.proof, place=ticket.place, won=ticket.chosen,
    )  # fmt: skip
