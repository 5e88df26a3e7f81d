"""What of an order or a refund contradicts itself, before the database is asked anything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal

from babel.core import get_global
from django.utils.translation import gettext as _

from loyalty.errors import InvalidOrderError
from loyalty.models import Order
from loyalty.rules.facts import ZERO
from loyalty.services.order_inputs import LineInput, OrderInput, RefundInput, RefundLineInput
from loyalty.services.tender_inputs import (
    paid_by_kind,
    wrong_units,
)
from members.errors import FieldError

# What clocks may differ by.
AHEAD = dt.timedelta(minutes=5)
ORDER_TIMES = ("placed_at", "paid_at", "fulfilled_at", "completed_at", "changed_at")


def check_order(order: OrderInput) -> None:
    """Raise InvalidOrderError naming every field that contradicts another."""
    errors = [*_double_lines(order.lines), *_too_fine(order), *_odd_costs(order)]
    for name in ORDER_TIMES:
        errors += _unlikely(name, getattr(order, name))
    expected = sum((line.total for line in order.lines), ZERO) + order.shipping_total
    expected -= order.discount_total
    if not order.taxes_included:
        expected += order.taxes
    if order.lines and expected != order.total:
        errors.append(
            FieldError(
                "total",
                _(
                    "The order's total is %(total)s, but its lines, shipping, tax and discount"
                    " come to %(expected)s. Correct the one that is wrong."
                )
                % {"total": order.total, "expected": expected},
                "total_mismatch",
            )
        )  # fmt: skip
    if order.taxes < sum((line.tax for line in order.lines), ZERO):
        errors.append(
            FieldError("tax_total", _("The lines' taxes come to more than this."), "tax_mismatch")
        )
    paid = sum((tender.amount for tender in order.tenders), ZERO)
    if order.tenders and paid != order.total:
        errors.append(
            FieldError(
                "tenders",
                _("The tenders come to %(paid)s, the order's total is %(total)s.")
                % {"paid": paid, "total": order.total},
                "tender_mismatch",
            )
        )
    if any(amount < 0 for amount in paid_by_kind(order.tenders).values()):
        errors.append(FieldError("tenders", _("A tender pays more than nothing.")))
    errors += [*_wrong_discounts(order), *wrong_units(order.tenders), *_wrong_rates(order)]
    if errors:
        raise InvalidOrderError(_("The order contradicts itself."), errors=errors)


def check_refund(refund: RefundInput) -> None:
    """Raise InvalidOrderError where the refund's amounts contradict each other."""
    errors = [*_double_lines(refund.lines), *_too_fine(refund)]
    errors += _unlikely("refunded_at", refund.refunded_at)
    if refund.total < 0:
        errors.append(FieldError("total", _("A refund's total is zero or more.")))
    returned = sum((line.total for line in refund.lines), ZERO) + refund.shipping_total
    # The total may hold the tax that the lines leave out, as the order's does.
    if refund.lines and refund.total not in {returned, returned + refund.tax_total}:
        errors.append(
            FieldError(
                "total",
                _("The refund's total is %(total)s, but its lines and shipping come to %(lines)s.")
                % {"total": refund.total, "lines": returned},
                "total_mismatch",
            )
        )
    if errors:
        raise InvalidOrderError(_("The refund contradicts itself."), errors=errors)


def refuse_order_ahead(order: OrderInput, now: dt.datetime, known: Order | None = None) -> None:
    """Raise InvalidOrderError where it was not placed, or changed, yet. What is `known` of it stays
    as it was told, so that it can still be changed, canceled and given back. The states that it
    will reach may lie ahead, as the end of a stay does: its units wait for that."""
    errors: list[FieldError] = []
    if known is None:  # Else it keeps the one that it has.
        errors += ahead("placed_at", order.placed_at, now)
    if known is None or order.changed_at != known.changed_at:
        # Whatever is told later would be the older message.
        errors += ahead("changed_at", order.changed_at, now)
    if errors:
        raise InvalidOrderError(_("The order has not happened yet."), errors=errors)


