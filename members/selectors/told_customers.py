"""What is told outside of customers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from members.models import Customer, OutboxEvent
from members.models.telling import ToldRow
from members.public_events import (
    CustomerRef,
    EventData,
    EventType,
    NamedRow,
    PublicEvent,
    named_rows,
    register_event_source,
)

SAMPLE = CustomerRef(id="3f0d6ad0-6c1b-4a3b-9d6e-0a8f0a9d1c11", external_id="C-00042")
_OTHER = CustomerRef(id="9d0e6c5e-2b7f-4a43-8a55-6a3a4be3a0f2", external_id="C-00017")


class CustomerData(EventData):
    """Somebody the merchant knows."""

    customer: CustomerRef


class ChangedCustomer(EventData):
    """Somebody of whom something has changed; read what it is now by GET /customers/{id}."""

    customer: CustomerRef
    changed: list[str] = Field(description="The fields that have changed.")


class MergedCustomer(EventData):
    """A second record of somebody: what it had is the other one's now, or its own again."""

    customer: CustomerRef
    into: CustomerRef | None = Field(description="Whose it is now; null: the merge was undone.")


TYPES = (
    EventType(
        "customer.created", _("Somebody became known."), CustomerData, CustomerData(customer=SAMPLE)
    ),
    EventType(
        "customer.changed",
        _("Something about a customer has changed."),
        ChangedCustomer,
        ChangedCustomer(customer=SAMPLE, changed=["email", "tags"]),
    ),
    EventType(
        "customer.merged",
        _("A customer turned out to be another one, and was merged into them."),
        MergedCustomer,
        MergedCustomer(customer=SAMPLE, into=_OTHER),
    ),
    EventType(
        "customer.merge_undone",
        _("A merge of customers was undone."),
        MergedCustomer,
        MergedCustomer(customer=SAMPLE, into=None),
    ),
)


ERASED = "customer.erased"
ERASED_TYPE = EventType(
    ERASED,
    _("Somebody’s details were erased: whoever has a copy of them forgets it."),
    CustomerData,
    CustomerData(customer=SAMPLE),
)


def register() -> None:
    """Called once, when the application is ready."""
    register_event_source("told.customers", tell_customers, TYPES)
    register_event_source(ERASED, tell_erased, [ERASED_TYPE])


def tell_erased(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    """By the number alone; nothing else is left of them."""
    customers = Customer.objects.in_bulk([event.payload["customer"] for event in events])
    for event in events:
        customer = customers.get(event.payload["customer"])
        if customer is not None:
            data = CustomerData(customer=CustomerRef.of(customer))
            yield PublicEvent(ERASED, f"{event.pk}:{ERASED}", event.created_at, "", data)


def tell_customers(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    """Customers by what they are called now."""
    named = named_rows(events, _names)
    wanted = {item.row.id for item in named} | {int(item.row.became or 0) for item in named}
    customers = Customer.objects.in_bulk(wanted)
    for item in named:
        customer = customers.get(item.row.id)
        if customer is not None:
            into = customers.get(int(item.row.became or 0))
            yield item.told("", _data(item, CustomerRef.of(customer), into))


def _names(row: ToldRow) -> Iterable[str]:
    """The state is the key of whom they are merged into."""
    if row.is_new:
        yield "customer.created"
    elif "merged_into_id" in row.changed:
        yield "customer.merged" if row.became else "customer.merge_undone"
    else:
        yield "customer.changed"


def _data(item: NamedRow, customer: CustomerRef, into: Customer | None) -> EventData:
    if item.name == "customer.created":
        return CustomerData(customer=customer)
    if item.name == "customer.changed":
        return ChangedCustomer(customer=customer, changed=list(item.row.changed))
    return MergedCustomer(customer=customer, into=CustomerRef.of(into) if into else None)
