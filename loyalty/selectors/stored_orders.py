"""Stored orders and returns as rules see them; the caller reads lines and tenders along."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from decimal import Decimal

from loyalty.models import (
    Order,
    OrderEvaluation,
    OrderLine,
    Refund,
    RefundLine,
    Tender,
)
from loyalty.rules.facts import ZERO, Basket, Line, Occasion, Return, ReturnedLine
from loyalty.rules.margins import with_margins
from loyalty.selectors.rulebooks import ProgramTerms
from members.conditions.moments import Moment
from members.prepared import KeptQuery, read_along

_ORDERS: KeptQuery[Order] = KeptQuery(
    lambda ids: (
        Order.objects.filter(pk__among=ids).select_related("partner__account").order_by("pk")
    )
)
_LINES: KeptQuery[OrderLine] = KeptQuery(lambda ids: OrderLine.objects.filter(order__among=ids))
_TENDERS: KeptQuery[Tender] = KeptQuery(lambda ids: Tender.objects.filter(order__among=ids))
_REFUNDS: KeptQuery[Refund] = KeptQuery(lambda ids: Refund.objects.filter(order__among=ids))
_RETURNED: KeptQuery[RefundLine] = KeptQuery(
    lambda ids: RefundLine.objects.filter(refund__among=ids)
)
_EVALUATIONS: KeptQuery[OrderEvaluation] = KeptQuery(
    lambda ids: OrderEvaluation.objects.filter(order__among=ids)
)


def orders_to_judge(order_ids: Collection[int]) -> list[Order]:
    """By key, with all that rules look at, what came back of them and how they were judged."""
    found = _ORDERS.rows(list(order_ids))
    read_along(found, "lines", _LINES)
    read_along(found, "tenders", _TENDERS)
    read_along(found, "evaluations", _EVALUATIONS)
    read_along(read_along(found, "refunds", _REFUNDS), "lines", _RETURNED)
    return found


def order_occasion(order: Order, program: ProgramTerms) -> Occasion:
    """The stored order as rules see it: when it was placed, where, how it was paid."""
    return Occasion(
        order_basket(order),
        Moment(order.placed_at, program.zone),
        currency=order.currency,
        channel=order.channel,
        store=order.store,
        payment_method=order.payment_method,
        coupons=tuple(order.coupons),
        paid_with=tuple(sorted({tender.kind for tender in order.tenders.all()})),
        partner=order.partner.code if order.partner else "",
    )


def order_basket(order: Order) -> Basket:
    """The stored order as the engine sees it."""
    tenders: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for tender in order.tenders.all():
        tenders[tender.kind] += tender.amount
    basket = Basket(
        lines=tuple(
            Line(
                line.line_no, line.total, line.sku, line.category, tuple(line.tags), line.quantity,
                line.discount, line.tax, line.stored_value, line.brand, line.unit_cost,
            )
            for line in sorted(order.lines.all(), key=lambda line: line.line_no)
        ),
        tax_total=order.tax_total,
        taxes_included=order.taxes_included,
        shipping_total=order.shipping_total,
        discount_total=order.discount_total,
        paid_units=tenders[Tender.Kind.UNITS],
        paid_stored_value=tenders[Tender.Kind.STORED_VALUE],
    )  # fmt: skip
    return with_margins(basket)


def as_return(refund: Refund) -> Return:
    """What came back."""
    return Return(
        total=refund.total,
        lines=tuple(
            ReturnedLine(
                line.total, line.sku, line.category, line.quantity, line.tax, line.order_line_no
            )
            for line in sorted(refund.lines.all(), key=lambda line: line.line_no)
        ),
        shipping_total=refund.shipping_total,
        tax_total=refund.tax_total,
    )
