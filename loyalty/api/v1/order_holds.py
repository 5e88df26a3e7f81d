"""/orders/hold, /orders/release, /orders/confirm: from when on an order's units can be spent."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.order_bodies import OrderAddress
from loyalty.api.v1.order_outputs import OrderOut, order_out
from loyalty.models import Order
from loyalty.selectors.orders import get_order
from loyalty.services.order_holds import confirm_order, hold_order, release_order
from members.api.bodies import Reason, answer, read_body, refuse_field
from members.api.idempotency import idempotent
from members.api.views import ApiView


class OrderHoldIn(OrderAddress):
    """An order by its address, and why."""

    reason: Reason = Field(description="For the merchant's staff; the member does not see it.")


class _OrderChange(ApiView):
    scopes = {"POST": "orders:write"}
    change: ClassVar[Callable[..., Order]]

    def carry_out(self, request: Request) -> HttpResponse:
        body = read_body(request, OrderHoldIn)
        order = Order.objects.filter(source=body.source, external_id=body.external_id).first()
        if order is None:
            raise refuse_field("external_id", _("There is no such order."), "not_found")
        type(self).change(order=order, actor=self.actor, reason=body.reason, now=timezone.now())
        return answer(order_out(get_order(body.source, body.external_id)))


class OrderHold(_OrderChange):
    change = staticmethod(hold_order)

    @extend_schema(operation_id="holdOrder", request=OrderHoldIn, responses={200: OrderOut})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Hold an order back: nothing that it earned can be spent until it is released. Holding it
        again changes nothing."""
        return self.carry_out(request)


class OrderRelease(_OrderChange):
    change = staticmethod(release_order)

    @extend_schema(operation_id="releaseOrder", request=OrderHoldIn, responses={200: OrderOut})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Release an order that was held back. What it earned goes on waiting for what the program
        says, or has waited long enough."""
        return self.carry_out(request)


class OrderConfirmation(_OrderChange):
    change = staticmethod(confirm_order)

    @extend_schema(operation_id="confirmOrder", request=OrderHoldIn, responses={200: OrderOut})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Confirm an order early: what it earned can be spent from now on. Refused while it is held
        back, and where it came to nothing."""
        return self.carry_out(request)
