"""The net basket: what is left of an order after its refunds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal

from loyalty.rules.facts import ZERO, Basket, Line, Return, ReturnedLine

# Far below what is stored: shares that come out even stay even.
SMALLEST = Decimal("0.0000000001")
# Less of a thing than a price rounded to coins may leave behind.
CRUMB = Decimal("0.01")


def net_basket(basket: Basket, returns: Sequence[Return]) -> Basket:
    """The basket as if the customer had bought only what they kept.

    A returned line reduces the line it names, else lines of the same SKU in turn. What finds no
    line stays as a line below zero with its own SKU and category, so that it is judged by the same
    inclusion rules and the sum is exact. What units and stored value paid comes back in proportion.
    """
    if not returns:
        return basket
    lines = tuple(replace(line, ordered=line.as_ordered) for line in basket.lines)
    kept = replace(basket, lines=lines)
    for given_back in returns:
        # A message that gives nothing back changes nothing, where there was something to give.
        if given_back.lines or given_back.total or not basket.total:
            kept = _without(kept, given_back)
    if not all(given_back.lines for given_back in returns):
        kept = replace(kept, lines=_in_pieces(basket.lines, kept.lines))
    if not (basket.paid_units or basket.paid_stored_value):
        return kept
    left = max(kept.total, ZERO)
    return replace(
        kept,
        paid_units=_share(basket.paid_units, left, basket.total),
        paid_stored_value=_share(basket.paid_stored_value, left, basket.total),
    )


def as_basket(given: Return) -> Basket:
    """A return as if it were bought."""
    lines = tuple(
        Line(number, line.total, line.sku, line.category, quantity=line.quantity, tax=line.tax)
        for number, line in enumerate(given.lines, start=1)
    )
    return Basket(
        lines or (Line(1, given.total - given.shipping_total),),
        tax_total=given.tax_total,
        shipping_total=given.shipping_total,
    )


def _without(basket: Basket, given_back: Return) -> Basket:
    lines = list(basket.lines)
    tells_tax = _tells_tax(given_back)
    if given_back.lines:
        for returned in given_back.lines:
            _take_line(lines, returned, basket)
    else:
        if not tells_tax and not basket.taxes_included:
            given_back = replace(given_back, tax_total=_tax_on_top(basket, given_back))
        _take_amount(lines, given_back, basket)
    tax_total = max(basket.tax_total - given_back.tax_total, ZERO)
    if basket.tax_total and not tells_tax:
        lines, in_proportion = _taxes_in_proportion(basket, lines)
        if basket.taxes_included or given_back.lines:
            tax_total = in_proportion
    return replace(
        basket,
        lines=tuple(lines),
        shipping_total=max(basket.shipping_total - given_back.shipping_total, ZERO),
        tax_total=tax_total,
    )


def _tax_on_top(basket: Basket, given_back: Return) -> Decimal:
    """What of an amount is the tax that was paid on top of the goods, to a hundredth of a coin: so
    that several amounts that come to the whole leave none of either."""
    charged = sum((line.total for line in basket.lines), ZERO) - basket.discount_total
    if charged <= 0:
        return ZERO
    amount = min(given_back.total - given_back.shipping_total, charged + basket.tax_total)
    tax = amount * basket.tax_total / (charged + basket.tax_total)
    return tax.quantize(Decimal("0.0001"))


def _tells_tax(given_back: Return) -> bool:
    return bool(given_back.tax_total) or any(line.tax for line in given_back.lines)


def _taxes_in_proportion(basket: Basket, kept: list[Line]) -> tuple[list[Line], Decimal]:
    """A return that says nothing of the tax in its prices takes it back in proportion: each line
    keeps as much of its own tax as of its total, the order of what it has beyond the lines'."""
    lines = []
    for index, line in enumerate(kept):
        before = basket.lines[index] if index < len(basket.lines) else line
        lines.append(replace(line, tax=_share(before.tax, line.total, before.total)))
    own = sum((line.tax for line in basket.lines), ZERO)
    goods = sum((line.total for line in basket.lines), ZERO)
    left = sum((line.total for line in kept), ZERO)
    beyond = _share(basket.tax_total - own, max(left, ZERO), goods)
    return lines, sum((line.tax for line in lines), ZERO) + beyond


