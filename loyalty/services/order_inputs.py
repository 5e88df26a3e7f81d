"""Orders and refunds as they come in, checked: the API, files and connectors all make these."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import orjson
from django.utils.translation import gettext as _

from loyalty.models import Order, Tender
from loyalty.rules.facts import ZERO, Basket, Line, Return, ReturnedLine
from loyalty.rules.lots import LADDER, OrderTimes
from loyalty.rules.margins import with_margins
from loyalty.selectors.partners import AtPartner
from loyalty.services.tender_inputs import (
    TenderInput,
    paid_by_kind,
    paid_with,
    with_prepaid,
)

# These say nothing of how far the order had come.
KEEPS_STATES = (Order.Status.CANCELED, Order.Status.PARTLY_REFUNDED, Order.Status.REFUNDED)


@dataclass(frozen=True, slots=True)
class CustomerRef:
    """Who bought: by the merchant's number, or by our own key. The rest is used for a new
    customer."""

    external_id: str | None = None
    key: int | None = None
    email: str = ""
    phone: str = ""
    given_name: str = ""
    family_name: str = ""


@dataclass(frozen=True, slots=True)
class LineInput:
    """A line as charged; `total` is after its `discount`. Money in the order's currency."""

    line_no: int
    total: Decimal
    quantity: Decimal = Decimal(1)
    unit_price: Decimal = ZERO
    discount: Decimal = ZERO
    tax: Decimal = ZERO
    sku: str = ""
    name: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()
    stored_value: bool = False
    brand: str = ""
    # What one of it cost the shop, without tax; None: it does not say.
    unit_cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class DiscountInput:
    """What a discount rule took off, by the codes of its program and its own; among the order's
    discounts already."""

    program: str
    rule: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class RoundUpInput:
    """What the buyer gave to a charity on top, by the codes of its program and its own. The shop
    collected it beside the order's total."""

    program: str
    charity: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class OrderContent:
    """An order's cells in the column order of `orders_write`, without the keys."""

    order: tuple[Any, ...]
    lines: list[tuple[Any, ...]]
    tenders: list[tuple[Any, ...]]
    buyer: tuple[Any, ...]
    discounts: list[tuple[str, str, str]]
    spent: list[tuple[str, str, str]]
    round_up: tuple[str, ...] = ()

    def body_hash(self) -> bytes:
        """The same for the same content, so that a repeated message is known as one."""
        # Without the cells at the end that say nothing: what is added there later changes no hash.
        said = [place for place, cell in enumerate(self.order, start=1) if cell is not None]
        lines = [line if line[-1] else line[:-1] for line in self.lines]
        cells: list[Any] = [self.order[: said[-1]], lines, self.tenders, self.buyer]
        if self.discounts:
            cells.append(self.discounts)
        if self.spent:
            cells.append({"spent": self.spent})
        if self.round_up:
            cells.append(("round_up", *self.round_up))
        return hashlib.blake2b(orjson.dumps(cells), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class OrderInput:
    """A sale. `placed_at` is aware. Without lines the total counts as one line.

    `sequence` or `changed_at` say which of two messages about an order is the newer one. The times
    of its states are worked out where they are not given; see `order_times`.
    """

    external_id: str
    placed_at: dt.datetime
    currency: str
    total: Decimal
    customer: CustomerRef | None = None
    source: str = "shop"
    status: str = Order.Status.COMPLETED
    lines: tuple[LineInput, ...] = ()
    tenders: tuple[TenderInput, ...] = ()
    tax_total: Decimal = ZERO
    taxes_included: bool = True
    shipping_total: Decimal = ZERO
    discount_total: Decimal = ZERO
    channel: str = ""
    store: str = ""
    payment_method: str = ""
    coupons: tuple[str, ...] = ()
    discounts: tuple[DiscountInput, ...] = ()
    paid_at: dt.datetime | None = None
    fulfilled_at: dt.datetime | None = None
    completed_at: dt.datetime | None = None
    sequence: int | None = None
    changed_at: dt.datetime | None = None
    # The buyer asked at the checkout to become a member. Nothing that the order itself consists of.
    enroll: bool = False
    # What was given to a charity on top.
    round_up: RoundUpInput | None = None
    # By currency, what one of the order's is worth in it. Nothing that it consists of, either: a
    # rate that was used counts for good.
    rates: tuple[tuple[str, Decimal], ...] = ()
    # What units had paid of it before. Nothing that the message says, either.
    prepaid: tuple[TenderInput, ...] = ()
    # At whose it was bought, which is whoever tells it.
    partner: AtPartner | None = None

    @property
    def paid(self) -> tuple[TenderInput, ...]:
        """How it was paid, whether the message says all of it or not."""
        if not self.prepaid:
            return self.tenders
        return with_prepaid(self.tenders, self.prepaid, self.total)

    @property
    def taxes(self) -> Decimal:
        """The order's tax; where only the lines name theirs, their sum."""
        return self.tax_total or sum((line.tax for line in self.lines), ZERO)

    def content(self) -> OrderContent:
        """What is stored, cell by cell as text. 12.5 and 12.50 are the same amount."""
        buyer = self.customer
        return OrderContent(
            (
                self.status, self.placed_at, self.currency, plain(self.total),
                plain(self.taxes), self.taxes_included, plain(self.shipping_total),
                plain(self.discount_total), self.channel, self.store, self.paid_at,
                self.fulfilled_at, self.completed_at, self.sequence, self.changed_at,
                self.payment_method or None,
                _text_array(self.coupons) if self.coupons else None,
            ),
            [
                (
                    line.line_no, line.sku, line.name, line.category, _text_array(line.tags),
                    plain(line.quantity), plain(line.unit_price), plain(line.discount),
                    plain(line.total), plain(line.tax), line.stored_value, line.brand,
                    # An order that says nothing of it is what it was before there was such a thing.
                    *(() if line.unit_cost is None else (plain(line.unit_cost),)),
                )
                for line in with_whole_line(self)
            ],
            [(kind, plain(amount)) for kind, amount in paid_by_kind(self.tenders).items()],
            (buyer.external_id, buyer.key) if buyer else (),
            sorted((item.program, item.rule, plain(item.amount)) for item in self.discounts),
            sorted(
                (tender.program, tender.wallet_type, plain(tender.units))
                for tender in self.tenders
                if tender.units is not None
            ),
            _round_up_cells(self.round_up),
        )  # fmt: skip

    def basket(self) -> Basket:
        basket = Basket(
            lines=tuple(_fact(line) for line in with_whole_line(self)),
            tax_total=self.taxes,
            taxes_included=self.taxes_included,
            shipping_total=self.shipping_total,
            discount_total=self.discount_total,
            paid_units=paid_with(self.paid, Tender.Kind.UNITS),
            paid_stored_value=paid_with(self.paid, Tender.Kind.STORED_VALUE),
        )
        return with_margins(basket)


def _round_up_cells(said: RoundUpInput | None) -> tuple[str, ...]:
    return (said.program, said.charity, plain(said.amount)) if said else ()


@dataclass(frozen=True, slots=True)
class RefundLineInput:
    """Amounts above zero. `order_line_no` names the line that came back, else the SKU does."""

    line_no: int
    total: Decimal
    quantity: Decimal = Decimal(1)
    tax: Decimal = ZERO
    sku: str = ""
    category: str = ""
    order_line_no: int | None = None


@dataclass(frozen=True, slots=True)
class RefundInput:
    """Money given back; amounts above zero. Without `order_external_id` it belongs to no known
    order."""

    external_id: str
    refunded_at: dt.datetime
    currency: str
    total: Decimal
    customer: CustomerRef | None = None
    order_external_id: str = ""
    source: str = "shop"
    lines: tuple[RefundLineInput, ...] = ()
    tax_total: Decimal = ZERO
    shipping_total: Decimal = ZERO

    def body_hash(self) -> bytes:
        """Without the customer: who bought may become known only with the order."""
        return _digest(replace(self, customer=None))

    def returned(self) -> Return:
        return Return(
            total=self.total,
            lines=tuple(
                ReturnedLine(
                    line.total, line.sku, line.category, line.quantity, line.tax, line.order_line_no
                )
                for line in self.lines
            ),
            shipping_total=self.shipping_total,
            tax_total=self.tax_total,
        )


def order_times(order: OrderInput, known: OrderTimes | None, now: dt.datetime) -> OrderTimes:
    """When the order reached its states, as far as this message goes.

    A state that the order has passed counts as reached, one that it has left again does not. A
    time that is not given is the one known before, else that of the change; a till's sale, paid
    and taken home in the moment in which we first hear of it, reached them all when it was placed.
    """
    status = order.status
    if status in (Order.Status.PARTLY_REFUNDED, Order.Status.REFUNDED):
        status = Order.Status.PAID
    passed = LADDER.index(status) if status in LADDER else 0
    by_default = order.changed_at or (now if known else order.placed_at)
    reached: dict[str, dt.datetime | None] = {}
    for rank, state in enumerate(LADDER[1:], start=1):
        given: dt.datetime | None = getattr(order, f"{state}_at")
        before = known.reached(state) if known else None
        kept = before if rank <= passed or order.status in KEEPS_STATES else None
        reached[f"{state}_at"] = given or kept or (by_default if rank <= passed else None)
    return OrderTimes(
        order.placed_at,
        **reached,
        held=known.held if known else False,
        confirmed_at=known.confirmed_at if known else None,
    )


def with_whole_line(order: OrderInput) -> tuple[LineInput, ...]:
    """The lines; for an order without any, one that stands for its goods."""
    if order.lines:
        return order.lines
    goods = order.total - order.shipping_total + order.discount_total
    if not order.taxes_included:
        goods -= order.taxes
    return (LineInput(line_no=1, total=goods, unit_price=goods, name=str(_("Whole order"))),)


def _fact(line: LineInput) -> Line:
    return Line(
        line.line_no, line.total, line.sku, line.category, line.tags, line.quantity, line.discount,
        line.tax, line.stored_value, line.brand, line.unit_cost,
    )  # fmt: skip


def _digest(value: object) -> bytes:
    return hashlib.blake2b(orjson.dumps(value, default=_text), digest_size=16).digest()


def plain(amount: Decimal) -> str:
    """Plain notation without trailing zeros."""
    return f"{amount.normalize():f}" if amount else "0"


def _text(value: object) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)


def _text_array(tags: tuple[str, ...]) -> str:
    """Tags as a PostgreSQL array literal."""
    if not tags:
        return "{}"
    quoted = (tag.replace("\\", "\\\\").replace('"', '\\"') for tag in tags)
    return "{" + ",".join(f'"{tag}"' for tag in quoted) + "}"
