"""The net basket: what is left of an order after its refunds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from loyalty.rules.facts import ZERO, Basket, Line, Return, ReturnedLine


def net_basket(basket: Basket, returns: Sequence[Return]) -> Basket:
    """The basket as if the customer had bought only what they kept.

    A returned line reduces the line it names, else lines of the same SKU in turn. What finds no
    line
    stays as a line below zero with its own SKU and category, so that it is judged by the same
    inclusion rules and the sum is exact.
    """
    for given_back in returns:
        basket = _without(basket, given_back)
    return basket


def _without(basket: Basket, given_back: Return) -> Basket:
    lines = list(basket.lines)
    if given_back.lines:
        for returned in given_back.lines:
            _take_line(lines, returned)
    else:
        _take_amount(lines, given_back.total - given_back.shipping_total)
    return replace(
        basket,
        lines=tuple(lines),
        shipping_total=max(basket.shipping_total - given_back.shipping_total, ZERO),
        tax_total=max(basket.tax_total - given_back.tax_total, ZERO),
    )


def _take_line(lines: list[Line], returned: ReturnedLine) -> None:
    rest, rest_tax, rest_quantity = returned.total, returned.tax, returned.quantity
    for index, line in enumerate(lines):
        if rest <= 0:
            return
        if not _matches(line, returned) or line.total <= 0:
            continue
        part = min(rest, line.total)
        quantity = min(rest_quantity, max(line.quantity, ZERO))
        tax = min(rest_tax, line.tax)
        lines[index] = replace(
            line,
            total=line.total - part,
            quantity=line.quantity - quantity,
            tax=line.tax - tax,
        )
        rest, rest_tax, rest_quantity = (
            rest - part,
            rest_tax - tax,
            rest_quantity - quantity,
        )
    if rest > 0:
        lines.append(
            Line(
                line_no=0, total=-rest, sku=returned.sku, category=returned.category,
                quantity=-rest_quantity, tax=-rest_tax,
            )
        )  # fmt: skip


def _matches(line: Line, returned: ReturnedLine) -> bool:
    if returned.order_line_no is not None:
        return line.line_no == returned.order_line_no
    return bool(returned.sku) and line.sku == returned.sku


def _take_amount(lines: list[Line], amount: Decimal) -> None:
    """Spread an amount over the lines in proportion; the last one takes what rounding left."""
    goods = sum((line.total for line in lines), ZERO)
    if not lines or goods <= 0:
        lines.append(Line(line_no=0, total=-amount, quantity=ZERO))
        return
    rest = amount
    for index, line in enumerate(lines):
        last = index == len(lines) - 1
        part = rest if last else (line.total * amount / goods).quantize(Decimal("0.0001"))
        lines[index] = replace(line, total=line.total - part)
        rest -= part
