"""/orders/{source}/{external_id}/claim: a guest order finds who bought it."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from loyalty.api.v1.order_outputs import OrderOut, order_out
from loyalty.api.v1.orders import order_address
from loyalty.models import Transfer
from loyalty.selectors.orders import get_order
from loyalty.services.claims import claim_order, unclaim_order
from members.api.addresses import CustomerAddress, find_customer
from members.api.bodies import Body, answer, read_body
from members.api.idempotency import idempotent
from members.api.views import ApiView


class ClaimIn(Body):
    """Who bought."""

    customer: CustomerAddress


class Claim(ApiView):
    scopes = {"POST": "orders:write", "DELETE": "orders:write"}

    @extend_schema(operation_id="claimOrder", request=ClaimIn, responses={200: OrderOut})
    @idempotent()
    def post(self, request: Request, source: str, external_id: str) -> HttpResponse:
        """Give a guest order to a customer. It earns by the rules in force when it was placed, for
        what was not refunded since. Claiming it again for the same customer changes nothing."""
        body = read_body(request, ClaimIn)
        address = order_address(source, external_id)
        claim_order(
            order=get_order(*address),
            customer=find_customer(body.customer),
            actor=self.actor,
            source=Transfer.Source.API,
            now=timezone.now(),
        )
        return answer(order_out(get_order(*address)))

    @extend_schema(operation_id="unclaimOrder", responses={200: OrderOut})
    def delete(self, request: Request, source: str, external_id: str) -> HttpResponse:
        """Make a claimed order a guest's again, and take back what it earned. An order that came
        with its customer stays theirs."""
        address = order_address(source, external_id)
        unclaim_order(
            order=get_order(*address),
            actor=self.actor,
            source=Transfer.Source.API,
            now=timezone.now(),
        )
        return answer(order_out(get_order(*address)))
