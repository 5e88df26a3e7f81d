"""/refunds: money given back, and what that took back."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from loyalty.api.v1.awards import moved_awards
from loyalty.api.v1.order_bodies import RefundIn, known_people, refund_input
from loyalty.api.v1.order_outputs import RefundOut, refund_out
from loyalty.api.v1.partner_access import (
    partner_asking,
    require_identified,
    require_own_order,
)
from loyalty.models import Transfer
from loyalty.selectors.refunds import get_refund, transfers_of_refund
from loyalty.services.refunds import record_refunds
from members.api.bodies import answer, read_body, refuse_field
from members.api.idempotency import idempotent
from members.api.views import ApiView
from members.errors import NotFoundError


class Refunds(ApiView):
    scopes = {"POST": "orders:write"}
    for_partners = frozenset({"POST"})

    @extend_schema(
        operation_id="recordRefund", request=RefundIn, responses={200: RefundOut, 201: RefundOut}
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Record a refund. Repeating it changes nothing; it may come before its order."""
        body = read_body(request, RefundIn)
        partner = partner_asking(self)
        # A partner takes back what it has sold, and nothing besides.
        if partner is not None and not body.order_external_id:
            raise refuse_field("order_external_id", _("Say of which order it is."), "required")
        require_own_order(partner, body.source, body.order_external_id)
        require_identified(partner, [("customer", body.customer)])
        people = known_people([("customer", body.customer)])
        [result] = record_refunds(
            [refund_input(body, people)],
            now=timezone.now(),
            transfer_source=Transfer.Source.API,
        )
        status = HTTPStatus.CREATED if result.outcome == "created" else HTTPStatus.OK
        return answer(_shown(body.source, body.external_id), status)


class OneRefund(ApiView):
    scopes = {"GET": "orders:read"}
    for_partners = frozenset({"GET"})

    @extend_schema(operation_id="getRefund", responses={200: RefundOut})
    def get(self, request: Request, source: str, external_id: str) -> HttpResponse:
        """Read a refund and what it took back."""
        if "\x00" in source or "\x00" in external_id:
            raise NotFoundError(_("There is no such refund."))
        partner = partner_asking(self)
        if partner is not None:
            require_own_order(partner, source, get_refund(source, external_id).order_external_id)
        return answer(_shown(source, external_id))


def _shown(source: str, external_id: str) -> RefundOut:
    refund = get_refund(source, external_id)
    return refund_out(refund, moved_awards(transfers_of_refund(refund)))
