"""What staff choose to give back of an order, made into a refund: lines, an amount, or all of it.

Money is given back as it was charged: a line's total less its share of the order's discount.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from babel.numbers import get_currency_precision

from loyalty.models import Order, OrderLine, Refund, Transfer
from loyalty.rules.basket import net_basket
from loyalty.rules.facts import ZERO
from loyalty.selectors.stored_orders import as_return, order_basket
from loyalty.services.order_inputs import RefundInput, RefundLineInput, plain
from loyalty.services.refunds import record_refunds
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically


@dataclass(frozen=True, slots=True)
class LineLeft:
    """A line of which so much has not come back yet; `charged` is in the order's currency."""

    line: OrderLine
    quantity: Decimal
    charged: Decimal


@dataclass(frozen=True, slots=True)
class OrderLeft:
    """What has not been given back of an order. `tax` is what was added to its prices."""

    lines: tuple[LineLeft, ...] = ()
    total: Decimal = ZERO
    shipping: Decimal = ZERO
    tax: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be given back: quantities by line number, an amount of money, or everything."""

    what: Literal["lines", "amount", "all"]
    quantities: Mapping[int, Decimal] = field(default_factory=dict)
    amount: Decimal = ZERO
    shipping: bool = False


def left_of(order: Order) -> OrderLeft:
    """Of an order that is loaded with its lines, tenders and refunds."""
    if order.status in Order.VOID:
        return OrderLeft()
    refunds = list(order.refunds.all())
    basket = order_basket(order)
    kept = net_basket(basket, [as_return(refund) for refund in refunds])
    ordered = sum((line.total for line in basket.lines), ZERO)
    found = []
    stored = sorted(order.lines.all(), key=lambda line: line.line_no)
    for line, before, now in zip(stored, basket.lines, kept.lines, strict=False):
        share = before.total * order.discount_total / ordered if ordered > 0 else ZERO
        charged = max(now.total - share, ZERO)
        if now.quantity > 0 or charged > 0:
            found.append(LineLeft(line, max(now.quantity, ZERO), charged))
    shipping = order.shipping_total - sum((r.shipping_total for r in refunds), ZERO)
    return OrderLeft(
        lines=tuple(found),
        total=max(order.total - sum((r.total for r in refunds), ZERO), ZERO),
        shipping=max(shipping, ZERO),
        tax=ZERO if order.taxes_included else kept.tax_total,
    )


def draft_refund(
    order: Order, chosen: Chosen, left: OrderLeft, *, external_id: str, at: dt.datetime
) -> RefundInput:
    """The refund that gives this back. `left`: what there is to give back, from `left_of`."""
    if chosen.what == "amount":
        lines: tuple[RefundLineInput, ...] = ()
        total, shipping, tax = chosen.amount, ZERO, ZERO
    elif chosen.what == "all" or _is_everything(chosen, left):
        total, shipping, tax = left.total, min(left.shipping, left.total), left.tax
        lines = _all_lines(left.lines, max(total - shipping - tax, ZERO))
    else:
        lines = _chosen_lines(order, chosen, left.lines)
        shipping = left.shipping if chosen.shipping else ZERO
        goods = sum((line.total for line in lines), ZERO)
        charged = sum((item.charged for item in left.lines), ZERO)
        tax = _in_coins(left.tax * goods / charged, order) if charged else ZERO
        total = goods + shipping + tax
    return RefundInput(
        external_id=external_id,
        refunded_at=at,
        currency=order.currency,
        total=total,
        order_external_id=order.external_id,
        source=order.source,
        lines=lines,
        tax_total=tax,
        shipping_total=shipping,
    )


def record_draft(*, order: Order, draft: RefundInput, actor: Actor, now: dt.datetime) -> Refund:
    """Record a refund that somebody made by hand. Raises OrderConflictError where its number is
    known, and what recording a refund raises."""
    return run_atomically(lambda: _record(order, draft, actor, now))


def _record(order: Order, draft: RefundInput, actor: Actor, now: dt.datetime) -> Refund:
    source = Transfer.Source.BACKOFFICE
    [result] = record_refunds([draft], now=now, transfer_source=source)
    refund: Refund = Refund.objects.get(pk=result.refund_id)
    if result.outcome == "created":
        record_audit(
            actor=actor,
            action="order.refunded",
            target=order,
            after={
                "order": order.external_id,
                "refund": refund.external_id,
                "money": f"{plain(refund.total)} {refund.currency}",
            },
        )
    return refund


def _is_everything(chosen: Chosen, left: OrderLeft) -> bool:
    whole = all(
        chosen.quantities.get(item.line.line_no, ZERO) >= item.quantity for item in left.lines
    )
    return whole and (chosen.shipping or not left.shipping)


def _all_lines(left: Sequence[LineLeft], goods: Decimal) -> tuple[RefundLineInput, ...]:
    """Every line that is left, so that together they come to just this."""
    rest, lines = goods, []
    for number, item in enumerate(left, start=1):
        last = number == len(left)
        part = rest if last else min(item.charged.quantize(Decimal("0.0001")), rest)
        rest -= part
        lines.append(_returned(number, item, item.quantity, part))
    return tuple(lines)


def _chosen_lines(
    order: Order, chosen: Chosen, left: Sequence[LineLeft]
) -> tuple[RefundLineInput, ...]:
    return tuple(
        _returned(number, item, quantity, _in_coins(_part(item, quantity), order))
        for number, (item, quantity) in enumerate(_wanted(chosen, left), start=1)
    )


def _wanted(chosen: Chosen, left: Sequence[LineLeft]) -> Iterator[tuple[LineLeft, Decimal]]:
    for item in left:
        quantity = min(chosen.quantities.get(item.line.line_no, ZERO), item.quantity)
        if quantity > 0:
            yield item, quantity


def _part(item: LineLeft, quantity: Decimal) -> Decimal:
    return item.charged * quantity / item.quantity


def _returned(number: int, item: LineLeft, quantity: Decimal, total: Decimal) -> RefundLineInput:
    return RefundLineInput(
        line_no=number,
        total=total,
        quantity=quantity,
        sku=item.line.sku,
        category=item.line.category,
        order_line_no=item.line.line_no,
    )


def _in_coins(amount: Decimal, order: Order) -> Decimal:
    return round(amount, get_currency_precision(order.currency))
