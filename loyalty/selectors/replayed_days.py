"""Members in a replay who need not have bought anything: whom days of the year and other tiers are
about."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from django.db.models import Min, QuerySet

from loyalty.models import Membership, Order
from loyalty.rules.celebrations import KeptDay, kept_days
from members.models import Customer

if TYPE_CHECKING:
    from loyalty.selectors.replayed_orders import Stretch

AT_ONCE = 4_000


def everybody_in_ranges(stretch: Stretch, size: int = AT_ONCE) -> Iterator[tuple[int, int, int]]:
    """As `customer_ranges`, with the active members of the program besides, who count like one
    order each."""
    buyers = Order.objects.filter(
        customer__isnull=False, placed_at__gte=stretch.since, placed_at__lt=stretch.until
    )
    everybody = buyers.order_by().values_list("customer_id").union(
        _members(stretch).order_by().values_list("customer_id"), all=True
    )  # fmt: skip
    first = last = count = 0
    for (customer_id,) in everybody.order_by("customer_id").iterator(chunk_size=10_000):
        if count >= size and customer_id != last:
            yield first, last, count
            first = count = 0
        first, last, count = first or customer_id, customer_id, count + 1
    if count:
        yield first, last, count


def members_between(stretch: Stretch, first: int, last: int) -> list[int]:
    """The customers in [first, last] who are active members."""
    found = _members(stretch).filter(customer__gte=first, customer__lte=last)
    return list(found.values_list("customer_id", flat=True))


def days_of(stretch: Stretch, members: Mapping[int, Membership]) -> dict[int, list[KeptDay]]:
    """By customer the days of the stretch that they keep, in the order of time."""
    wanted = {keeping.on for keeping in stretch.keeping}
    since = {on: _since(on, stretch, members) for on in wanted}
    found: defaultdict[int, list[KeptDay]] = defaultdict(list)
    for customer_id, member in members.items():
        if member.status != Membership.Status.ACTIVE:
            continue
        for keeping in stretch.keeping:
            day = since[keeping.on].get(customer_id)
            if day is not None:
                found[customer_id] += kept_days(
                    keeping, day, member.enrolled_at, begin=stretch.since, end=stretch.until,
                    zone=stretch.program.zone,
                )  # fmt: skip
        found[customer_id].sort(key=lambda kept: kept.at)
    return found


def _members(stretch: Stretch) -> QuerySet[Membership]:
    return Membership.objects.filter(
        program=stretch.program, status=Membership.Status.ACTIVE, enrolled_at__lt=stretch.until
    )


def _since(
    on: str, stretch: Stretch, members: Mapping[int, Membership]
) -> Mapping[int, dt.date | None]:
    """Of which day on, by customer."""
    zone, ids = stretch.program.zone, list(members)
    if on == "enrollment":
        return {pk: item.enrolled_at.astimezone(zone).date() for pk, item in members.items()}
    if on == "first_purchase":
        return _first_purchases(ids, zone)
    born = Customer.objects.filter(pk__in=ids).exclude(birthday=None)
    return dict(born.values_list("pk", "birthday"))


def _first_purchases(ids: Collection[int], zone: dt.tzinfo) -> dict[int, dt.date | None]:
    orders = Order.objects.filter(customer__in=ids).exclude(status__in=Order.VOID)
    first = orders.order_by().values("customer_id").annotate(first=Min("placed_at"))
    return {row["customer_id"]: row["first"].astimezone(zone).date() for row in first}