def _share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    if not amount or whole <= 0:
        return amount
    return (amount * part / whole).quantize(SMALLEST)


def _take_line(lines: list[Line], returned: ReturnedLine, basket: Basket) -> None:
    rest, rest_tax, rest_quantity = returned.total, returned.tax, returned.quantity
    for index, line in enumerate(lines):
        if rest <= 0 and rest_quantity <= 0:
            return
        if not _matches(line, returned) or (line.total <= 0 and line.quantity <= 0):
            continue
        part = min(rest, max(line.total, ZERO))
        quantity = min(rest_quantity, max(line.quantity, ZERO))
        tax = min(rest_tax, line.tax)
        lines[index] = replace(
            line,
            total=line.total - part,
            discount=_kept_discount(line, part, *_of_line(line, part, quantity, basket)),
            quantity=line.quantity - quantity,
            tax=line.tax - tax,
        )
        rest, rest_tax, rest_quantity = rest - part, rest_tax - tax, rest_quantity - quantity
    if rest > 0:
        lines.append(
            Line(
                line_no=0, total=-rest, sku=returned.sku, category=returned.category,
                quantity=-rest_quantity, tax=-rest_tax, ordered=ZERO,
            )
        )  # fmt: skip


def _matches(line: Line, returned: ReturnedLine) -> bool:
    if returned.order_line_no is not None:
        return line.line_no == returned.order_line_no
    return bool(returned.sku) and line.sku == returned.sku


def _take_amount(lines: list[Line], given_back: Return, basket: Basket) -> None:
    """Spread an amount over the lines in proportion; the last one takes what rounding left."""
    amount = given_back.total - given_back.shipping_total
    if not basket.taxes_included:
        amount -= given_back.tax_total
    goods = sum((line.total for line in lines), ZERO)
    if not lines or goods <= 0:
        lines.append(Line(line_no=0, total=-amount, quantity=ZERO, ordered=ZERO))
        return
    charged = goods - basket.discount_total
    if amount >= charged:
        # Whoever has all of their money back has kept nothing.
        lines[:] = [
            replace(line, total=ZERO, discount=ZERO, ordered=ZERO, quantity=ZERO) for line in lines
        ]
        lines[-1] = replace(lines[-1], total=charged - amount)
        return
    rest = amount
    for index, line in enumerate(lines):
        last = index == len(lines) - 1
        part = rest if last else (line.total * amount / goods).quantize(Decimal("0.0001"))
        lines[index] = replace(
            line,
            total=line.total - part,
            discount=_kept_discount(line, part, charged, amount),
            quantity=_share(line.quantity, charged - amount, charged),
        )
        rest -= part


def _in_pieces(ordered: Sequence[Line], kept: Sequence[Line]) -> tuple[Line, ...]:
    """What was bought by the piece is kept by the piece: who got back a little of its price has
    kept it."""
    found = list(kept)
    for index, line in enumerate(ordered):
        left = found[index].quantity
        if left > 0 and left % 1 and not line.quantity % 1:
            pieces = (left - CRUMB).to_integral_value(ROUND_CEILING)
            found[index] = replace(found[index], quantity=max(pieces, ZERO))
    return tuple(found)


def _kept_discount(line: Line, part: Decimal, whole: Decimal, back: Decimal) -> Decimal:
    """The discount of what is kept, so that what is given back as a whole leaves none behind: the
    price before discounts shrinks in the proportion `back` : `whole`."""
    if whole <= 0:
        return line.discount
    before = (line.total + line.discount) * max(whole - back, ZERO) / whole
    return before.quantize(SMALLEST) - (line.total - part)


def _of_line(
    line: Line, part: Decimal, quantity: Decimal, basket: Basket
) -> tuple[Decimal, Decimal]:
    """What there is of a line and what comes back: of the amount charged for it, its share of the
    order's discount taken off; where nothing was charged, of its quantity."""
    charged = line.total
    ordered = basket.goods_as_ordered
    if basket.discount_total and ordered > 0 and not line.stored_value:
        charged -= line.as_ordered * basket.discount_total / ordered
    return (charged, part) if charged > 0 else (line.quantity, quantity)
