"""Orders that were kept as history, once their buyers are members of the program that they are
imported into."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import Exists, OuterRef

from loyalty.models import Order, OrderEvaluation, Program, Refund
from loyalty.services.order_batches import Enrolling, Wanted, open_batch
from loyalty.services.order_inputs import CustomerRef
from loyalty.services.reconciliation import reconcile_orders
from loyalty.services.refunds import take_back_linked


def judge_kept_orders(
    order_ids: Iterable[int], *, program: Program, now: dt.datetime, transfer_source: str
) -> set[int]:
    """Let orders that the program has never judged earn in it, by the rules that were in force as
    they were placed, less what was given back of them. Returns those that it judges from now on;
    doing so again changes nothing."""
    judged = OrderEvaluation.objects.filter(order=OuterRef("pk"), program=program)
    asked = Order.objects.filter(pk__in=list(order_ids))
    if program.foreign_orders != Program.ForeignOrders.CONVERT:
        asked = asked.filter(currency=program.currency)
    kept = list(asked.exclude(customer=None).exclude(Exists(judged)).order_by("pk"))
    if not kept:
        return set()
    terms, _opened = open_batch(
        [Wanted(order.external_id, CustomerRef(key=order.customer_id), order.placed_at)
         for order in kept],
        source=kept[0].source, program_ids=[program.pk], enrolling=Enrolling(never=True),
    )  # fmt: skip
    keys = [order.pk for order in kept]
    reconcile_orders(
        keys, terms=terms, now=now, transfer_source=transfer_source, causes={}, kept=True
    )
    fresh = set(
        OrderEvaluation.objects.filter(order__in=keys, program=program).values_list(
            "order", flat=True
        )
    )
    returned: dict[int, list[Refund]] = {}
    refunds = Refund.objects.filter(order__in=fresh).prefetch_related("lines")
    for refund in refunds.order_by("refunded_at", "pk"):
        returned.setdefault(refund.order_id or 0, []).append(refund)
    if returned:
        take_back_linked(returned, terms=terms, now=now, transfer_source=transfer_source)
    return fresh
