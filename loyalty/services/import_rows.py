"""From the text of staged rows to orders and refunds, with an error for each cell that is wrong."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from loyalty.errors import InvalidOrderError
from loyalty.import_readers import order_reader
from loyalty.rules.calendar import localize
from loyalty.services.import_bodies import told_at
from loyalty.services.order_checks import ahead, check_order, check_refund
from loyalty.services.order_inputs import (
    CustomerRef,
    LineInput,
    OrderInput,
    RefundInput,
    RefundLineInput,
)
from loyalty.services.row_errors import RowError
from members.errors import DomainError, FieldError

ORDER_COLUMNS = (
    "order_id", "customer_id", "placed_at", "currency", "total", "kind", "returns_order_id",
)  # fmt: skip
# What a file of orders may have besides; each may be left out.
PERSON_COLUMNS = ("email", "given_name", "family_name")
FURTHER_COLUMNS = ("shipping", *PERSON_COLUMNS, "exchange_rate", "exchange_currency")
ORDER_CELLS = (*ORDER_COLUMNS, *FURTHER_COLUMNS)
LINE_COLUMNS = (
    "order_id", "line_no", "sku", "category", "quantity", "unit_price", "discount", "line_total",
)  # fmt: skip

PLAIN_NUMBER = re.compile(r"-?\d{1,13}(\.\d{1,10})?").fullmatch
# line_no | quantity | unit_price | discount | line_total, within what the columns hold exactly.
PLAIN_LINE = re.compile(
    r"\d{1,9}\|-?\d{1,11}(\.\d{1,3})?(\|(-?\d{1,13}(\.\d{1,4})?)?){2}\|-?\d{1,13}(\.\d{1,4})?"
).fullmatch
TEXT = 128
# By currency, what one of the order's own is worth.
Rates = tuple[tuple[str, Decimal], ...]
LINE_FIELD = re.compile(r"lines\[(\d+)\]\.(\w+)").fullmatch
CURRENCY = re.compile(r"[A-Z]{3}").fullmatch
# What fields of an order are called in a file, where that is something else.
_COLUMNS = {
    "external_id": "order_id", "customer": "customer_id", "exchange_rates": "exchange_rate",
}  # fmt: skip


def address(text: str) -> str:
    """An e-mail address as it is kept, or nothing where this is none."""
    try:
        validate_email(text)
    except ValidationError:
        return ""
    return text.lower() if len(text) <= 254 else ""


def buyer_of(number: str, email: str, given_name: str, family_name: str) -> CustomerRef:
    """Who bought; what is told of them is used where they are new."""
    return CustomerRef(
        external_id=number, email=address(email), given_name=given_name, family_name=family_name
    )


@dataclass(frozen=True, slots=True)
class StagedOrder:
    """A row of the orders file (cells in ORDER_CELLS' order) with its rows of the lines file:
    (row, cells in LINE_COLUMNS' order); or a line of NDJSON, which says all in its `body`."""

    row: int
    cells: tuple[str, ...]
    lines: Sequence[tuple[int, tuple[str, ...]]]
    body: str = ""

    def cell(self, field: str) -> tuple[str, int, str, str]:
        """File, row, column and text of what an order's field came from: "lines[1].total" is the
        second line's line_total. What is in a body has the field's own name."""
        if self.body:
            return "orders", self.row, field, told_at(self.body, field)
        line = LINE_FIELD(field)
        if line:
            row, cells = self.lines[int(line[1])]
            column = "line_total" if line[2] == "total" else line[2]
            return "lines", row, column, dict(zip(LINE_COLUMNS, cells, strict=True)).get(column, "")
        name = field.partition(".")[0]
        column = _COLUMNS.get(name, name)
        texts = dict(zip(ORDER_CELLS, self.cells, strict=True))
        return "orders", self.row, column, texts.get(column, "")


@dataclass(slots=True)
class Reader:
    """Reads the rows of one file pair. A row with an error is left out as a whole, and named.
    `now`: what is later has not happened yet; `counts_in`: what a rate is in, where a row does not
    say so."""

    zone: zoneinfo.ZoneInfo
    source: str
    now: dt.datetime
    counts_in: str = ""
    errors: list[RowError] = field(default_factory=list)

    def read_all(
        self, staged: Sequence[StagedOrder]
    ) -> list[tuple[StagedOrder, OrderInput | RefundInput | None]]:
        """Each with what it is; None after writing down what is wrong with it."""
        bodies = [item.body for item in staged if item.body]
        if not bodies:
            return [(item, self.read(item)) for item in staged]
        read = order_reader()(bodies, self.source)
        return [
            (item, self._checked(item, value)) for item, value in zip(staged, read, strict=True)
        ]

    def _checked(
        self, staged: StagedOrder, value: OrderInput | RefundInput | DomainError
    ) -> OrderInput | RefundInput | None:
        try:
            if isinstance(value, DomainError):
                raise value
            if isinstance(value, OrderInput):
                check_order(value)
            else:
                check_refund(value)
        except DomainError as error:
            for wrong in error.errors or [FieldError("", error.message, error.code)]:
                self._error(*staged.cell(wrong.field), str(wrong.message), wrong.code)
            return None
        return value

    def read(self, staged: StagedOrder) -> OrderInput | RefundInput | None:
        """The order or refund, or None after writing down what is wrong with it."""
        before = len(self.errors)
        order_id, customer_id, placed_at, currency, total, kind, returns, sent, *rest = staged.cells
        at = self._time(staged.row, placed_at)
        amount = self._number("orders", staged.row, "total", total)
        shipping = self._number("orders", staged.row, "shipping", sent or "0")
        rates = self._rates(staged.row, currency, *rest[-2:])
        self._check_texts(staged)
        if kind not in {"sale", "return"}:
            self._error("orders", staged.row, "kind", kind, _("Write sale or return."))
        if len(self.errors) > before or at is None or amount is None or shipping is None:
            return None
        buyer = buyer_of(customer_id, *rest[:-2]) if customer_id else None
        try:
            if kind == "sale":
                order = self._order(staged, order_id, buyer, at, currency, amount, shipping, rates)
                check_order(order)
                return order
            return self._refund(staged, order_id, buyer, at, currency, amount, returns)
        except _BadLineError:
            return None
        except InvalidOrderError as error:
            for wrong in error.errors:
                self._error(*staged.cell(wrong.field), str(wrong.message), wrong.code)
            return None

    def _order(
        self, staged: StagedOrder, order_id: str, buyer: CustomerRef | None, at: dt.datetime,
        currency: str, total: Decimal, shipping: Decimal, rates: Rates,
    ) -> OrderInput:  # fmt: skip
        return OrderInput(
            external_id=order_id,
            placed_at=at,
            currency=currency,
            total=total,
            customer=buyer,
            source=self.source,
            shipping_total=shipping,
            lines=tuple(self._line(row, cells) for row, cells in staged.lines),
            rates=rates,
        )

    def _refund(
        self, staged: StagedOrder, order_id: str, buyer: CustomerRef | None, at: dt.datetime,
        currency: str, total: Decimal, returns: str,
    ) -> RefundInput:  # fmt: skip
        if total > 0:
            self._error(
                "orders", staged.row, "total", str(total), _("A return's total is zero or below.")
            )
            raise _BadLineError
        lines = (self._line(row, cells) for row, cells in staged.lines)
        refund = RefundInput(
            external_id=order_id,
            refunded_at=at,
            currency=currency,
            total=-total,
            customer=buyer,
            order_external_id=returns,
            source=self.source,
            lines=tuple(
                RefundLineInput(
                    line_no=line.line_no, total=-line.total, quantity=-line.quantity, sku=line.sku,
                    category=line.category,
                )
                for line in lines
            ),
        )  # fmt: skip
        check_refund(refund)
        return refund

    def _line(self, row: int, cells: tuple[str, ...]) -> LineInput:
        _order_id, line_no, sku, category, quantity, unit_price, discount, total = cells
        # Nearly every line passes this one look; only the others are taken cell by cell.
        if (
            not PLAIN_LINE(f"{line_no}|{quantity}|{unit_price}|{discount}|{total}")
            or len(sku) > TEXT
            or len(category) > TEXT
        ):
            return self._odd_line(row, cells)
        return LineInput(
            int(line_no),
            Decimal(total),
            Decimal(quantity),
            Decimal(unit_price or 0),
            Decimal(discount or 0),
            sku=sku,
            category=category,
        )

    def _odd_line(self, row: int, cells: tuple[str, ...]) -> LineInput:
        """A line with more decimals than usual, or with something wrong: say what."""
        _order_id, line_no, sku, category, quantity, unit_price, discount, total = cells
        before = len(self.errors)
        number = self._number("lines", row, "line_no", line_no)
        counted = self._number("lines", row, "quantity", quantity)
        price = self._number("lines", row, "unit_price", unit_price or "0")
        off = self._number("lines", row, "discount", discount or "0")
        amount = self._number("lines", row, "line_total", total)
        if number is not None and not (0 <= number < 2**31 and number == int(number)):
            self._error("lines", row, "line_no", line_no, _("Write a whole number, 0 or more."))
        if counted is not None and abs(counted) >= 10**11:
            self._error("lines", row, "quantity", quantity, _("At most eleven digits."))
        if amount is not None and amount != round(amount, 4):
            self._error("lines", row, "line_total", total, _("At most four decimals."))
        for column, text in (("sku", sku), ("category", category)):
            if len(text) > TEXT:
                self._error("lines", row, column, text, _("At most 128 characters."))
        if len(self.errors) > before:
            raise _BadLineError
        assert number is not None
        assert counted is not None
        assert price is not None
        assert off is not None
        assert amount is not None
        return LineInput(
            int(number), amount, round(counted, 3), round(price, 4), round(off, 4), sku=sku,
            category=category,
        )  # fmt: skip

    def _rates(self, row: int, currency: str, text: str, into: str) -> Rates:
        """The rate that came along; of an order in the very currency there is none."""
        wanted = into or self.counts_in
        if not text or wanted == currency:
            return ()
        if not CURRENCY(wanted):
            words = _("Write three letters such as USD.")
            self._error("orders", row, "exchange_currency", into, words)
            return ()
        rate = self._number("orders", row, "exchange_rate", text)
        return () if rate is None else ((wanted, rate),)

    def _check_texts(self, staged: StagedOrder) -> None:
        cells = dict(zip(ORDER_CELLS, staged.cells, strict=True))
        order_id, currency = cells["order_id"], cells["currency"]
        for column in ("order_id", "customer_id", "returns_order_id", "given_name", "family_name"):
            text = cells[column]
            if len(text) > TEXT:
                self._error("orders", staged.row, column, text, _("At most 128 characters."))
        if not order_id:
            self._error("orders", staged.row, "order_id", "", _("An order needs a number."))
        if cells["email"] and not address(cells["email"]):
            self._error(
                "orders", staged.row, "email", cells["email"],
                _("Write an e-mail address such as ann@example.com, or nothing."),
            )  # fmt: skip
        if not CURRENCY(currency):
            self._error(
                "orders", staged.row, "currency", currency, _("Write three letters such as USD.")
            )

    def _number(self, file: str, row: int, column: str, text: str) -> Decimal | None:
        """Plain notation only: 1e5 or 1,000 in a till's file is more likely a mistake than
        meant."""
        if PLAIN_NUMBER(text):
            try:
                return Decimal(text)
            except InvalidOperation:  # pragma: no cover (the pattern admits numbers only)
                pass
        self._error(file, row, column, text, _("Write a number such as 12.50."))
        return None

    def _time(self, row: int, text: str) -> dt.datetime | None:
        try:
            at = dt.datetime.fromisoformat(text)
        except ValueError:
            at = None
        if at is None or not 1900 <= at.year <= 2200:
            self._error(
                "orders", row, "placed_at", text, _("Write a time such as 2026-03-31T18:05:00.")
            )
            return None
        at = localize(at, self.zone) if at.tzinfo is None else at
        for wrong in ahead("placed_at", at, self.now):
            self._error("orders", row, "placed_at", text, str(wrong.message), wrong.code)
        return at

    def _error(
        self, file: str, row: int, column: str, value: str, reason: str, code: str = "invalid"
    ) -> None:
        self.errors.append(RowError(file, row, column[:64], value[:200], reason[:300], code))


class _BadLineError(Exception):
    """A line was refused, so its order is; the error is written down already."""
