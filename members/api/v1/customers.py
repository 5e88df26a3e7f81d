"""/customers: the people the merchant knows."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Lower
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field, JsonValue
from rest_framework.request import Request

from members.api.answer_bodies import Answers
from members.api.bodies import Answer, answer, read_body, read_query
from members.api.consent_bodies import said_in
from members.api.customer_bodies import CustomerIn, NewCustomerIn
from members.api.idempotency import idempotent
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.models import Customer
from members.selectors.customers import get_customer, tagged_customers
from members.selectors.merges import current_ids
from members.services.customers import create_customer, update_customer
from members.told_consents import API, ConsentsTold, keep_consents


class CustomerChanges(CustomerIn):
    """The fields to change; the others stay."""


class CustomerOut(Answer):
    id: UUID
    merged_into: UUID | None = Field(
        description="Whom this duplicate was merged into; read and change that one instead."
    )
    external_id: str | None
    email: str
    phone: str
    given_name: str
    family_name: str
    locale: str
    country: str
    birthday: dt.date | None
    gender: str = Field(description="female, male or other; empty: they have not said.")
    tags: list[str]
    attributes: dict[str, JsonValue]
    answers: Answers = Field(description="What was chosen, by the codes of the questions.")
    created_at: dt.datetime
    updated_at: dt.datetime


class CustomerPage(Page):
    results: list[CustomerOut]


class CustomerQuery(PageQuery):
    external_id: str = Field("", max_length=128, description="Only the one with this number.")
    email: str = Field("", max_length=254, description="Only the one with this address.")
    tag: str = Field("", max_length=64, description="Only those with this tag.")


class Customers(ApiView):
    scopes = {"GET": "customers:read", "POST": "customers:write"}

    @extend_schema(
        operation_id="listCustomers",
        parameters=query_parameters(CustomerQuery),
        responses={200: CustomerPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List customers, newest first. What a duplicate was known by finds whom it was merged
        into."""
        query = read_query(request, CustomerQuery)
        found, named = tagged_customers(query.tag), Customer.objects.all()
        # A NUL fits no column, so nobody has it.
        if query.external_id:
            named = named.filter(external_id=query.external_id.replace("\x00", "\n"))
        if query.email:
            lowered = query.email.replace("\x00", "\n").lower()
            named = named.alias(lowered=Lower("email")).filter(lowered=lowered).exclude(email="")
        if query.external_id or query.email:
            found = found.filter(pk__in=current_ids(named))
        page = paginate(request, found, query, ordering=["-pk"], row=customer_out)
        return answer(CustomerPage(**page))

    @extend_schema(
        operation_id="createCustomer", request=NewCustomerIn, responses={201: CustomerOut}
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Create a customer: somebody has an account in the shop now. Programs that take in every
        account make them a member."""
        body = read_body(request, NewCustomerIn)
        said = _sent(body)
        consents = said_in(said.pop("consents", ()))
        with transaction.atomic():
            customer = create_customer(actor=self.actor, registered=True, **said)
            keep_consents(ConsentsTold(customer, consents, API, self.actor, timezone.now()))
        return answer(customer_out(customer), HTTPStatus.CREATED)


class OneCustomer(ApiView):
    scopes = {"GET": "customers:read", "PATCH": "customers:write"}

    @extend_schema(operation_id="getCustomer", responses={200: CustomerOut})
    def get(self, request: Request, customer_id: UUID) -> HttpResponse:
        """Read a customer. A duplicate that was merged is there too, and says into whom."""
        return answer(customer_out(get_customer(customer_id)))

    @extend_schema(
        operation_id="changeCustomer", request=CustomerChanges, responses={200: CustomerOut}
    )
    def patch(self, request: Request, customer_id: UUID) -> HttpResponse:
        """Change some fields of a customer."""
        body = read_body(request, CustomerChanges)
        customer = get_customer(customer_id)
        changed = update_customer(customer=customer, actor=self.actor, changes=_sent(body))
        return answer(customer_out(changed))


def customer_out(customer: Customer) -> CustomerOut:
    own = CustomerOut.model_fields.keys() - {"id", "merged_into"}
    return CustomerOut(
        id=customer.public_id,
        merged_into=customer.merged_into.public_id if customer.merged_into else None,
        **{name: getattr(customer, name) for name in own},
    )


def _sent(body: CustomerIn) -> dict[str, Any]:
    return {name: getattr(body, name) for name in body.model_fields_set}
