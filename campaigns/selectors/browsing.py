"""What members looked at, as conditions ask and as staff read it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from campaigns.models import BrowsingDay, BrowsingEvent, CartLine
from loyalty.asked_elsewhere import BuyerAsked
from loyalty.selectors.behavior import last_orders_before
from members.conditions.once import once
from members.models import Customer
from members.selectors.merchants import get_merchant

What = BrowsingDay.What
LOOKS = (What.PRODUCT.value, What.CATEGORY.value)


@dataclass(frozen=True, slots=True)
class Look:
    """What somebody did on a day: how often, and when last."""

    what: str
    subject: str
    day: dt.date
    times: int
    last_at: dt.datetime


@dataclass
class Browsed:
    """What a member looked at before a moment. `cart`: what lies in their cart since when, and was
    not followed by an order."""

    looks: Sequence[Look] = ()
    cart: Mapping[str, dt.datetime] = field(default_factory=dict)
    last_order_at: dt.datetime | None = None

    @once
    def last_seen_at(self) -> dt.datetime | None:
        return max((look.last_at for look in self.looks), default=None)

    @once
    def viewed_unbought_at(self) -> dt.datetime | None:
        """When they looked last, unless they ordered since."""
        at = max((look.last_at for look in self.looks if look.what in LOOKS), default=None)
        if at is None or (self.last_order_at is not None and self.last_order_at >= at):
            return None
        return at

    @once
    def cart_left_at(self) -> dt.datetime | None:
        return max(self.cart.values(), default=None)

    def subjects(self, what: str) -> frozenset[str]:
        return frozenset(look.subject for look in self.looks if look.what == what)

    def last_at(self, what: str, subject: str) -> dt.datetime | None:
        return max((look.last_at for look in self._of(what, subject)), default=None)

    def times(self, what: str, subject: str, first: dt.date, last: dt.date) -> int:
        return sum(look.times for look in self._of(what, subject) if first <= look.day <= last)

    def _of(self, what: str, subject: str) -> list[Look]:
        return [look for look in self.looks if (look.what, look.subject) == (what, subject)]


def browsed_by(asked: Sequence[BuyerAsked]) -> list[Browsed | None]:
    """What buyers had looked at before these moments; for rules (`loyalty.asked_elsewhere`). Of
    nobody nothing is known. Three queries. A day on which the moment is counts whole: its sums do
    not say when each was."""
    people = {item.customer_id for item in asked} - {0}
    looks: defaultdict[int, list[BrowsingDay]] = defaultdict(list)
    for row in BrowsingDay.objects.filter(customer__in=people).order_by("pk"):
        looks[row.customer_id].append(row)
    lines: defaultdict[int, list[CartLine]] = defaultdict(list)
    for line in CartLine.objects.filter(customer__in=people, quantity__gt=0).order_by("pk"):
        lines[line.customer_id].append(line)
    orders = last_orders_before([(item.customer_id, item.at) for item in asked])
    # Sums are those of the merchant's days.
    zone = ZoneInfo(get_merchant().time_zone)
    return [
        _browsed(
            item.at.astimezone(zone), looks[item.customer_id], lines[item.customer_id], ordered
        )
        if item.customer_id
        else None
        for item, ordered in zip(asked, orders, strict=True)
    ]


def events_of(customer: Customer) -> QuerySet[BrowsingEvent]:
    """What they looked at, newest first."""
    return BrowsingEvent.objects.filter(customer=customer).order_by("-occurred_at", "-pk")


def _browsed(
    at: dt.datetime, rows: Sequence[BrowsingDay], lines: Sequence[CartLine],
    ordered: dt.datetime | None,
) -> Browsed:  # fmt: skip
    """`at`: by the merchant's clock."""
    looks = [
        Look(row.what, row.subject, row.day, row.times, min(row.last_at, at))
        for row in rows
        if row.last_at <= at or row.day <= at.date()
    ]
    cart = {
        line.sku: line.changed_at
        for line in lines
        if line.changed_at <= at and (ordered is None or ordered < line.changed_at)
    }
    return Browsed(looks, cart, ordered)
