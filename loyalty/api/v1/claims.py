"""/orders/claim, /orders/unclaim: a guest order finds who bought it."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from loyalty.api.v1.order_bodies import OrderAddress
from loyalty.api.v1.order_outputs import OrderOut, order_out
from loyalty.models import Order, Transfer
from loyalty.selectors.orders import get_order
from loyalty.services.claims import claim_order, unclaim_order
from members.api.addresses import CustomerAddress, find_customer
from members.api.bodies import answer, read_body, refuse_field
from members.api.idempotency import idempotent
from members.api.views import ApiView


class ClaimIn(OrderAddress):
    """An order by its address, and who bought."""

    customer: CustomerAddress


class Claim(ApiView):
    scopes = {"POST": "orders:write"}

    @extend_schema(operation_id="claimOrder", request=ClaimIn, responses={200: OrderOut})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Give a guest order to a customer. It earns by the rules in force when it was placed, for
        what was not refunded since. Claiming it again for the same customer changes nothing."""
        body = read_body(request, ClaimIn)
        claim_order(
            order=_order(body),
            customer=find_customer(body.customer),
            actor=self.actor,
            source=Transfer.Source.API,
            now=timezone.now(),
        )
        return answer(order_out(get_order(body.source, body.external_id)))


class Unclaim(ApiView):
    scopes = {"POST": "orders:write"}

    @extend_schema(operation_id="unclaimOrder", request=OrderAddress, responses={200: OrderOut})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Make a claimed order a guest's again, and take back what it earned. An order that came
        with its customer stays theirs. Doing it again changes nothing."""
        body = read_body(request, OrderAddress)
        unclaim_order(
            order=_order(body), actor=self.actor, source=Transfer.Source.API, now=timezone.now()
        )
        return answer(order_out(get_order(body.source, body.external_id)))


def _order(address: OrderAddress) -> Order:
    found = Order.objects.filter(source=address.source, external_id=address.external_id).first()
    if found is None:
        raise refuse_field("external_id", _("There is no such order."), "not_found")
    return found
