"""/memberships/{id}/settlements: what a member owes is forgiven, or taken from the balance."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.transfers import (
    Note,
    TransferOut,
    ledger_key,
    listed_transfer,
    transfer_out,
    wallet_named,
)
from loyalty.models import Transfer
from loyalty.selectors.memberships import get_membership
from loyalty.services.lots import settle_debt
from members.api.bodies import TEXT, Body, answer, read_body
from members.api.idempotency import idempotent
from members.api.views import ApiView


class SettlementIn(Body):
    """All that one wallet owes is settled."""

    wallet_type: Annotated[str, Field(max_length=64, pattern=TEXT)] = Field(
        "points", description="The wallet type's code."
    )
    way: Literal["write_off", "repay"] = Field(
        description="write_off: nobody repays it; repay: it is taken from the balance."
    )
    note: Note = Field("", description="For the merchant's staff; the member does not see it.")


class Settlements(ApiView):
    scopes = {"POST": "transfers:write"}

    @extend_schema(operation_id="settle", request=SettlementIn, responses={201: TransferOut})
    @idempotent(required=True)
    def post(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Settle what a member owes. Refused with 409 where nothing is owed (`nothing_owed`), or
        more than the balance is to be repaid (`insufficient_balance`)."""
        body = read_body(request, SettlementIn)
        membership = get_membership(membership_id)
        made = settle_debt(
            wallet=wallet_named(membership.public_id, body.wallet_type),
            way=body.way,
            actor=self.actor,
            note=body.note,
            key=ledger_key(self, request),
            source=Transfer.Source.API,
            now=timezone.now(),
        )
        return answer(transfer_out(listed_transfer(made.pk)), HTTPStatus.CREATED)
