"""/customers/{id}/addresses and /me/addresses: devices and numbers by which they are reached."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from campaigns.models import ContactAddress
from campaigns.selectors.ways import contact_addresses_of
from campaigns.services.contact_addresses import (
    LONGEST,
    LONGEST_LABEL,
    name_address,
    remove_address,
)
from campaigns.services.number_codes import confirm_number, send_code
from members.api.bodies import TEXT, Answer, Body, answer, read_body
from members.api.idempotency import idempotent
from members.api.member_views import MEMBER, MemberView
from members.api.views import ApiView
from members.errors import NotFoundError
from members.models import Customer
from members.selectors.customers import get_customer
from members.selectors.merges import current
from members.services.audit import Actor

Line = Annotated[str, Field(max_length=LONGEST, pattern=TEXT)]


class ContactAddressIn(Body):
    """A device, by the token that its app has for notifications, or a number for WhatsApp."""

    channel: Literal["push", "whatsapp"]
    address: Line = Field(min_length=1, examples=["c1hZ3:APA91bF"])
    label: Annotated[str, Field(max_length=LONGEST_LABEL, pattern=TEXT)] = Field(
        "", examples=["Pixel 8"]
    )


class CodeIn(Body):
    code: Annotated[str, Field(min_length=1, max_length=16, pattern=TEXT, examples=["204816"])]


class AddressOut(Answer):
    id: UUID
    channel: str = Field(examples=["push"])
    address: str
    label: str
    named_at: dt.datetime = Field(description="Of several numbers, the last one is written to.")
    confirmed_at: dt.datetime | None = Field(
        description="When it was shown to be theirs; null: nothing but a code is sent there."
    )


class AddressesOut(Answer):
    results: list[AddressOut]


class CustomerAddresses(ApiView):
    scopes = {"GET": "consents:read", "POST": "consents:write"}

    @extend_schema(operation_id="listAddresses", responses={200: AddressesOut})
    def get(self, request: Request, customer_id: UUID) -> HttpResponse:
        """List the devices and numbers by which a customer is reached besides mail and phone."""
        return answer(_all_of(current(get_customer(customer_id))))

    @extend_schema(
        operation_id="nameAddress", request=ContactAddressIn, responses={200: AddressOut}
    )
    @idempotent()
    def post(self, request: Request, customer_id: UUID) -> HttpResponse:
        """Name a device or a number, which you know to be theirs. Named again it works again; a
        device goes with who signs in on it."""
        return _named(request, current(get_customer(customer_id)), self.actor, vouched=True)


class CustomerAddress(ApiView):
    scopes = {"DELETE": "consents:write"}

    @extend_schema(operation_id="removeAddress", responses={204: None})
    def delete(self, request: Request, customer_id: UUID, address_id: UUID) -> HttpResponse:
        """Send nothing there any more, as when somebody signs out on a device."""
        return _removed(current(get_customer(customer_id)), address_id, self.actor)


class OwnAddresses(MemberView):
    scopes = {"GET": MEMBER, "POST": MEMBER}

    @extend_schema(operation_id="listOwnAddresses", responses={200: AddressesOut})
    def get(self, request: Request) -> HttpResponse:
        """List the devices and numbers by which the customer is reached besides mail and phone."""
        return answer(_all_of(self.customer))

    @extend_schema(
        operation_id="nameOwnAddress", request=ContactAddressIn, responses={200: AddressOut}
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Name a device or a number. Named again it works again; a device goes with who signs in on
        it. To a number a code is sent, by which it is confirmed; until then it is not used."""
        return _named(request, self.customer, self.actor, vouched=False)


class OwnAddress(MemberView):
    scopes = {"DELETE": MEMBER}

    @extend_schema(operation_id="removeOwnAddress", responses={204: None})
    def delete(self, request: Request, address_id: UUID) -> HttpResponse:
        """Send nothing there any more, as when they sign out on a device."""
        return _removed(self.customer, address_id, self.actor)


class OwnAddressConfirming(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(operation_id="confirmOwnAddress", request=CodeIn, responses={200: AddressOut})
    @idempotent(commits=True)
    def post(self, request: Request, address_id: UUID) -> HttpResponse:
        """Show by the code that was sent there that a number is theirs: it takes the place of the
        one before. A code counts for 20 minutes, and five tries."""
        body = read_body(request, CodeIn)
        row = confirm_number(
            address=_own(self.customer, address_id), code=body.code, actor=self.actor,
            now=timezone.now(),
        )  # fmt: skip
        return answer(_out(row))


class OwnAddressCode(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(operation_id="sendOwnAddressCode", request=None, responses={200: AddressOut})
    @idempotent()
    def post(self, request: Request, address_id: UUID) -> HttpResponse:
        """Have another code sent to a number that is not confirmed; once a minute, five in a
        day."""
        row = send_code(address=_own(self.customer, address_id), now=timezone.now())
        return answer(_out(row))


def _own(customer: Customer, address_id: UUID) -> ContactAddress:
    row = contact_addresses_of(customer).filter(public_id=address_id).first()
    if row is None:
        raise NotFoundError("This customer has no such device or number.")
    return row


def _all_of(customer: Customer) -> AddressesOut:
    return AddressesOut(results=[_out(row) for row in contact_addresses_of(customer)])


def _named(request: Request, customer: Customer, actor: Actor, *, vouched: bool) -> HttpResponse:
    body = read_body(request, ContactAddressIn)
    row = name_address(
        customer=customer, channel=body.channel, address=body.address, label=body.label,
        actor=actor, now=timezone.now(), vouched=vouched,
    )  # fmt: skip
    return answer(_out(row))


def _removed(customer: Customer, address_id: UUID, actor: Actor) -> HttpResponse:
    remove_address(address=_own(customer, address_id), actor=actor)
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


def _out(row: ContactAddress) -> AddressOut:
    return AddressOut(
        id=row.public_id, channel=row.channel, address=row.address, label=row.label,
        named_at=row.named_at, confirmed_at=row.confirmed_at,
    )  # fmt: skip
