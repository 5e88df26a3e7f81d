"""Shopify's own export of orders (Orders → Export, CSV), as the two files of an import.

There is a row for each line; only an order's first row says what it is. The file names customers by
their e-mail address only, and neither the lines nor the times of refunds.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.translation import gettext as _

from campaigns.connectors.mapping import csv_rows
from campaigns.connectors.reading import (
    currency,
    decimal,
    money,
    needed_instant,
    number,
    text,
    unreadable,
)
from loyalty.rules.facts import ZERO
from loyalty.services.import_rows import LINE_COLUMNS, ORDER_COLUMNS
from members.errors import DomainError

NEEDED = ("Name", "Id", "Email", "Currency", "Subtotal", "Created at", "Lineitem quantity",
          "Lineitem price", "Lineitem sku")  # fmt: skip
_CENT, _FINEST = Decimal("0.01"), Decimal("0.0001")
Row = Mapping[str, str]


@dataclass(slots=True)
class Converted:
    """The two files, and what was left out: place and reason."""

    orders: str = ""
    lines: str = ""
    left_out: list[tuple[str, str]] = field(default_factory=list)


def convert(content: str, numbers: Mapping[str, str]) -> Converted:
    """`numbers`: of the customers whose addresses are known here. Whom nobody knows is a guest,
    until the shop tells of the order with its customer. Raises DomainError for another file."""
    found = Converted()
    orders, lines = [list(ORDER_COLUMNS)], [list(LINE_COLUMNS)]
    for rows in _orders(content):
        name = text(rows[0], "Name") or "?"
        try:
            order, items = _converted(rows, numbers)
        except DomainError as error:
            reason = error.errors[0] if error.errors else None
            words = f"{reason.field}: {reason.message}" if reason else str(error.message)
            found.left_out.append((name, words.removeprefix(": ")))
        else:
            orders.append(order)
            lines += items
    found.orders, found.lines = _written(orders), _written(lines)
    return found


def addresses_in(content: str) -> set[str]:
    """Whom the file names."""
    return {text(row, "Email", longest=254).lower() for row in csv_rows(content)} - {""}


def _orders(content: str) -> Iterator[list[Row]]:
    """The rows of each order, which follow each other under one name."""
    rows = csv_rows(content) if content.strip("\ufeff \t\r\n") else []
    missing = [name for name in NEEDED if not rows or name not in rows[0]]
    if missing:
        words = _("This is no export of orders from Shopify: it has no column “%s”.")
        raise unreadable("file", words % missing[0])
    current: list[Row] = []
    for row in rows:
        if current and row["Name"] != current[0]["Name"]:
            yield current
            current = []
        current.append(row)
    if current:
        yield current


def _converted(rows: list[Row], numbers: Mapping[str, str]) -> tuple[list[str], list[list[str]]]:
    first = rows[0]
    if text(first, "Cancelled at"):
        raise unreadable("", _("It was canceled."))
    if money(first, "Refunded Amount"):
        raise unreadable(
            "", _("Some of it was given back. Bring it in over the API, which says what.")
        )
    key, goods = number(first, "Id"), decimal(first, "Subtotal")
    order = [
        key, numbers.get(text(first, "Email", longest=254).lower(), ""),
        needed_instant(_iso(first), "Created at").isoformat(), currency(first, "Currency"),
        f"{goods:f}", "sale", "",
    ]  # fmt: skip
    return order, list(_lines(key, rows, goods))


def _iso(row: Row) -> dict[str, str]:
    """ "2024-03-15 08:00:01 -0400" as ISO 8601 has it."""
    return {"Created at": text(row, "Created at").replace(" ", "T", 1).replace(" ", "")}


def _lines(key: str, rows: list[Row], goods: Decimal) -> Iterator[list[str]]:
    """What was taken off the order is taken off its lines in proportion, to the coin."""
    prices = [decimal(row, "Lineitem price") for row in rows]
    amounts = [decimal(row, "Lineitem quantity") for row in rows]
    full = [
        (price * amount).quantize(_FINEST) for price, amount in zip(prices, amounts, strict=True)
    ]
    left, off = goods, sum(full, ZERO) - goods
    for place, (row, price, amount, whole) in enumerate(
        zip(rows, prices, amounts, full, strict=True), start=1
    ):
        share = (off * whole / sum(full, ZERO)).quantize(_CENT) if off else ZERO
        total = left if place == len(rows) else whole - share
        left -= total
        yield [
            key, str(place), text(row, "Lineitem sku", longest=128), "", f"{amount:f}"[:-1],
            f"{price:f}", f"{max(whole - total, ZERO):f}", f"{total:f}",
        ]  # fmt: skip


def _written(rows: list[list[str]]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    return written.getvalue()
