"""/customers/{id}/consents: what a customer wants to be told."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from campaigns.models import ConsentChange
from campaigns.selectors.consents import all_choices_of
from campaigns.services.consents import set_consents
from members.api.bodies import Answer, Body, answer, read_body
from members.api.views import ApiView
from members.errors import DomainError
from members.models import Customer
from members.selectors.customers import get_customer
from members.selectors.merges import current

Code = Annotated[str, Field(max_length=16, pattern=r"^[a-z_]+$")]


class ConsentIn(Body):
    channel: Code = Field(examples=["email"])
    topic: Code = Field(examples=["offers"])
    wanted: bool


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
        try:
            set_consents(
                customer=customer,
                wanted={(item.channel, item.topic): item.wanted for item in body.consents},
                source=ConsentChange.Source.API.value, actor=self.actor, now=timezone.now(),
            )  # fmt: skip
        except DomainError as error:
            error.place_fields("consents")
            raise
        return answer(ConsentsOut(consents=consents_of(customer)))


def consents_of(customer: Customer) -> list[ConsentOut]:
    return [
        ConsentOut(
            channel=choice.channel.key, topic=choice.topic.code, said=choice.said,
            wanted=choice.wanted,
        )
        for choice in all_choices_of(customer)
    ]  # fmt: skip
