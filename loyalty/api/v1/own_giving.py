"""/me/memberships/{id}/charities, /donations and /standing-gifts: giving, by who gives."""

from __future__ import annotations

from decimal import Decimal
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import parse_units
from loyalty.api.v1.charities import (
    Code,
    StandingGiftIn,
    StandingGiftOut,
    StandingGiftsOut,
    standing_out,
    units_of,
)
from loyalty.api.v1.own_balances import OwnTransferOut, own_transfer_out
from loyalty.api.v1.own_memberships import own_membership, wallet_named
from loyalty.api.v1.transfers import ledger_key
from loyalty.models import Charity, Membership, Transfer, Wallet
from loyalty.selectors.charities import charities_in
from loyalty.selectors.gifts import givable_wallets
from loyalty.selectors.impact import impact_of_member, rate_words
from loyalty.selectors.transfers import movements_of
from loyalty.services.gifts import donate_units, most_to_give
from loyalty.services.standing_gifts import (
    end_standing_gift,
    set_standing_gift,
    standing_gifts_of,
)
from members.api.bodies import Answer, Body, answer, read_body, refuse_field
from members.api.idempotency import idempotent
from members.api.member_views import MEMBER, MemberView


class OwnCharityOut(Answer):
    """A charity, in the language of Accept-Language."""

    code: str
    name: str
    summary: str
    website: str
    icon: str
    rates: list[str] = Field(description="What units are worth there, in words.")
    given: str = Field(description="What went there through this member; empty: nothing yet.")


class OwnCharityList(Answer):
    results: list[OwnCharityOut]


class DonationIn(Body):
    charity: Code = Field(description="The charity's code.")
    wallet_type: Code = Field("points", description="The wallet type's code.")
    units: Annotated[str, Field(pattern=r"^(all|[0-9]{1,12}(\.[0-9]{1,4})?)$")] = Field(
        description="Units as decimal text, or `all`: as many as can be given.", examples=["50"]
    )


class OwnCharities(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="listOwnCharities", responses={200: OwnCharityList})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List whom the member can give to; none where the program gives to nobody."""
        member = own_membership(self, membership_id)
        given = {item.charity.pk: item.words for item in impact_of_member(member)}
        found = charities_in(member.program) if _wallets(member) else []
        return answer(
            OwnCharityList(results=[_charity(item, given.get(item.pk, "")) for item in found])
        )


class OwnDonations(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(operation_id="donate", request=DonationIn, responses={201: OwnTransferOut})
    @idempotent(required=True)
    def post(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Give units to a charity of the program."""
        member, now = own_membership(self, membership_id), timezone.now()
        body = read_body(request, DonationIn)
        wallet = wallet_named(_wallets(member), body.wallet_type)
        units = (
            most_to_give(wallet, now)
            if body.units == "all"
            else parse_units(body.units, wallet.wallet_type)
        )
        made, _replayed = donate_units(
            wallet=wallet, charity=_named(member, body.charity).account, units=units,
            actor=self.actor, key=ledger_key(self, request),
            source=Transfer.Source.ACCOUNT.value, now=now,
        )  # fmt: skip
        shown = own_transfer_out(movements_of([member]).get(pk=made.pk))
        return answer(shown, HTTPStatus.CREATED)


class OwnStandingGifts(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="listOwnStandingGifts", responses={200: StandingGiftsOut})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List what of what they earn the member gives by itself."""
        return answer(_standing(own_membership(self, membership_id)))


class OwnStandingGift(MemberView):
    scopes = {"PUT": MEMBER, "DELETE": MEMBER}

    @extend_schema(
        operation_id="setOwnStandingGift", request=StandingGiftIn, responses={200: StandingGiftOut}
    )
    def put(self, request: Request, membership_id: UUID, wallet_type: str) -> HttpResponse:
        """Give a share of what is earned from now on."""
        member = own_membership(self, membership_id)
        body = read_body(request, StandingGiftIn)
        gift = set_standing_gift(
            membership=member, wallet_type=units_of(member, wallet_type),
            charity=_named(member, body.charity), percent=Decimal(body.percent),
            actor=self.actor, now=timezone.now(),
        )  # fmt: skip
        return answer(standing_out(gift))

    @extend_schema(operation_id="endOwnStandingGift", responses={200: StandingGiftsOut})
    def delete(self, request: Request, membership_id: UUID, wallet_type: str) -> HttpResponse:
        """Give nothing of these units by itself any more."""
        member = own_membership(self, membership_id)
        end_standing_gift(
            membership=member, wallet_type=units_of(member, wallet_type), actor=self.actor,
            now=timezone.now(),
        )  # fmt: skip
        return answer(_standing(member))


def _standing(member: Membership) -> StandingGiftsOut:
    return StandingGiftsOut(results=[standing_out(x) for x in standing_gifts_of(member).values()])


def _wallets(member: Membership) -> list[Wallet]:
    found = givable_wallets(member, timezone.now())
    return [wallet for wallet in found if wallet.wallet_type.gifts_to_charities]


def _named(member: Membership, code: str) -> Charity:
    for charity in charities_in(member.program):
        if charity.code == code:
            return charity
    raise refuse_field("charity", _("The program has no such charity."), "not_found")


def _charity(found: Charity, given: str) -> OwnCharityOut:
    return OwnCharityOut(
        code=found.code,
        name=found.told_name,
        summary=found.told_summary,
        website=found.website,
        icon=found.icon,
        rates=list(rate_words(found)),
        given=given,
    )
