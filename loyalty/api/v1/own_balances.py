"""/me/memberships/{id}/…: what a member holds, how it came about, and where they stand."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import Units, units_text
from loyalty.api.v1.balances import BalancesOut, LotPage, balances_now, lots_page
from loyalty.api.v1.own_memberships import own_membership
from loyalty.api.v1.tiers import MembershipTierOut, tier_out
from loyalty.api.v1.transfers import LARGEST_ID, DocumentOut, ExplanationOut, document
from loyalty.explanations import explain_transfer
from loyalty.models import Transfer
from loyalty.selectors.member_tiers import member_standing
from loyalty.selectors.transfers import movements_of
from members.api.bodies import Answer, answer, read_query
from members.api.member_views import MEMBER, MemberView
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.errors import NotFoundError
from members.formatting import format_units


class OwnTransferOut(Answer):
    """A movement as its owner reads it: without what staff noted for each other."""

    id: str
    kind: Transfer.Kind
    wallet_type: str
    decimals: int
    units: Units = Field(description="Below zero where units left.")
    words: str = Field(description="The same with the units' name.")
    occurred_at: dt.datetime
    order: DocumentOut | None
    reversed: bool = Field(description="Whether it was undone.")
    message: str = Field(description="What came with a gift.")
    explanation: ExplanationOut


class OwnTransferPage(Page):
    results: list[OwnTransferOut]


class OwnTransferQuery(PageQuery):
    wallet_type: str = Field("", max_length=64, description="Only movements of these units.")


class OwnBalances(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="getOwnBalances", responses={200: BalancesOut})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Read what the member holds now: one balance for each kind of unit, with what expires
        next."""
        return answer(balances_now(own_membership(self, membership_id).public_id))


class OwnLots(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(
        operation_id="listOwnLots",
        parameters=query_parameters(PageQuery),
        responses={200: LotPage},
    )
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List what the balances consist of, what expires first first."""
        query = read_query(request, PageQuery)
        member = own_membership(self, membership_id)
        return answer(lots_page(request, member, query, timezone.now()))


class OwnTransfers(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(
        operation_id="listOwnTransfers",
        parameters=query_parameters(OwnTransferQuery),
        responses={200: OwnTransferPage},
    )
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List the member's movements, newest first, each with why."""
        query = read_query(request, OwnTransferQuery)
        found = movements_of([own_membership(self, membership_id)])
        if query.wallet_type:
            found = found.filter(wallet_type__code=query.wallet_type.replace("\x00", "\n"))
        page = paginate(
            request, found, query, ordering=["-occurred_at", "-pk"], row=own_transfer_out
        )
        return answer(OwnTransferPage(**page))


class OwnTransfer(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="getOwnTransfer", responses={200: OwnTransferOut})
    def get(self, request: Request, membership_id: UUID, transfer_id: int) -> HttpResponse:
        """Read one of the member's movements."""
        member, found = own_membership(self, membership_id), None
        if transfer_id <= LARGEST_ID:
            found = movements_of([member]).filter(pk=transfer_id).first()
        if found is None:
            raise NotFoundError(_("There is no such transfer."))
        return answer(own_transfer_out(found))


class OwnTier(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="getOwnTier", responses={200: MembershipTierOut})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Read the member's tier, what it brings, and what is missing to the next one. 404 in a
        program without tiers."""
        shown = member_standing(own_membership(self, membership_id), timezone.now())
        if shown is None:
            raise NotFoundError(_("The program has no tiers."))
        return answer(tier_out(shown))


def own_transfer_out(transfer: Transfer) -> OwnTransferOut:
    unit, explained = transfer.wallet_type, explain_transfer(transfer)
    return OwnTransferOut(
        id=str(transfer.pk),
        kind=Transfer.Kind(transfer.kind),
        wallet_type=unit.code,
        decimals=unit.scale,
        units=units_text(transfer.signed_amount, unit.scale),
        words=format_units(transfer.signed_amount, unit, sign=True),
        occurred_at=transfer.occurred_at,
        order=document(transfer.order),
        reversed=transfer.is_reversed,  # type: ignore[attr-defined]
        message=explained.message,
        explanation=ExplanationOut(title=explained.title, steps=list(explained.steps)),
    )
