"""Orders and refunds as the API shows them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Literal, cast
from uuid import UUID

from pydantic import Field

from loyalty.api.v1.amounts import Units, units_text
from loyalty.api.v1.awards import AwardOut, moved_awards
from loyalty.models import (
    CharityEntry,
    Order,
    OrderConversion,
    OrderDiscount,
    Refund,
    Tender,
    WalletType,
)
from loyalty.selectors.discount_budgets import Borne, borne_of
from loyalty.selectors.exchange_rates import exchange_of
from loyalty.selectors.given_back import GivenBack, UnitsPart, given_back, paid_in_units
from members.api.bodies import Answer, money_text, plain_text
from members.api.pagination import Page
from members.models import Customer


class BuyerOut(Answer):
    """Who bought."""

    id: UUID
    external_id: str | None


class LineOut(Answer):
    line_no: int
    sku: str
    name: str
    category: str
    brand: str
    tags: list[str]
    quantity: str
    unit_price: str
    discount: str
    total: str
    tax: str
    stored_value: bool
    unit_cost: str | None = Field(description="Null: the shop has not said it.")


class TenderOut(Answer):
    kind: Tender.Kind
    amount: str


class UnitsPartOut(Answer):
    """Units of one kind, and the part of the total that they stand for."""

    program: str
    wallet_type: str
    decimals: int
    units: Units
    amount: str


class UnitTenderOut(UnitsPartOut):
    returned: Units = Field(description="How many of them have come back.")


class GivenBackOut(Answer):
    """How a refund divides, in the proportion paid. Each part in what can be paid out; the last
    refund brings what earlier ones left."""

    money: str
    units: list[UnitsPartOut] = Field(description="They are back already.")


class GivenDiscountOut(Answer):
    """What a discount rule took off."""

    program: str
    rule: str
    amount: str


class BudgetPartOut(Answer):
    """What is off its prices by promotions with a budget, less what came back."""

    asked: str
    borne: str = Field(description="What of that the budgets bear.")
    uncovered: str = Field(description="What is beyond them.")


class RoundUpOut(Answer):
    """What its buyer gave to a charity on top of it."""

    program: str
    charity: str
    amount: str


class RefundLineOut(Answer):
    line_no: int
    order_line_no: int | None
    sku: str
    category: str
    quantity: str
    total: str
    tax: str


class RefundOut(Answer):
    source: str
    external_id: str
    order_external_id: str
    parked: bool = Field(description="It names an order that has not come yet, and waits for it.")
    customer: BuyerOut | None
    refunded_at: dt.datetime
    currency: str
    total: str
    tax_total: str
    shipping_total: str
    lines: list[RefundLineOut]
    given_back: GivenBackOut
    recorded_at: dt.datetime
    awards: list[AwardOut] = Field(description="What it moved.")


class OrderConversionOut(Answer):
    """By which rate a program of another currency counts it, with all that comes back of it."""

    program: str
    currency: str
    rate: str
    source: Literal["order", "table"] = Field(description="Told with it, or of the table of rates.")
    dated: dt.date | None = Field(description="Of the rate in the table.")
    told_by: str
    total: str = Field(description="What the order comes to in this currency.")


class OrderOut(Answer):
    source: str
    external_id: str
    customer: BuyerOut | None
    status: Order.Status
    placed_at: dt.datetime
    paid_at: dt.datetime | None
    fulfilled_at: dt.datetime | None
    completed_at: dt.datetime | None
    sequence: int | None
    changed_at: dt.datetime | None
    held: bool = Field(description="Nothing of it matures until it is released.")
    confirmed_at: dt.datetime | None = Field(description="When it was confirmed by hand.")
    currency: str
    total: str
    tax_total: str
    taxes_included: bool
    shipping_total: str
    discount_total: str
    channel: str
    store: str
    payment_method: str
    partner: str | None = Field(description="Short name of the partner at whose it was placed.")
    coupons: list[str]
    lines: list[LineOut]
    tenders: list[TenderOut]
    unit_tenders: list[UnitTenderOut] = Field(
        description="The units that paid of it, whoever told them: the order, its checkout or a"
        " redemption."
    )
    discounts: list[GivenDiscountOut] = Field(description="By discount rules, as they were told.")
    discount_budget: BudgetPartOut | None = Field(
        description="Null: nothing comes out of a budget."
    )
    round_up: RoundUpOut | None = Field(description="Not of an order that was canceled.")
    conversions: list[OrderConversionOut] = Field(
        description="In programs of another currency that count it."
    )
    refunds: list[str] = Field(description="Numbers of the refunds that came for it.")
    awards: list[AwardOut] = Field(description="All that it moved.")
    recorded_at: dt.datetime


class OrderPage(Page):
    results: list[OrderOut]


def order_out(order: Order) -> OrderOut:
    """Of an order as `loyalty.selectors.orders.orders` loads it."""
    return orders_out([order])[0]


def orders_out(orders: Sequence[Order]) -> list[OrderOut]:
    """The same of several, with what units paid of all of them at once."""
    paid = paid_in_units([order.pk for order in orders])
    borne = borne_of([order for order in orders if _has_budget(order)])
    return [_order_out(order, paid.get(order.pk, ()), borne.get(order.pk)) for order in orders]


def _has_budget(order: Order) -> bool:
    """What a cart was promised and its order does not tell is seen by whoever keeps the budget."""
    return any(item.rule_version.rule.discount_budget_id for item in order.discounts.all())


def _order_out(order: Order, paid: Iterable[UnitsPart], borne: Borne | None) -> OrderOut:
    lines = sorted(order.lines.all(), key=lambda line: line.line_no)
    transfers = sorted(order.transfers.all(), key=lambda transfer: transfer.pk)
    return OrderOut(
        source=order.source,
        external_id=order.external_id,
        customer=_buyer(order.customer),
        status=Order.Status(order.status),
        placed_at=order.placed_at,
        paid_at=order.paid_at,
        fulfilled_at=order.fulfilled_at,
        completed_at=order.completed_at,
        sequence=order.sequence,
        changed_at=order.changed_at,
        held=order.held_at is not None,
        confirmed_at=order.confirmed_at,
        currency=order.currency,
        total=money_text(order.total),
        tax_total=money_text(order.tax_total),
        taxes_included=order.taxes_included,
        shipping_total=money_text(order.shipping_total),
        discount_total=money_text(order.discount_total),
        channel=order.channel,
        store=order.store,
        payment_method=order.payment_method,
        partner=order.partner.code if order.partner else None,
        coupons=order.coupons,
        lines=[
            LineOut(
                line_no=line.line_no, sku=line.sku, name=line.name, category=line.category,
                brand=line.brand, tags=line.tags, quantity=plain_text(line.quantity),
                stored_value=line.stored_value,
                unit_price=money_text(line.unit_price), discount=money_text(line.discount),
                unit_cost=None if line.unit_cost is None else money_text(line.unit_cost),
                total=money_text(line.total), tax=money_text(line.tax),
            )
            for line in lines
        ],
        tenders=[
            TenderOut(kind=Tender.Kind(tender.kind), amount=money_text(tender.amount))
            for tender in order.tenders.all()
        ],
        unit_tenders=[_unit_tender(part) for part in paid],
        discounts=[_discount(item) for item in order.discounts.all()],
        discount_budget=_budget_part(borne) if borne else None,
        round_up=next((_round_up(item) for item in order.charity_entries.all()), None),
        conversions=[_conversion(order, row) for row in order.conversions.all()],
        refunds=sorted(refund.external_id for refund in order.refunds.all()),
        awards=moved_awards(transfers),
        recorded_at=order.recorded_at,
    )  # fmt: skip


def _conversion(order: Order, row: OrderConversion) -> OrderConversionOut:
    return OrderConversionOut(
        program=row.program.code,
        currency=row.currency,
        rate=plain_text(row.rate),
        source=cast("Literal['order', 'table']", row.source),
        dated=row.dated,
        told_by=row.told_by,
        total=money_text(exchange_of(row, order.currency).amount(order.total)),
    )


def refund_out(refund: Refund, awards: Iterable[AwardOut]) -> RefundOut:
    lines = sorted(refund.lines.all(), key=lambda line: line.line_no)
    return RefundOut(
        source=refund.source,
        external_id=refund.external_id,
        order_external_id=refund.order_external_id,
        parked=refund.order_id is None and bool(refund.order_external_id),
        customer=_buyer(refund.customer),
        refunded_at=refund.refunded_at,
        currency=refund.currency,
        total=money_text(refund.total),
        tax_total=money_text(refund.tax_total),
        shipping_total=money_text(refund.shipping_total),
        lines=[
            RefundLineOut(
                line_no=line.line_no, order_line_no=line.order_line_no, sku=line.sku,
                category=line.category, quantity=plain_text(line.quantity),
                total=money_text(line.total), tax=money_text(line.tax),
            )
            for line in lines
        ],
        given_back=given_back_out(given_back(refund)),
        recorded_at=refund.recorded_at,
        awards=list(awards),
    )  # fmt: skip


def given_back_out(found: GivenBack) -> GivenBackOut:
    return GivenBackOut(
        money=money_text(found.money),
        units=[
            UnitsPartOut(**_part(item.wallet_type, item.units, item.amount)) for item in found.units
        ],
    )


def _unit_tender(paid: UnitsPart) -> UnitTenderOut:
    kind = paid.wallet_type
    return UnitTenderOut(
        **_part(kind, paid.units, paid.amount), returned=units_text(paid.returned, kind.scale)
    )


def _round_up(given: CharityEntry) -> RoundUpOut:
    account = given.charity.account
    return RoundUpOut(
        program=account.program.code, charity=account.code, amount=money_text(given.money)
    )


def _part(kind: WalletType, units: int, amount: Decimal) -> dict[str, Any]:
    return {
        "program": kind.program.code, "wallet_type": kind.code, "decimals": kind.scale,
        "units": units_text(units, kind.scale), "amount": money_text(amount),
    }  # fmt: skip


def _budget_part(borne: Borne) -> BudgetPartOut:
    return BudgetPartOut(
        asked=money_text(borne.asked), borne=money_text(borne.amount),
        uncovered=money_text(borne.uncovered),
    )  # fmt: skip


def _discount(given: OrderDiscount) -> GivenDiscountOut:
    rule = given.rule_version.rule
    return GivenDiscountOut(
        program=rule.program.code, rule=rule.code, amount=money_text(given.amount)
    )


def _buyer(customer: Customer | None) -> BuyerOut | None:
    if customer is None:
        return None
    return BuyerOut(id=customer.public_id, external_id=customer.external_id)
