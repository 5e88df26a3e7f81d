"""/charities: whom members may give to, what came of it, and what members give by themselves."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import Units, units_text
from loyalty.api.v1.pools import member_named
from loyalty.models import Charity, Membership, StandingGift, WalletType
from loyalty.selectors.charities import (
    NOTHING,
    Worth,
    charities,
    charity_definition,
    get_charity,
)
from loyalty.selectors.impact import Impact, impact_of_charity, impact_of_member
from loyalty.selectors.memberships import get_membership
from loyalty.services.standing_gifts import (
    end_standing_gift,
    set_standing_gift,
    standing_gifts_of,
)
from members.api.bodies import (
    TEXT,
    Answer,
    Body,
    PublicId,
    Query,
    answer,
    money_text,
    plain_text,
    read_body,
    read_query,
    refuse_field,
)
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.errors import NotFoundError

Code = Annotated[str, Field(max_length=64, pattern=TEXT)]


class RateOut(Answer):
    wallet_type: str
    units: str = Field(description="So many whole units give:")
    money: str | None
    things: str | None


class CharityOut(Answer):
    id: UUID
    program: str
    code: str
    name: str
    status: Charity.Status
    summary: str
    texts: dict[str, dict[str, str]] = Field(description="Name and summary by language.")
    website: str
    icon: str
    thing_singular: str
    thing_plural: str
    thing_price: str | None
    rates: list[RateOut] = Field(
        description="What units are worth there; else what they are worth to members."
    )


class CharityPage(Page):
    results: list[CharityOut]


class CharityQuery(PageQuery):
    program: str = Field("", max_length=64, description="Only those of the program with this code.")
    status: Charity.Status | None = Field(None, description="By default live ones.")


class ImpactQuery(Query):
    membership: PublicId | None = Field(None, description="Only what went through this member.")


class ImpactUnits(Answer):
    wallet_type: str
    units: Units


class ImpactOut(Answer):
    charity: UUID
    program: str
    currency: str
    money: str
    things: str = Field(description="As trees; with four decimals, so that parts add up.")
    units: list[ImpactUnits] = Field(description="What of it was given in units.")
    in_words: str


class MemberImpactOut(Answer):
    results: list[ImpactOut]


class StandingGiftIn(Body):
    charity: Code = Field(description="Code of a charity of the program.")
    percent: Annotated[str, Field(pattern=r"^[0-9]{1,3}(\.[0-9]{1,2})?$", examples=["10"])]


class StandingGiftOut(Answer):
    wallet_type: str
    charity: str
    percent: str
    started_at: dt.datetime
    ended_at: dt.datetime | None


class StandingGiftsOut(Answer):
    results: list[StandingGiftOut]


class Charities(ApiView):
    scopes = {"GET": "programs:read"}

    @extend_schema(
        operation_id="listCharities",
        parameters=query_parameters(CharityQuery),
        responses={200: CharityPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List charities in the order of their program. `/gifts` gives to one."""
        query = read_query(request, CharityQuery)
        found = charities().filter(status=query.status or Charity.Status.LIVE)
        if query.program:
            code = query.program.replace("\x00", "\n")
            found = found.filter(account__program__code=code)
        ordering = ["account__program_id", "position", "pk"]
        page = paginate(request, found, query, ordering=ordering, row=charity_out)
        return answer(CharityPage(**page))


class OneCharity(ApiView):
    scopes = {"GET": "programs:read"}

    @extend_schema(operation_id="getCharity", responses={200: CharityOut})
    def get(self, request: Request, charity_id: UUID) -> HttpResponse:
        """Read a charity."""
        return answer(charity_out(get_charity(charity_id)))


class CharityImpact(ApiView):
    scopes = {"GET": "programs:read"}

    @extend_schema(
        operation_id="getCharityImpact",
        parameters=query_parameters(ImpactQuery),
        responses={200: ImpactOut},
    )
    def get(self, request: Request, charity_id: UUID) -> HttpResponse:
        """What a charity was given by now, in all or through one member."""
        query = read_query(request, ImpactQuery)
        charity = get_charity(charity_id)
        if query.membership is None:
            return answer(impact_out(impact_of_charity(charity)))
        member = member_named(query.membership, "membership")
        found = [item for item in impact_of_member(member) if item.charity.pk == charity.pk]
        return answer(impact_out(found[0] if found else _nothing(charity)))


