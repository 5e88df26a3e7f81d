"""Writing promotions: drafts, their codes, and what becomes of them."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Annotated, Any, Protocol
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from campaigns.api.v1.campaign_outputs import CampaignOut, campaign_out
from campaigns.campaign_definitions import CampaignDefinition
from campaigns.models import Campaign, PromoCode
from campaigns.selectors.campaigns import get_campaign
from campaigns.services.campaigns import (
    change_campaign,
    create_campaign,
    delete_campaign,
    end_campaign,
    pause_campaign,
    publish_campaign,
    resume_campaign,
    withdraw_campaign,
)
from campaigns.services.promo_codes import AT_ONCE, make_codes, write_codes
from loyalty.models import Program
from members.api.bodies import (
    NAME,
    TEXT,
    Answer,
    Body,
    answer,
    read_body,
    read_query,
    refuse_field,
)
from members.api.idempotency import idempotent
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.services.audit import Actor

WRITE = "campaigns:write"


class CampaignIn(CampaignDefinition):
    """A promotion as a draft: all that staff say of it."""

    program: Annotated[str, Field(max_length=64, pattern=TEXT)]
    code: Annotated[str, Field(max_length=40, pattern=NAME)] | None = Field(
        None, description="By default made of the name. One that is taken gets a number."
    )


class CampaignChangesIn(CampaignDefinition):
    """A draft as it shall be; its template stays."""

    revision: int | None = Field(
        None, description="What you have read: refused with 409 where it was changed since."
    )


class PromoCodesIn(Body):
    """More codes that are used once each: made, or your own."""

    number: Annotated[int, Field(ge=1, le=AT_ONCE)] | None = Field(
        None, description="So many that nobody can guess."
    )
    codes: tuple[Annotated[str, Field(min_length=4, max_length=48, pattern=TEXT)], ...] = Field(
        (), max_length=AT_ONCE, description="Those that came from elsewhere."
    )


class PromoCodesMade(Answer):
    added: int = Field(description="Those that were not there before.")


class PromoCodeRow(Answer):
    code: str
    uses: int = Field(description="By orders and by carts that keep it now.")
    most_uses: int | None = Field(description="Null: no limit.")


class PromoCodePage(Page):
    results: list[PromoCodeRow]


class CampaignDrafts(ApiView):
    """The writing half of /campaigns; see `campaigns.api.v1.campaigns.Campaigns`."""

    @extend_schema(operation_id="createCampaign", request=CampaignIn, responses={201: CampaignOut})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Write a promotion as a draft. It gives nothing before it is published."""
        body = read_body(request, CampaignIn)
        program = Program.objects.filter(code=body.program).first()
        if program is None:
            raise refuse_field("program", _("There is no such program."), "not_found")
        made = create_campaign(
            program=program, definition=_definition(body), actor=self.actor, now=timezone.now(),
            code=body.code or "",
        )  # fmt: skip
        return answer(campaign_out(made), HTTPStatus.CREATED)


class CampaignDraft(ApiView):
    """The writing half of /campaigns/{id}."""

    @extend_schema(
        operation_id="changeCampaign", request=CampaignChangesIn, responses={200: CampaignOut}
    )
    def put(self, request: Request, campaign_id: UUID) -> HttpResponse:
        """Bring a draft to what is said. Again changes nothing. What is planned is taken back
        first."""
        body, found = read_body(request, CampaignChangesIn), get_campaign(campaign_id)
        changed = change_campaign(
            campaign=found, definition=_definition(body), actor=self.actor, now=timezone.now(),
            revision=body.revision,
        )  # fmt: skip
        return answer(campaign_out(changed))

    @extend_schema(operation_id="deleteCampaign", responses={204: None})
    def delete(self, request: Request, campaign_id: UUID) -> HttpResponse:
        """Throw a draft away."""
        delete_campaign(campaign=get_campaign(campaign_id), actor=self.actor)
        return HttpResponse(status=HTTPStatus.NO_CONTENT)


class _Act(Protocol):
    def __call__(self, *, campaign: Campaign, actor: Actor, now: dt.datetime) -> Campaign: ...


def _acting(name: str, act: _Act, words: str) -> type[ApiView]:
    """The endpoint of one thing that can be done with a promotion."""

    class Acting(ApiView):
        scopes = {"POST": WRITE}

        @extend_schema(
            operation_id=f"{name}Campaign", description=words, request=None,
            responses={200: CampaignOut},
        )  # fmt: skip
        @idempotent()
        def post(self, request: Request, campaign_id: UUID) -> HttpResponse:
            found, now = get_campaign(campaign_id), timezone.now()
            return answer(campaign_out(act(campaign=found, actor=self.actor, now=now)))

    Acting.__name__ = Acting.__qualname__ = f"{name.capitalize()}Campaign"
    return Acting


PublishCampaign = _acting(
    "publish", publish_campaign,
    "It begins at its time, or at once where that has come. Refused with 403 `second_person` where"
    " a second person publishes the rules of the program.",
)  # fmt: skip
WithdrawCampaign = _acting(
    "withdraw", withdraw_campaign, "What was planned and has not begun is a draft again."
)
PauseCampaign = _acting(
    "pause", pause_campaign, "Orders from now on get nothing by it. Again changes nothing."
)
ResumeCampaign = _acting(
    "resume", resume_campaign, "A paused one goes on until its end. Again changes nothing."
)
EndCampaign = _acting("end", end_campaign, "End it for good. Again changes nothing.")


class CampaignCodes(ApiView):
    scopes = {"GET": WRITE, "POST": WRITE}

    @extend_schema(
        operation_id="listCampaignCodes",
        parameters=query_parameters(PageQuery),
        responses={200: PromoCodePage},
    )
    def get(self, request: Request, campaign_id: UUID) -> HttpResponse:
        """List the codes of a promotion and how often each was used."""
        found = PromoCode.objects.filter(campaign=get_campaign(campaign_id))
        page = paginate(
            request, found, read_query(request, PageQuery), ordering=["pk"], row=_code_row
        )
        return answer(PromoCodePage(**page))

    @extend_schema(
        operation_id="addCampaignCodes", request=PromoCodesIn, responses={201: PromoCodesMade}
    )
    @idempotent()
    def post(self, request: Request, campaign_id: UUID) -> HttpResponse:
        """Add codes that are used once each."""
        body, campaign = read_body(request, PromoCodesIn), get_campaign(campaign_id)
        if (body.number is None) == (not body.codes):
            raise refuse_field("number", _("Give number or codes."))
        how: dict[str, Any] = {"campaign": campaign, "actor": self.actor, "now": timezone.now()}
        if body.number is not None:
            added = make_codes(number=body.number, **how)
        else:
            added = write_codes(text="\n".join(body.codes), **how)
        return answer(PromoCodesMade(added=added), HTTPStatus.CREATED)


def _definition(body: CampaignDefinition) -> CampaignDefinition:
    said = {name: getattr(body, name) for name in CampaignDefinition.model_fields}
    return CampaignDefinition.model_construct(**said)


def _code_row(row: PromoCode) -> PromoCodeRow:
    used = row.uses_taken if row.most_uses is not None else _open_uses(row)
    return PromoCodeRow(code=row.written, uses=used, most_uses=row.most_uses)


def _open_uses(row: PromoCode) -> int:
    return row.uses.exclude(state="released").count()
