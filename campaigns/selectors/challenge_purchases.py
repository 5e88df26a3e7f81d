"""What customers bought and kept, as challenges count it: a constant number of queries, however
many customers there are."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from campaigns.challenges.purchases import Purchase, purchase_of
from loyalty.models import Order, Program
from loyalty.rules.basket import net_basket
from loyalty.rules.exchange import converted
from loyalty.selectors.exchange_rates import counted_in, recorded_exchanges
from loyalty.selectors.stored_orders import as_return, order_basket

# By the customer's key.
Bought = Mapping[int, Sequence[Purchase]]


def purchases_of(
    program: Program, customers: Iterable[int], since: dt.datetime, until: dt.datetime
) -> Bought:
    """Orders placed in [since, until] that did not come to nothing, in the program's currency or
    converted to it, by when they were placed. What came back of one reduces it, whenever that
    was."""
    rows = Order.objects.filter(
        counted_in(program),
        customer__in=list(customers), placed_at__gte=since, placed_at__lte=until,
    ).exclude(status__in=Order.VOID)  # fmt: skip
    rows = rows.prefetch_related("lines", "tenders", "refunds__lines")
    found: defaultdict[int, list[Purchase]] = defaultdict(list)
    orders = list(rows.order_by("placed_at", "pk"))
    others = [order.pk for order in orders if order.currency != program.currency]
    exchanges = recorded_exchanges(others) if others else {}
    for order in orders:
        assert order.customer_id is not None
        refunds = sorted(order.refunds.all(), key=lambda item: (item.refunded_at, item.pk))
        basket, returns = order_basket(order), [as_return(one) for one in refunds]
        exchange = exchanges.get((order.pk, program.pk))
        if exchange is not None:
            basket, returns = converted(net_basket(basket, returns), exchange), []
        found[order.customer_id].append(purchase_of(order.pk, order.placed_at, basket, returns))
    return found
