"""/customers/{id}/consents: what a customer wants to be told."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from campaigns.selectors.consents import all_choices_of
from members.api.bodies import Answer, Body, answer, read_body
from members.api.consent_bodies import ConsentIn, said_in
from members.api.views import ApiView
from members.models import Customer
from members.selectors.customers import get_customer
from members.selectors.merges import current
from members.told_consents import API, ConsentsTold, keep_consents


class ConsentsIn(Body):
    """What the customer has said; what is not named stays as it is."""

    consents: list[ConsentIn] = Field(min_length=1, max_length=50)


class ConsentOut(Answer):
    channel: str
    topic: str
    said: str = Field(
        description="What they said: granted, denied, asked (a yes that they have not confirmed);"
        " empty: nothing."
    )
    wanted: bool = Field(description="Whether they are told.")


class ConsentsOut(Answer):
    consents: list[ConsentOut]


class CustomerConsents(ApiView):
    scopes = {"GET": "consents:read", "PATCH": "consents:write"}

    @extend_schema(operation_id="getConsents", responses={200: ConsentsOut})
    def get(self, request: Request, customer_id: UUID) -> HttpResponse:
        """Read what a customer wants to be told, by each way. What belongs to orders and rewards is
        always told, so it is not in the list."""
        return answer(ConsentsOut(consents=consents_of(current(get_customer(customer_id)))))

    @extend_schema(operation_id="changeConsents", request=ConsentsIn, responses={200: ConsentsOut})
    def patch(self, request: Request, customer_id: UUID) -> HttpResponse:
        """Note what a customer has told you. A yes counts at once: you have their word, and a mail
        that confirms it if your country wants one. Again it changes nothing."""
        body = read_body(request, ConsentsIn)
        customer = current(get_customer(customer_id))
        keep_consents(
            ConsentsTold(customer, said_in(body.consents), API, self.actor, timezone.now())
        )
        return answer(ConsentsOut(consents=consents_of(customer)))


def consents_of(customer: Customer) -> list[ConsentOut]:
    return [
        ConsentOut(
            channel=choice.channel.key, topic=choice.topic.code, said=choice.said,
            wanted=choice.wanted,
        )
        for choice in all_choices_of(customer)
    ]  # fmt: skip
