"""/redemptions: spending units at a till or in a shop."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import UnitsAboveZero, parse_units
from loyalty.api.v1.order_bodies import OrderAddress
from loyalty.api.v1.partner_access import partner_asking, require_own_order
from loyalty.api.v1.pools import member_named
from loyalty.api.v1.transfers import (
    Note,
    TransferOut,
    ledger_key,
    listed_transfer,
    transfer_out,
    wallet_named,
)
from loyalty.models import Membership, Order, Transfer, Wallet
from loyalty.services.pool_moves import spend_from_pool
from loyalty.services.redemptions import redeem_units
from members.api.bodies import TEXT, Body, Instant, PublicId, answer, read_body, refuse_field
from members.api.idempotency import idempotent
from members.api.views import ApiView


class RedemptionIn(Body):
    """Units to spend, those that expire first before others."""

    membership: PublicId
    wallet_type: Annotated[str, Field(max_length=64, pattern=TEXT)] = Field(
        "points", description="The wallet type's code."
    )
    units: UnitsAboveZero
    from_pool: bool = Field(
        False, description="From the wallet of the member's pool, if they may spend from it."
    )
    order: OrderAddress | None = Field(
        None,
        description="The order that they pay for, sent before: they come back in the proportion in"
        " which it does.",
    )
    occurred_at: Instant | None = Field(
        None, description="Of a till that was offline: when it was, within the last 72 hours."
    )
    note: Note = Field("", description="For the merchant's staff; the member does not see it.")


class Redemptions(ApiView):
    scopes = {"POST": "redemptions:write"}
    for_partners = frozenset({"POST"})

    @extend_schema(operation_id="redeem", request=RedemptionIn, responses={201: TransferOut})
    @idempotent(required=True)
    def post(self, request: Request) -> HttpResponse:
        """Spend a member's units. More than can be spent is refused with 409
        `insufficient_balance`."""
        body = read_body(request, RedemptionIn)
        if body.order is not None:
            address = (body.order.source, body.order.external_id)
            require_own_order(partner_asking(self), *address)
        wallet = wallet_named(body.membership, body.wallet_type)
        how: dict[str, Any] = {
            "units": parse_units(body.units, wallet.wallet_type),
            "key": ledger_key(self, request),
            "source": Transfer.Source.API,
            "actor": self.actor,
            "now": timezone.now(),
            "occurred_at": body.occurred_at,
            "order": _order(body.order, wallet) if body.order else None,
            "note": body.note,
        }
        if body.from_pool:
            member = member_named(body.membership, "membership")
            transfer, _replayed = spend_from_pool(
                membership=member, wallet_type=wallet.wallet_type, **how
            )
        else:
            transfer, _replayed = redeem_units(wallet=wallet, **how)
        return answer(transfer_out(listed_transfer(transfer.pk)), HTTPStatus.CREATED)


def _order(address: OrderAddress, wallet: Wallet) -> Order:
    """The order that is paid for; not another customer's."""
    order = Order.objects.filter(source=address.source, external_id=address.external_id).first()
    if order is None:
        raise refuse_field("order", _("There is no such order. Send it first."), "not_found")
    members = Membership.objects.filter(account=wallet.account_id)
    if order.customer_id and not members.filter(customer=order.customer_id).exists():
        raise refuse_field("order", _("It belongs to another customer."))
    return order