def refuse_refund_ahead(refund: RefundInput, now: dt.datetime) -> None:
    """Raise InvalidOrderError where the money has not been given back yet."""
    errors = [*ahead("refunded_at", refund.refunded_at, now)]
    if errors:
        raise InvalidOrderError(_("The refund has not happened yet."), errors=errors)


def ahead(name: str, at: dt.datetime | None, now: dt.datetime) -> Iterable[FieldError]:
    """What is told has happened: nothing is earned, ordered or renewed by a day to come."""
    if at is not None and at > now + AHEAD:
        message = _(
            "It lies in the future. Tell it once it has happened, and check the clock and the time"
            " zone of whoever tells it."
        )
        yield FieldError(name, message, "in_the_future")


def _double_lines(lines: Sequence[LineInput | RefundLineInput]) -> Iterable[FieldError]:
    seen: set[int] = set()
    for index, line in enumerate(lines):
        if line.line_no in seen:
            yield FieldError(
                f"lines[{index}].line_no",
                _("Line number %(number)s is there twice.") % {"number": line.line_no},
                "duplicate_line",
            )
        seen.add(line.line_no)


def _odd_costs(order: OrderInput) -> Iterable[FieldError]:
    for index, line in enumerate(order.lines):
        if line.unit_cost is not None and line.unit_cost < 0:
            yield FieldError(f"lines[{index}].unit_cost", _("What it cost is zero or more."))


def _too_fine(found: OrderInput | RefundInput) -> Iterable[FieldError]:
    """Amounts finer than what is stored would earn otherwise when they are judged again."""
    for name in ("total", "tax_total", "shipping_total"):
        amount: Decimal = getattr(found, name)
        if amount != round(amount, 4):
            yield FieldError(name, _("Give at most 4 decimals."), "too_fine")
    lines: Sequence[LineInput | RefundLineInput] = found.lines
    for index, line in enumerate(lines):
        for name, amount, decimals in (
            ("total", line.total, 4), ("tax", line.tax, 4), ("quantity", line.quantity, 3)
        ):  # fmt: skip
            if amount != round(amount, decimals):
                message = _("Give at most %(number)s decimals.") % {"number": decimals}
                yield FieldError(f"lines[{index}].{name}", message, "too_fine")


def _wrong_discounts(order: OrderInput) -> Iterable[FieldError]:
    """What rules took off is part of what was taken off in all."""
    if not order.discounts:
        return
    seen: set[tuple[str, str]] = set()
    for index, item in enumerate(order.discounts):
        if item.amount <= 0 or item.amount != round(item.amount, 4):
            message = _("Give an amount above zero with at most 4 decimals.")
            yield FieldError(f"discounts[{index}].amount", message)
        if (item.program, item.rule) in seen:
            message = _("The rule %s is there twice.") % item.rule
            yield FieldError(f"discounts[{index}].rule", message, "duplicate")
        seen.add((item.program, item.rule))
    given = sum((item.amount for item in order.discounts), ZERO)
    taken = sum((line.discount for line in order.lines), ZERO) + order.discount_total
    if given > taken:
        message = _("Rules took off %(given)s, but the order's discounts come to %(taken)s.")
        words = {"given": given, "taken": taken}
        yield FieldError("discounts", message % words, "discount_mismatch")


def _wrong_rates(order: OrderInput) -> Iterable[FieldError]:
    for currency, rate in order.rates:
        name = f"exchange_rates.{currency}"
        if currency not in get_global("all_currencies"):
            yield FieldError(name, _("Write the three letters of a currency."))
        elif currency == order.currency:
            yield FieldError(name, _("The order is in this currency itself."))
        elif not is_rate(rate):
            yield FieldError(name, _("Give a rate above zero with at most 10 decimals."))


def is_rate(rate: Decimal) -> bool:
    """Whether it is stored as it is told."""
    return 0 < rate < 10**10 and rate == round(rate, 10)


def _unlikely(name: str, at: dt.datetime | None) -> Iterable[FieldError]:
    """Years that nobody means; beyond them an expiry would leave the calendar."""
    if at is not None and not 1900 <= at.year <= 2200:
        yield FieldError(name, _("Give a time between the years 1900 and 2200."))
