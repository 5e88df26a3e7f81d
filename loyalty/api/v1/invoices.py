"""Invoices of paid plans: seen as paid, given back, and given back once more."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.subscriptions import SOURCE, InvoiceOut, UnusedOut, invoice_out, unused_out
from loyalty.selectors.subscriptions import get_charge
from loyalty.services.failed_refunds import retry_refund
from loyalty.services.plan_payments import mark_paid
from loyalty.services.plan_refunds import preview_refund, refund_charge
from members.api.bodies import Answer, Body, Reason, answer, plain_text, read_body
from members.api.idempotency import idempotent
from members.api.views import ApiView


class PayIn(Body):
    note: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")] = Field(
        "", description="For the merchant's staff, as the number of the bank transfer."
    )


class ChargeRefundIn(Body):
    how: Literal["pro_rata", "whole"]
    reason: Reason = Field(description="For the merchant's staff.")


class ChargeRefundPreviewOut(Answer):
    """What giving a payment back would do."""

    whole: str
    pro_rata: str = Field(description="For the days that are left.")
    withdrawn: list[UnusedOut] = Field(description="Units of it that are still there.")
    ends_plan: bool


class InvoicePayment(ApiView):
    scopes = {"POST": "memberships:write"}

    @extend_schema(operation_id="payInvoice", request=PayIn, responses={200: InvoiceOut})
    @idempotent(required=True)
    def post(self, request: Request, invoice_id: UUID) -> HttpResponse:
        """Say that an invoice is paid. Again changes nothing."""
        body = read_body(request, PayIn)
        mark_paid(
            charge=get_charge(invoice_id), actor=self.actor, now=timezone.now(), note=body.note
        )
        return answer(invoice_out(get_charge(invoice_id)))


class InvoiceRefund(ApiView):
    scopes = {"GET": "memberships:read", "POST": "memberships:write"}

    @extend_schema(operation_id="previewInvoiceRefund", responses={200: ChargeRefundPreviewOut})
    def get(self, request: Request, invoice_id: UUID) -> HttpResponse:
        """Read what giving a payment back would do. Nothing is done by it."""
        preview = preview_refund(get_charge(invoice_id), now=timezone.now())
        return answer(
            ChargeRefundPreviewOut(
                whole=plain_text(preview.whole),
                pro_rata=plain_text(preview.pro_rata),
                withdrawn=unused_out(preview.unused),
                ends_plan=preview.ends,
            )
        )

    @extend_schema(
        operation_id="refundInvoice", request=ChargeRefundIn, responses={200: InvoiceOut}
    )
    @idempotent(required=True, commits=True)
    def post(self, request: Request, invoice_id: UUID) -> HttpResponse:
        """Give a payment back, whole or for the days that are left: its units that are still there
        are withdrawn, and the plan ends if this paid for it. Again changes nothing. Where a payment
        provider does not answer, it is `giving_back` until it has."""
        body = read_body(request, ChargeRefundIn)
        refund_charge(
            charge=get_charge(invoice_id), how=body.how, actor=self.actor, source=SOURCE,
            now=timezone.now(), note=body.reason,
        )  # fmt: skip
        return answer(invoice_out(get_charge(invoice_id)))


class InvoiceRefundRetry(ApiView):
    scopes = {"POST": "memberships:write"}

    @extend_schema(operation_id="retryInvoiceRefund", request=None, responses={200: InvoiceOut})
    @idempotent(required=True, commits=True)
    def post(self, request: Request, invoice_id: UUID) -> HttpResponse:
        """Ask a payment provider once more for what it had taken on to give back and could not,
        under another key. Where nothing has failed it changes nothing."""
        retry_refund(charge=get_charge(invoice_id), actor=self.actor, now=timezone.now())
        return answer(invoice_out(get_charge(invoice_id)))
