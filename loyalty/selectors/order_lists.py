"""Orders of everybody, for a list that is narrowed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from loyalty.models import Order, OrderEvaluation
from loyalty.selectors.orders import with_row_facts
from members.selectors.customers import search_customers

# Channels are few, and those that are used have orders among the latest.
LATEST = 2_000
# Of customers whom words find, so many.
FOUND_AT_MOST = 50
Status = Order.Status


@dataclass(frozen=True, slots=True)
class ListedOrders:
    """What is asked for; empty: all."""

    text: str = ""
    state: str = ""
    channel: str = ""
    program: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    @property
    def narrows(self) -> bool:
        return any(getattr(self, item.name) for item in fields(self))


def list_orders(wanted: ListedOrders) -> QuerySet[Order]:
    """With their customers, as `with_row_facts` has them. `until`: not included."""
    found = with_row_facts(Order.objects.select_related("customer", "partner"))
    if wanted.since:
        found = found.filter(placed_at__gte=wanted.since)
    if wanted.until:
        found = found.filter(placed_at__lt=wanted.until)
    if wanted.channel:
        found = found.filter(channel=wanted.channel)
    if wanted.program:
        counted = OrderEvaluation.objects.filter(order=OuterRef("pk"), program__code=wanted.program)
        found = found.filter(Exists(counted))
    if wanted.state:
        found = found.filter(_in_state(wanted.state))
    return found.filter(_named(wanted.text)) if wanted.text else found


def channels_in_use() -> set[str]:
    latest = Order.objects.order_by("-placed_at", "-pk").values("channel")[:LATEST]
    return set(latest.values_list("channel", flat=True))


def _in_state(state: str) -> Q:
    """As `order_state` has it: what was given back says more than what the shop said."""
    kept, whole = Q(refunded__lte=0), Q(refunded__gte=F("total"))
    alive = ~Q(status=Status.CANCELED)
    if state == Status.CANCELED:
        return Q(status=state)
    if state == Status.REFUNDED:
        return alive & ((~kept & whole) | (kept & Q(status=state)))
    if state == Status.PARTLY_REFUNDED:
        return alive & ((~kept & ~whole) | (kept & Q(status=state)))
    return Q(status=state) & kept


def _named(text: str) -> Q:
    """Orders whose numbers begin so; where there is none, those of the customers that are found."""
    number = text.replace("\x00", "").strip().removeprefix("#")
    begins = Q()
    for spelling in {number, number.upper(), number.lower()}:
        begins |= Q(external_id__startswith=spelling)
    if number and Order.objects.filter(begins).exists():
        return begins
    hits = search_customers(text, limit=FOUND_AT_MOST)
    return Q(customer__in=[hit.customer.pk for hit in hits])
