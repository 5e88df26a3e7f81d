"""Orders out of the rows of a shop's export, in the two files that an import takes.

What is written here has passed the same checks as the import makes, so a dry run is the same work
without the last step.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from babel.numbers import get_currency_precision
from django.utils.translation import gettext as _

from loyalty.rules.facts import ZERO
from loyalty.services.import_rows import (
    LINE_COLUMNS,
    ORDER_CELLS,
    Reader,
    StagedOrder,
    address,
)
from loyalty.services.row_errors import RowError
from loyalty.shop_exports.groups import (
    Buyers,
    Group,
    Reading,
    WrongRowError,
    is_left_out,
    number_in,
    read_number,
    time_in,
)

SHOWN_ORDERS = 5


@dataclass(frozen=True, slots=True)
class Line:
    """A line as the file has it: `gross` is what it would come to."""

    row: int
    sku: str
    category: str
    quantity: Decimal
    price: Decimal
    gross: Decimal


@dataclass(slots=True)
class Found:
    """What a file comes to: counts for people, errors by row, and the first orders to look at."""

    # How many orders were looked at, whatever became of them.
    looked_at: int = 0
    orders: int = 0
    returns: int = 0
    guests: int = 0
    lines: int = 0
    refused: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    # What the orders that count say of their state, and of an address that is none.
    states: Counter[str] = field(default_factory=Counter)
    unread_emails: Counter[str] = field(default_factory=Counter)
    customers: set[str] = field(default_factory=set)
    money: Counter[str] = field(default_factory=Counter)
    first: dt.datetime | None = None
    last: dt.datetime | None = None
    numbers: list[str] = field(default_factory=list)
    shown: list[dict[str, Any]] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)

    def count(self, staged: StagedOrder, at: dt.datetime) -> None:
        cells = dict(zip(ORDER_CELLS, staged.cells, strict=True))
        is_return = cells["kind"] == "return"
        self.returns += is_return
        self.orders += not is_return
        self.lines += len(staged.lines)
        self.guests += not cells["customer_id"]
        if cells["customer_id"]:
            self.customers.add(cells["customer_id"])
        self.money[cells["currency"]] += Decimal(cells["total"])  # type: ignore[assignment]
        self.first, self.last = min(self.first or at, at), max(self.last or at, at)
        self.numbers.append(cells["order_id"])
        if len(self.shown) < SHOWN_ORDERS:
            self.shown.append({**cells, "at": at.isoformat(), "lines": len(staged.lines)})

    def note(self, group: Group) -> None:
        """What an order that counts says besides: its state, and an address that is none."""
        if state := group.said.get("status", ""):
            self.states[state[:40]] += 1
        email = group.said.get("email", "")
        if email and not address(email):
            self.unread_emails[email[:80]] += 1


def staged_orders(
    groups: Mapping[str, Group], reading: Reading, buyers: Buyers, source: str, found: Found
) -> Iterator[StagedOrder]:
    """Every order that can be imported; what cannot is written down in `found`."""
    buyers.learn(groups.values())
    for group in groups.values():
        found.looked_at += 1
        if is_left_out(group, reading):
            found.left_out[group.said["status"]] += 1
            continue
        try:
            made = list(_counted(group, reading, buyers))
        except WrongRowError as wrong:
            found.errors.append(wrong.error)
            found.refused += 1
            continue
        if not reading.has_lines:
            reason = _("This order number is in the file twice; the first row counts.")
            found.errors += [
                RowError("orders", row, "order_id", group.said["order_id"][:200], reason)
                for row in group.further
            ]
            found.refused += len(group.further)
        for staged, at in made:
            reader = Reader(reading.zone, source, reading.now)
            if reader.read(staged) is None:
                found.errors += reader.errors
                found.refused += 1
                break
            found.count(staged, at)
            yield staged
        else:
            found.note(group)


def _counted(
    group: Group, reading: Reading, buyers: Buyers
) -> Iterator[tuple[StagedOrder, dt.datetime]]:
    """What is made of it. Raises WrongRowError also where amounts come to more than is counted to
    the coin: bar codes in the column of prices."""
    try:
        yield from _made(group, reading, buyers)
    except InvalidOperation as error:
        text = group.said.get("total") or group.said.get("unit_price", "")
        words = _("Write a number such as 12.50.")
        raise WrongRowError(group.row, "total", text, words) from error


def _made(
    group: Group, reading: Reading, buyers: Buyers
) -> Iterator[tuple[StagedOrder, dt.datetime]]:
    """The order, and the return of what was given back of it. Raises WrongRowError."""
    number = group.said["order_id"]
    if not number:
        raise WrongRowError(group.row, "order_id", "", _("An order needs a number."))
    at = time_in(group, reading)
    currency = (group.said.get("currency") or reading.currency).upper()
    coin = Decimal(1).scaleb(-get_currency_precision(currency)) if len(currency) == 3 else ZERO
    coin = coin or Decimal("0.01")
    lines = _lines(group, reading, coin)
    shipping = number_in(group, "shipping", reading) or ZERO
    total = _total(group, lines, shipping, reading).quantize(coin)
    person = buyers.person(group)
    if total < 0:
        shipping = ZERO
    written = tuple(
        _written(number, _without_doubles(lines, total - shipping), total - shipping, coin)
    )
    kind = "return" if total < 0 else "sale"
    cells = (
        number, person[0], at.isoformat(), currency, f"{total:f}", kind, "", f"{shipping:f}",
        *person[1:], *_rate(group, currency, reading),
    )  # fmt: skip
    yield StagedOrder(group.row, cells, written), at
    back = abs(number_in(group, "refunded", reading) or ZERO).quantize(coin)
    if back and kind == "sale":
        cells = (
            f"{number}-returned", person[0], at.isoformat(), currency, f"{-min(back, total):f}",
            "return", number, "0", *person[1:], "", "",
        )  # fmt: skip
        yield StagedOrder(group.row, cells, ()), at


def _rate(group: Group, currency: str, reading: Reading) -> tuple[str, str]:
    """What came along for programs in another currency; without a name in that of the file."""
    rate = number_in(group, "exchange_rate", reading)
    wanted = (group.said.get("exchange_currency") or reading.currency).upper()
    return ("", "") if rate is None or wanted == currency else (f"{rate:f}", wanted)


def _total(group: Group, lines: list[Line], shipping: Decimal, reading: Reading) -> Decimal:
    if len(group.totals) > 1:
        raise WrongRowError(
            group.row, "total", ", ".join(sorted(group.totals)),
            _("The rows of this order name different totals: is it the total of the line?"),
        )  # fmt: skip
    total = number_in(group, "total", reading)
    if total is not None:
        return total
    if not lines or not {"unit_price", "line_total"} & {*reading.columns}:
        raise WrongRowError(group.row, "total", "", _("The order has no total."))
    return sum((line.gross for line in lines), ZERO) + shipping


def _lines(group: Group, reading: Reading, coin: Decimal) -> list[Line]:
    return [_line(row, said, reading, coin) for row, said in group.lines]


def _line(row: int, said: Mapping[str, str], reading: Reading, coin: Decimal) -> Line:
    quantity = read_number(row, "quantity", said["quantity"], reading)
    quantity = Decimal(1) if quantity is None else quantity
    price = read_number(row, "unit_price", said["unit_price"], reading)
    gross = read_number(row, "line_total", said["line_total"], reading)
    off = read_number(row, "discount", said["discount"], reading) or ZERO
    if gross is None:
        gross = quantity if price is None else quantity * price - abs(off)
    return Line(
        row, said["sku"][:128], said["category"][:128], round(quantity, 3),
        round(price or ZERO, 4), gross.quantize(coin),
    )  # fmt: skip


def _without_doubles(lines: list[Line], goods: Decimal) -> list[Line]:
    """A row that is there twice is two lines, unless the order's total shows that it is one."""
    if sum((line.gross for line in lines), ZERO) == goods:
        return lines
    once = list({(x.sku, x.category, x.quantity, x.price, x.gross): x for x in lines}.values())
    return once if sum((line.gross for line in once), ZERO) == goods else lines


def _written(
    number: str, lines: list[Line], goods: Decimal, coin: Decimal
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The lines as they are charged. What the total says besides (a discount of the whole order, a
    tax on top) is shared among them in proportion, to the coin."""
    gross = sum((line.gross for line in lines), ZERO)
    left = goods
    for place, line in enumerate(lines, start=1):
        if gross == goods:
            total = line.gross
        elif place == len(lines):
            total = left
        else:
            total = (goods * line.gross / gross).quantize(coin) if gross else ZERO
        left -= total
        off = max(line.gross - total, ZERO) if goods >= 0 else ZERO
        cells = (
            number, str(place), line.sku, line.category, f"{line.quantity:f}", f"{line.price:f}",
            f"{off:f}", f"{total:f}",
        )  # fmt: skip
        yield line.row, cells


HEADS = {"orders": ORDER_CELLS, "lines": LINE_COLUMNS}
