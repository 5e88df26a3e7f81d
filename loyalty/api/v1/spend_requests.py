"""/spend-requests: what buyers ask their company's approvers for."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import parse_units
from loyalty.api.v1.companies import buyer_named
from loyalty.api.v1.company_bodies import (
    SpendDecisionIn,
    SpendRequestIn,
    SpendRequestOut,
    SpendRequestPage,
    SpendWithdrawalIn,
    request_out,
)
from loyalty.api.v1.transfers import ledger_key
from loyalty.models import Pool, PoolMember, SpendRequest, Transfer, WalletType
from loyalty.selectors.companies import get_company, get_spend_request, spend_requests
from loyalty.selectors.memberships import with_id
from loyalty.services.spend_requests import (
    approve_spending,
    ask_to_spend,
    reject_spending,
    withdraw_spending,
)
from members.api.bodies import answer, read_body, read_query, refuse_field
from members.api.idempotency import idempotent
from members.api.pagination import PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.errors import NotFoundError


class SpendRequestQuery(PageQuery):
    state: SpendRequest.State | None = Field(None, description="Only those in this state.")


class SpendRequests(ApiView):
    scopes = {"GET": "companies:read", "POST": "companies:write"}

    @extend_schema(
        operation_id="listSpendRequests",
        parameters=query_parameters(SpendRequestQuery),
        responses={200: SpendRequestPage},
    )
    def get(self, request: Request, company_id: UUID) -> HttpResponse:
        """List what a company's buyers have asked for, newest first."""
        query = read_query(request, SpendRequestQuery)
        found = spend_requests().filter(company=get_company(company_id))
        if query.state:
            found = found.filter(state=query.state)
        page = paginate(request, found, query, ordering=["-pk"], row=request_out)
        return answer(SpendRequestPage(**page))

    @extend_schema(
        operation_id="askToSpend", request=SpendRequestIn, responses={201: SpendRequestOut}
    )
    @idempotent(required=True)
    def post(self, request: Request, company_id: UUID) -> HttpResponse:
        """Ask the company's approvers for more than a buyer may spend by themselves. Nothing is set
        aside; the balance is looked at again when it is decided."""
        body = read_body(request, SpendRequestIn)
        pool = get_company(company_id).pool
        wallet_type = _wallet_type(pool, body.wallet_type)
        asked, _again = ask_to_spend(
            member=_place(pool, body.membership, "membership"),
            wallet_type=wallet_type,
            units=parse_units(body.units, wallet_type),
            note=body.note,
            key=ledger_key(self, request),
            source=Transfer.Source.API.value,
            actor=self.actor,
            now=timezone.now(),
        )
        return answer(request_out(asked), HTTPStatus.CREATED)


class OneSpendRequest(ApiView):
    scopes = {"GET": "companies:read"}

    @extend_schema(operation_id="getSpendRequest", responses={200: SpendRequestOut})
    def get(self, request: Request, request_id: UUID) -> HttpResponse:
        """Read what a buyer has asked for, and what became of it."""
        return answer(request_out(get_spend_request(request_id)))


class SpendApproval(ApiView):
    scopes = {"POST": "companies:write"}

    @extend_schema(
        operation_id="approveSpending", request=SpendDecisionIn, responses={200: SpendRequestOut}
    )
    @idempotent(required=True)
    def post(self, request: Request, request_id: UUID) -> HttpResponse:
        """An approver allows it: the units are redeemed at once, as a whole or not at all (409
        `insufficient_balance`). What was decided stays (409 `already_decided`)."""
        body = read_body(request, SpendDecisionIn)
        asked = get_spend_request(request_id)
        approve_spending(
            request=asked, approver=_place(asked.company.pool, body.approver, "approver"),
            actor=self.actor, now=timezone.now(), note=body.note,
        )  # fmt: skip
        return answer(request_out(get_spend_request(request_id)))


class SpendRejection(ApiView):
    scopes = {"POST": "companies:write"}

    @extend_schema(
        operation_id="rejectSpending", request=SpendDecisionIn, responses={200: SpendRequestOut}
    )
    @idempotent(required=True)
    def post(self, request: Request, request_id: UUID) -> HttpResponse:
        """An approver says no, and why."""
        body = read_body(request, SpendDecisionIn)
        asked = get_spend_request(request_id)
        reject_spending(
            request=asked, approver=_place(asked.company.pool, body.approver, "approver"),
            actor=self.actor, now=timezone.now(), note=body.note,
        )  # fmt: skip
        return answer(request_out(get_spend_request(request_id)))


class SpendWithdrawal(ApiView):
    scopes = {"POST": "companies:write"}

    @extend_schema(
        operation_id="withdrawSpending", request=SpendWithdrawalIn,
        responses={200: SpendRequestOut},
    )  # fmt: skip
    @idempotent(required=True)
    def post(self, request: Request, request_id: UUID) -> HttpResponse:
        """Whoever asked takes it back."""
        body = read_body(request, SpendWithdrawalIn)
        asked = get_spend_request(request_id)
        withdraw_spending(
            request=asked, member=_place(asked.company.pool, body.membership, "membership"),
            actor=self.actor, now=timezone.now(),
        )  # fmt: skip
        return answer(request_out(get_spend_request(request_id)))


def _place(pool: Pool, membership_id: UUID, field: str) -> PoolMember:
    if not with_id(membership_id).exists():
        raise refuse_field(field, _("There is no such membership."), "not_found")
    try:
        return buyer_named(pool, membership_id)
    except NotFoundError as error:
        raise refuse_field(field, str(error.message), "not_found") from error


def _wallet_type(pool: Pool, code: str) -> WalletType:
    found = pool.program.wallet_types.filter(code=code).first()
    if found is None:
        raise refuse_field("wallet_type", _("There is no such wallet type."), "not_found")
    return found
