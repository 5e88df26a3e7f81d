"""/orders: sales as they come from shops and tills, and what they earned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Literal

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.awards import AwardBrief, AwardOut, awards_of, brief_awards, new_awards
from loyalty.api.v1.codes import PromoCodeOut, codes_out
from loyalty.api.v1.order_bodies import (
    OrderAddress,
    OrderBatch,
    OrderFacts,
    OrderIn,
    known_people,
    order_input,
)
from loyalty.api.v1.order_outputs import OrderOut, OrderPage, order_out, orders_out
from loyalty.api.v1.partner_access import (
    own_orders,
    partner_asking,
    require_identified,
    require_own_order,
)
from loyalty.errors import InvalidOrderError
from loyalty.models import Transfer
from loyalty.selectors.code_answers import code_answers_of
from loyalty.selectors.orders import get_order, orders
from loyalty.services.order_checks import check_order
from loyalty.services.order_inputs import OrderInput
from loyalty.services.orders import OrderResult, record_orders
from members.api.bodies import Answer, PublicId, answer, check_values, read_body, read_query
from members.api.idempotency import idempotent
from members.api.pagination import PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.errors import DomainError, FieldError
from members.models import Customer
from members.selectors.merges import current_ids

# outdated: a newer message about the order had come before.
Outcome = Literal["created", "updated", "unchanged", "outdated"]


class OrderReceipt(Answer):
    """What became of an order."""

    source: str
    external_id: str
    outcome: Outcome
    awards: list[AwardOut] = Field(
        description="Of a new order what each rule gives, else all that it has moved."
    )
    codes: list[PromoCodeOut] = Field(
        description="Of each of its coupons that a promotion has, whether it counted."
    )


class OrderBrief(Answer):
    external_id: str
    outcome: Outcome
    awards: list[AwardBrief] = Field(description="For new orders; read the order for the reasons.")


class OrderBatchReceipt(Answer):
    """What became of each order, in the order in which they were sent."""

    source: str
    results: list[OrderBrief]


class OrderQuery(PageQuery):
    customer: PublicId = Field(description="Whose orders, by the customer's id.")


class Orders(ApiView):
    scopes = {"GET": "orders:read", "POST": "orders:write"}
    for_partners = frozenset({"GET", "POST"})

    @extend_schema(
        operation_id="listOrders",
        parameters=query_parameters(OrderQuery),
        responses={200: OrderPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List a customer's orders, newest first."""
        query = read_query(request, OrderQuery)
        people = current_ids(Customer.objects.filter(public_id=query.customer))
        found = own_orders(orders().filter(customer__in=people), partner_asking(self))
        page = paginate(
            request, found, query, ordering=["-placed_at", "-pk"], row=lambda order: order
        )
        page["results"] = orders_out(page["results"])
        return answer(OrderPage(**page))

    @extend_schema(
        operation_id="recordOrder",
        request=OrderIn,
        responses={200: OrderReceipt, 201: OrderReceipt},
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Record an order; one that is known by source and external_id is brought up to date."""
        body = read_body(request, OrderIn)
        return _record(self, body, body.source, body.external_id)


class OrdersBatch(ApiView):
    scopes = {"POST": "orders:write"}
    for_partners = frozenset({"POST"})

    @extend_schema(
        operation_id="recordOrders", request=OrderBatch, responses={200: OrderBatchReceipt}
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Record up to 500 orders of one source, all or none. Much faster than one by one."""
        body = read_body(request, OrderBatch)
        buyers = [
            (f"orders[{index}].customer", item.customer) for index, item in enumerate(body.orders)
        ]
        partner = partner_asking(self)
        require_identified(partner, buyers)
        people = known_people(buyers)
        inputs = [
            replace(order_input(item, body.source, item.external_id, people), partner=partner)
            for item in body.orders
        ]
        _check_each(inputs)
        try:
            results = record_orders(
                inputs, now=timezone.now(), transfer_source=Transfer.Source.API, checked=True
            )
        except DomainError as error:
            if error.index is not None:
                error.place_fields(f"orders[{error.index}]")
            raise
        return answer(OrderBatchReceipt(source=body.source, results=_briefs(results)))


class OneOrder(ApiView):
    scopes = {"GET": "orders:read", "PUT": "orders:write"}
    for_partners = frozenset({"GET", "PUT"})

    @extend_schema(operation_id="getOrder", responses={200: OrderOut})
    def get(self, request: Request, source: str, external_id: str) -> HttpResponse:
        """Read an order with its lines, tenders, refunds and what it earned."""
        require_own_order(partner_asking(self), source, external_id)
        return answer(order_out(get_order(source, external_id)))

    @extend_schema(
        operation_id="putOrder",
        request=OrderFacts,
        responses={200: OrderReceipt, 201: OrderReceipt},
    )
    def put(self, request: Request, source: str, external_id: str) -> HttpResponse:
        """Record an order under this address, or bring it up to date. Repeating changes nothing."""
        check_values(OrderAddress, {"source": source, "external_id": external_id})
        return _record(self, read_body(request, OrderFacts), source, external_id)


def _record(view: ApiView, facts: OrderFacts, source: str, external_id: str) -> HttpResponse:
    partner = partner_asking(view)
    require_identified(partner, [("customer", facts.customer)])
    people = known_people([("customer", facts.customer)])
    order = replace(order_input(facts, source, external_id, people), partner=partner)
    [result] = record_orders([order], now=timezone.now(), transfer_source=Transfer.Source.API)
    created = result.outcome == "created"
    receipt = OrderReceipt(
        source=source,
        external_id=external_id,
        outcome=result.outcome,
        awards=new_awards(result, order) if created else awards_of(result.order_id),
        codes=codes_out(code_answers_of(result.order_id) if order.coupons else ()),
    )
    return answer(receipt, HTTPStatus.CREATED if created else HTTPStatus.OK)


def _check_each(inputs: Sequence[OrderInput]) -> None:
    """All that contradicts itself in any of the orders, each field with the order's place."""
    errors: list[FieldError] = []
    for index, order in enumerate(inputs):
        try:
            check_order(order)
        except DomainError as error:
            error.place_fields(f"orders[{index}]")
            errors += error.errors
    if errors:
        raise InvalidOrderError(_("Some orders contradict themselves."), errors=errors[:100])


def _briefs(results: Sequence[OrderResult]) -> list[OrderBrief]:
    return [
        OrderBrief.model_construct(
            external_id=result.external_id, outcome=result.outcome, awards=awards
        )
        for result, awards in zip(results, brief_awards(results), strict=True)
    ]
