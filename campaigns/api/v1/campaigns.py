"""/campaigns: what members get for a while, and what it brings; and what is on for one of them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from campaigns.api.v1.campaign_changes import WRITE, CampaignDraft, CampaignDrafts
from campaigns.api.v1.campaign_outputs import CampaignOut, campaign_out
from campaigns.api.v1.compared import ComparedOut, compared_out
from campaigns.campaign_cards import card_of
from campaigns.models import Campaign
from campaigns.selectors.campaign_results import result_of
from campaigns.selectors.campaigns import get_campaign, promotions, shown_to
from campaigns.selectors.money_budgets import budget_of
from loyalty.api.v1.own_memberships import own_membership
from loyalty.plain_numbers import exact
from members.api.bodies import Answer, answer, read_query
from members.api.member_views import MEMBER, MemberView
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.languages import locale_of


class CampaignQuery(PageQuery):
    program: Annotated[str, Field(max_length=64)] = ""


class CampaignPage(Page):
    results: list[CampaignOut]


class CampaignBudgetOut(Answer):
    """In money of what is taken off prices, else in units."""

    whole: str
    used: str = Field(description="By orders, less what came back, and by carts.")
    held: str = Field(description="What of that carts hold until they are paid; of units 0.")
    uncovered: str = Field(
        description="What orders took off prices beyond it, for which no cart had held anything."
    )


class CampaignResultOut(Answer):
    reach: int = Field(description="Members who get it.")
    aside: int = Field(description="Members who are kept aside.")
    takers: int
    orders: int = Field(description="Orders that got something by it, and kept it.")
    units: str = Field(description="Units given, less those taken back.")
    money: str = Field(description="What those are worth, or what was taken off prices.")
    currency: str
    budget: CampaignBudgetOut | None = Field(description="Null: it has none.")
    orders_per_head: ComparedOut | None = Field(description="Null: too few to say anything.")
    revenue_per_head: ComparedOut | None


class OwnCampaignOut(Answer):
    """In the member's language."""

    id: UUID
    title: str
    text: str
    coming: bool = Field(description="It has not begun: the title is its teaser.")
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    code: str = Field(description="To be typed at the checkout; empty: none, or one of their own.")


class OwnCampaignList(Answer):
    results: list[OwnCampaignOut]


class Campaigns(CampaignDrafts):
    scopes = {"GET": "campaigns:read", "POST": WRITE}

    @extend_schema(
        operation_id="listCampaigns",
        parameters=query_parameters(CampaignQuery),
        responses={200: CampaignPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List promotions, newest first."""
        query = read_query(request, CampaignQuery)
        rows = promotions()
        if query.program:
            rows = rows.filter(program__code=query.program)
        page = paginate(request, rows, query, ordering=["-pk"], row=campaign_out)
        return answer(CampaignPage(**page))


class OneCampaign(CampaignDraft):
    scopes = {"GET": "campaigns:read", "PUT": WRITE, "DELETE": WRITE}

    @extend_schema(operation_id="getCampaign", responses={200: CampaignOut})
    def get(self, request: Request, campaign_id: UUID) -> HttpResponse:
        """Read a promotion."""
        return answer(campaign_out(get_campaign(campaign_id)))


class CampaignResults(ApiView):
    scopes = {"GET": "campaigns:read"}

    @extend_schema(operation_id="getCampaignResults", responses={200: CampaignResultOut})
    def get(self, request: Request, campaign_id: UUID) -> HttpResponse:
        """Read what a promotion has given so far, and what it brings beside those kept aside."""
        found = get_campaign(campaign_id)
        result = result_of(found, timezone.now())
        given = result.given
        return answer(
            CampaignResultOut(
                reach=result.reach, aside=result.aside, takers=given.takers, orders=given.orders,
                units=exact(given.units, 0), money=exact(given.money, 2),
                currency=found.program.currency, budget=_budget(found),
                orders_per_head=compared_out(result.by_orders),
                revenue_per_head=compared_out(result.by_revenue),
            )
        )  # fmt: skip


def _budget(found: Campaign) -> CampaignBudgetOut | None:
    budget = budget_of(found)
    if budget is None:
        return None
    places = 0 if budget.unit else 2
    names = {"whole": "whole", "used": "given", "held": "held", "uncovered": "uncovered"}
    said = {name: exact(getattr(budget, own), places) for name, own in names.items()}
    return CampaignBudgetOut(**said)


class OwnCampaigns(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="listOwnCampaigns", responses={200: OwnCampaignList})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List the promotions that are on for the member, and those that are announced to them;
        what ends or begins first comes first."""
        member, now = own_membership(self, membership_id), timezone.now()
        with self.in_own_language():
            found = [_own(item, now, locale_of(member.customer)) for item in shown_to(member, now)]
        return answer(OwnCampaignList(results=found))


def _own(campaign: Campaign, now: dt.datetime, locale: str) -> OwnCampaignOut:
    card = card_of(campaign, now, locale)
    return OwnCampaignOut(
        id=campaign.public_id, title=card.title, text=card.text, coming=card.is_coming,
        starts_at=campaign.starts_at, ends_at=campaign.ends_at, code=card.code,
    )  # fmt: skip
