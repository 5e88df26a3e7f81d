"""/me/memberships/{id}/gifts, /plans and /purchases: given, paid for, and bought."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import Units, UnitsAboveZero, parse_units, units_text
from loyalty.api.v1.own_balances import OwnTransferOut, own_transfer_out
from loyalty.api.v1.own_memberships import own_membership, wallet_named
from loyalty.api.v1.transfers import ledger_key
from loyalty.models import Membership, Order, Transfer
from loyalty.selectors.gifts import find_recipient, givable_wallets
from loyalty.selectors.orders import earned_in, list_order_rows
from loyalty.selectors.transfers import movements_of
from loyalty.services.gift_lookups import may_look_up
from loyalty.services.gifts import LONGEST_MESSAGE, give_units
from members.api.bodies import (
    TEXT,
    Answer,
    Body,
    answer,
    money_text,
    read_body,
    read_query,
    refuse_field,
)
from members.api.idempotency import idempotent
from members.api.member_views import MEMBER, MemberView
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters


class OwnGiftIn(Body):
    to: Annotated[str, Field(min_length=1, max_length=254, pattern=TEXT)] = Field(
        description="Another member's card number or e-mail address."
    )
    wallet_type: Annotated[str, Field(max_length=64, pattern=TEXT)] = "points"
    units: UnitsAboveZero
    message: Annotated[str, Field(max_length=LONGEST_MESSAGE, pattern=r"^[^\x00]*$")] = ""


class EarnedOut(Answer):
    wallet_type: str
    decimals: int
    units: Units


class OwnPurchaseOut(Answer):
    id: str
    external_id: str
    placed_at: dt.datetime
    status: Order.Status
    store: str
    total: str
    currency: str
    earned: list[EarnedOut] = Field(description="In this program, less what was taken back.")


class OwnPurchasePage(Page):
    results: list[OwnPurchaseOut]


class OwnGifts(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(operation_id="giveOwnUnits", request=OwnGiftIn, responses={201: OwnTransferOut})
    @idempotent(required=True)
    def post(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Give units to another member of the program, within what it allows. Whoever is not found
        and whoever was looked up too often this hour are refused with the same words."""
        member, body = own_membership(self, membership_id), read_body(request, OwnGiftIn)
        wallets = givable_wallets(member, timezone.now())
        wallet = wallet_named(
            (item for item in wallets if item.wallet_type.gifts_to_members), body.wallet_type
        )
        units = parse_units(body.units, wallet.wallet_type)
        found = find_recipient(member.program, body.to) if may_look_up(self.customer) else None
        if found is None:
            raise refuse_field("to", _("There is no such member to give to."), "not_found")
        made, _replayed = give_units(
            wallet=wallet, to=found, units=units, message=body.message, actor=self.actor,
            key=ledger_key(self, request), source=Transfer.Source.ACCOUNT.value,
            now=timezone.now(),
        )  # fmt: skip
        shown = own_transfer_out(movements_of([member]).get(pk=made.pk))
        return answer(shown, HTTPStatus.CREATED)


class OwnPurchases(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(
        operation_id="listOwnPurchases",
        parameters=query_parameters(PageQuery),
        responses={200: OwnPurchasePage},
    )
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List the customer's purchases in the program's currency with what each earned, newest
        first."""
        member, query = own_membership(self, membership_id), read_query(request, PageQuery)
        found = list_order_rows(self.customer).filter(currency=member.program.currency)

        def row(order: Order) -> OwnPurchaseOut:
            return _purchase(order, member)

        page = paginate(request, found, query, ordering=["-placed_at", "-pk"], row=row)
        return answer(OwnPurchasePage(**page))


def _purchase(order: Order, member: Membership) -> OwnPurchaseOut:
    earned = earned_in(order, member)
    same = ("external_id", "placed_at", "store", "currency")
    return OwnPurchaseOut(
        id=str(order.pk), status=Order.Status(order.status), total=money_text(order.total),
        earned=[
            EarnedOut(wallet_type=kind.code, decimals=kind.scale,
                      units=units_text(units, kind.scale))
            for kind, units in earned.items()
        ],
        **{name: getattr(order, name) for name in same},
    )  # fmt: skip
