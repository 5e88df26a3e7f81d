"""What customers bought and kept, as challenges count it: a constant number of queries, however
many customers there are."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from campaigns.challenges.purchases import Purchase, purchase_of
from loyalty.models import Order, Program
from loyalty.selectors.stored_orders import as_return, order_basket

# By the customer's key.
Bought = Mapping[int, Sequence[Purchase]]


def purchases_of(
    program: Program, customers: Iterable[int], since: dt.datetime, until: dt.datetime
) -> Bought:
    """Orders placed in [since, until] that did not come to nothing, in the program's currency, by
    when they were placed. What came back of one reduces it, whenever that was."""
    rows = Order.objects.filter(
        customer__in=list(customers), placed_at__gte=since, placed_at__lte=until,
        currency=program.currency,
    ).exclude(status__in=Order.VOID)  # fmt: skip
    rows = rows.prefetch_related("lines", "tenders", "refunds__lines")
    found: defaultdict[int, list[Purchase]] = defaultdict(list)
    for order in rows.order_by("placed_at", "pk"):
        assert order.customer_id is not None
        returns = sorted(order.refunds.all(), key=lambda item: (item.refunded_at, item.pk))
        found[order.customer_id].append(
            purchase_of(
                order.pk, order.placed_at, order_basket(order), [as_return(one) for one in returns]
            )
        )
    return found
