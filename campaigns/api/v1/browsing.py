"""/browsing-events: what customers who agreed look at in the shop."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from rest_framework.request import Request

from campaigns.models import BrowsingEvent
from campaigns.selectors.browsing import events_of
from campaigns.services.browsing import (
    MOST_AT_ONCE,
    NO_CONSENT,
    OFF,
    TOO_OLD,
    UNKNOWN,
    Outcome,
    Told,
    record_browsing,
)
from members.api.addresses import CustomerAddress, find_customer
from members.api.bodies import (
    TEXT,
    Answer,
    Body,
    Instant,
    answer,
    read_body,
    read_query,
)
from members.api.idempotency import idempotent
from members.api.member_views import MEMBER, MemberView
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.models import Customer
from members.selectors.merges import current

Kind = BrowsingEvent.Kind
Word = Annotated[str, Field(max_length=200, pattern=TEXT)]
# What each kind is about, by the name of its field.
ABOUT: dict[str, str] = {
    Kind.PRODUCT: "sku", Kind.CATEGORY: "category", Kind.SEARCH: "query", Kind.CART: "sku",
}  # fmt: skip
DROPPED: dict[str, Promise] = {
    OFF: gettext_lazy("It is not kept here what customers look at."),
    UNKNOWN: gettext_lazy("There is no such customer."),
    NO_CONSENT: gettext_lazy("The customer has not agreed to it being kept."),
    TOO_OLD: gettext_lazy("It was so long ago that it would not be kept any more."),
}


class OwnBrowsingEventIn(Body):
    """Something that somebody looked at: `sku` of a product, `category`, the `query` of a search;
    of a cart the `sku` with the `quantity` that is in there now, 0 where it was taken out."""

    id: Annotated[str, Field(min_length=1, max_length=64, pattern=TEXT)] = Field(
        description="Yours; told again it is the same.", examples=["0b7f1c9e"]
    )
    type: Literal["product_viewed", "category_viewed", "searched", "cart_updated"]
    occurred_at: Instant | None = Field(None, description="Else now.")
    sku: Word = Field("", examples=["MUG-BLUE"])
    name: Word = Field("", description="What people call the product.")
    category: Annotated[str, Field(max_length=128, pattern=TEXT)] = Field(
        "", description="Of a product as well.", examples=["Mugs"]
    )
    query: Word = ""
    quantity: Annotated[int, Field(ge=0, le=1_000_000)] | None = None

    @model_validator(mode="after")
    def says_what(self) -> Self:
        if not self.subject.strip():
            words = str(_("Say what it is about: %s.")) % ABOUT[self.type]
            raise PydanticCustomError("required", words)
        if (self.quantity is None) == (self.type == "cart_updated"):
            words = str(_("A cart needs the quantity, and nothing else has one."))
            raise PydanticCustomError("required", words)
        return self

    @property
    def subject(self) -> str:
        return str(getattr(self, ABOUT[self.type]))

    def told(self, customer_id: int | None, now: dt.datetime) -> Told:
        return Told(
            customer_id=customer_id, external_id=self.id, kind=self.type,
            subject=self.subject.strip(), occurred_at=self.occurred_at or now, name=self.name,
            category=self.category.strip() if self.type == "product_viewed" else "",
            quantity=self.quantity,
        )  # fmt: skip


class BrowsingEventIn(OwnBrowsingEventIn):
    customer: CustomerAddress = Field(description="Nobody is created for it.")


class BrowsingEventsIn(Body):
    """Up to 100, of any customers."""

    events: tuple[BrowsingEventIn, ...] = Field(min_length=1, max_length=MOST_AT_ONCE)


class OwnBrowsingEventsIn(Body):
    events: tuple[OwnBrowsingEventIn, ...] = Field(min_length=1, max_length=MOST_AT_ONCE)


class DroppedOut(Answer):
    code: Literal["off", "unknown_customer", "no_consent", "too_old"]
    detail: str


class BrowsingResult(Answer):
    id: str
    outcome: Literal["recorded", "unchanged", "dropped"]
    problem: DroppedOut | None = Field(description="Why nothing is kept of it.")


class BrowsingReceipt(Answer):
    """What became of each, in their order."""

    results: list[BrowsingResult]


class BrowsingQuery(PageQuery):
    customer: UUID


class BrowsingEventOut(Answer):
    id: str
    type: Literal["product_viewed", "category_viewed", "searched", "cart_updated"]
    occurred_at: dt.datetime
    subject: str = Field(description="The SKU, the category, or what was searched for.")
    name: str
    category: str
    quantity: int | None


class BrowsingEventPage(Page):
    results: list[BrowsingEventOut]


class BrowsingEvents(ApiView):
    scopes = {"GET": "browsing:read", "POST": "browsing:write"}

    @extend_schema(
        operation_id="listBrowsingEvents",
        parameters=query_parameters(BrowsingQuery),
        responses={200: BrowsingEventPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List what a customer looked at, newest first, as long as it is kept."""
        query = read_query(request, BrowsingQuery)
        address = CustomerAddress.model_validate({"id": str(query.customer)})
        found = events_of(current(find_customer(address)))
        page = paginate(request, found, query, ordering=["-occurred_at", "-pk"], row=_event)
        return answer(BrowsingEventPage(**page))

    @extend_schema(
        operation_id="recordBrowsingEvents",
        request=BrowsingEventsIn,
        responses={200: BrowsingReceipt},
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Tell what customers looked at, up to 100 at once. Kept of those alone who agreed to it;
        of the others it is dropped, and said so. Told again it is unchanged."""
        body, now = read_body(request, BrowsingEventsIn), timezone.now()
        people = _people([event.customer for event in body.events])
        told = [event.told(people.get(_named(event.customer)), now) for event in body.events]
        return answer(_receipt(record_browsing(told, now=now)))


class OwnBrowsingEvents(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(
        operation_id="recordOwnBrowsingEvents",
        request=OwnBrowsingEventsIn,
        responses={200: BrowsingReceipt},
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Tell what the member looks at, up to 100 at once. Without their yes it is dropped, and
        said so. Told again it is unchanged."""
        body, now = read_body(request, OwnBrowsingEventsIn), timezone.now()
        told = [event.told(self.customer.pk, now) for event in body.events]
        return answer(_receipt(record_browsing(told, now=now)))


def _named(viewer: CustomerAddress) -> str:
    """Keys of ours and numbers of theirs are apart."""
    return f"id:{viewer.id}" if viewer.id is not None else f"number:{viewer.external_id}"


def _people(viewers: list[CustomerAddress]) -> dict[str, int]:
    """The keys of whom these are now. Two queries at most."""
    ids = {viewer.id for viewer in viewers if viewer.id is not None}
    numbers = {viewer.external_id for viewer in viewers if viewer.external_id is not None}
    found: dict[str, int] = {}
    if ids:
        rows = Customer.objects.filter(public_id__in=ids)
        for public_id, pk, kept in rows.values_list("public_id", "pk", "merged_into"):
            found[f"id:{public_id}"] = kept or pk
    if numbers:
        rows = Customer.objects.filter(external_id__in=numbers)
        for number, pk, kept in rows.values_list("external_id", "pk", "merged_into"):
            found[f"number:{number}"] = kept or pk
    return found


def _receipt(outcomes: list[Outcome]) -> BrowsingReceipt:
    return BrowsingReceipt(
        results=[
            BrowsingResult.model_validate(
                {
                    "id": item.external_id,
                    "outcome": item.outcome,
                    "problem": {"code": item.reason, "detail": str(DROPPED[item.reason])}
                    if item.reason
                    else None,
                }
            )
            for item in outcomes
        ]
    )


def _event(row: BrowsingEvent) -> BrowsingEventOut:
    return BrowsingEventOut.model_validate(
        {
            "id": row.external_id, "type": row.kind, "occurred_at": row.occurred_at,
            "subject": row.subject, "name": row.name, "category": row.category,
            "quantity": row.quantity,
        }
    )  # fmt: skip