class MemberImpact(ApiView):
    scopes = {"GET": "balances:read"}

    @extend_schema(operation_id="getMemberImpact", responses={200: MemberImpactOut})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """What went to charities through a member, most first."""
        found = impact_of_member(get_membership(membership_id))
        return answer(MemberImpactOut(results=[impact_out(item) for item in found]))


class StandingGifts(ApiView):
    scopes = {"GET": "balances:read"}

    @extend_schema(operation_id="listStandingGifts", responses={200: StandingGiftsOut})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """What a member gives by themselves, of which units."""
        found = standing_gifts_of(get_membership(membership_id)).values()
        return answer(StandingGiftsOut(results=[standing_out(item) for item in found]))


class OneStandingGift(ApiView):
    scopes = {"PUT": "transfers:write", "DELETE": "transfers:write"}

    @extend_schema(
        operation_id="setStandingGift", request=StandingGiftIn, responses={200: StandingGiftOut}
    )
    def put(self, request: Request, membership_id: UUID, wallet_type: str) -> HttpResponse:
        """Give a share of what the member earns from now on, once it can be spent. The same again
        changes nothing; another one takes its place."""
        body = read_body(request, StandingGiftIn)
        member = get_membership(membership_id)
        charity = charities().filter(
            account__program=member.program_id, account__code=body.charity
        ).first()  # fmt: skip
        if charity is None:
            raise refuse_field("charity", _("The program has no such charity."), "not_found")
        gift = set_standing_gift(
            membership=member, wallet_type=units_of(member, wallet_type), charity=charity,
            percent=Decimal(body.percent), actor=self.actor, now=timezone.now(),
        )  # fmt: skip
        return answer(standing_out(gift))

    @extend_schema(operation_id="endStandingGift", responses={200: StandingGiftsOut})
    def delete(self, request: Request, membership_id: UUID, wallet_type: str) -> HttpResponse:
        """Give nothing of these units by itself any more; answers with what is still given. What
        was given stays given."""
        member = get_membership(membership_id)
        end_standing_gift(
            membership=member, wallet_type=units_of(member, wallet_type), actor=self.actor,
            now=timezone.now(),
        )  # fmt: skip
        found = standing_gifts_of(member).values()
        return answer(StandingGiftsOut(results=[standing_out(item) for item in found]))


def charity_out(charity: Charity) -> CharityOut:
    said = charity_definition(charity)
    same = (
        "code", "name", "status", "summary", "website", "icon", "thing_singular", "thing_plural",
    )  # fmt: skip
    return CharityOut(
        id=charity.public_id,
        program=charity.account.program.code,
        texts={language: text.model_dump() for language, text in said.texts.items()},
        thing_price=None if said.thing_price is None else money_text(said.thing_price),
        rates=[
            RateOut(
                wallet_type=rate.wallet_type,
                units=plain_text(rate.units),
                money=None if rate.money is None else money_text(rate.money),
                things=None if rate.things is None else plain_text(rate.things),
            )
            for rate in said.rates
        ],
        **{name: getattr(said, name) for name in same},
    )


def impact_out(impact: Impact) -> ImpactOut:
    program = impact.charity.account.program
    return ImpactOut(
        charity=impact.charity.public_id,
        program=program.code,
        currency=program.currency,
        money=money_text(impact.worth.money),
        things=plain_text(impact.worth.things),
        units=[
            ImpactUnits(wallet_type=kind.code, units=units_text(units, kind.scale))
            for kind, units in impact.units
        ],
        in_words=impact.words,
    )


def _nothing(charity: Charity) -> Impact:
    return Impact(charity, Worth(NOTHING, NOTHING))


def units_of(member: Membership, code: str) -> WalletType:
    found = WalletType.objects.filter(program=member.program_id, code=code).first()
    if found is None:
        raise NotFoundError("The program has no such units.")
    return found


def standing_out(gift: StandingGift) -> StandingGiftOut:
    return StandingGiftOut(
        wallet_type=gift.wallet_type.code,
        charity=gift.charity.account.code,
        percent=plain_text(gift.percent),
        started_at=gift.started_at,
        ended_at=gift.ended_at,
    )
