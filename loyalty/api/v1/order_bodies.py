"""Orders and refunds as the API reads them, and what the services take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from django.utils.translation import gettext as _
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from loyalty.api.v1.amounts import UnitsAboveZero
from loyalty.rules.facts import ZERO
from loyalty.services.order_inputs import (
    CustomerRef,
    DiscountInput,
    LineInput,
    OrderInput,
    RefundInput,
    RefundLineInput,
    RoundUpInput,
)
from loyalty.services.tender_inputs import TenderInput
from members.api.bodies import (
    TEXT,
    Body,
    Currency,
    Email,
    ExternalId,
    Instant,
    Money,
    MoneyFromZero,
    Phone,
    PublicId,
    refuse_field,
)
from members.models import Customer

Source = Annotated[
    str,
    Field(
        max_length=32,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
        description="The system it comes from.",
        examples=["shop"],
    ),
]
Quantity = Annotated[
    str,
    Field(
        pattern=r"^-?[0-9]{1,10}(\.[0-9]{1,3})?$",
        description="Decimal text.",
        examples=["1", "0.5"],
    ),
]
Rate = Annotated[
    str,
    Field(
        pattern=r"^(?:0{0,9}[1-9][0-9]{0,9}(\.[0-9]{1,10})?|0{1,10}\.[0-9]{0,9}[1-9][0-9]{0,9})$",
        max_length=21,
        description="Decimal text, above zero.",
        examples=["0.92"],
    ),
]
PositiveMoney = Annotated[
    str,
    Field(
        pattern=r"^(?:0{0,11}[1-9][0-9]{0,11}(\.[0-9]{1,4})?|0{1,12}\.[0-9]{0,3}[1-9][0-9]{0,3})$",
        max_length=17,
        description="Money as decimal text, above zero.",
        examples=["12.50"],
    ),
]
OrderStatus = Literal[
    "placed", "paid", "fulfilled", "completed", "partly_refunded", "refunded", "cancelled"
]
LineNumber = Annotated[int, Field(ge=0, le=2**31 - 1)]
Text32 = Annotated[str, Field(max_length=32, pattern=TEXT)]
Text64 = Annotated[str, Field(max_length=64, pattern=TEXT)]
Text100 = Annotated[str, Field(max_length=100, pattern=TEXT)]
Text128 = Annotated[str, Field(max_length=128, pattern=TEXT)]
Text200 = Annotated[str, Field(max_length=200, pattern=TEXT)]

MOST_LINES = 1_000
CENT = Decimal("0.0001")


class Buyer(Body):
    """Who bought: by our id, or by your number. The rest is kept when the number is new."""

    id: PublicId | None = None
    external_id: ExternalId | None = None
    email: Email = ""
    phone: Phone = ""
    given_name: Text100 = ""
    family_name: Text100 = ""

    @model_validator(mode="after")
    def exactly_one(self) -> Self:
        if (self.id is None) == (self.external_id is None):
            raise PydanticCustomError("one_of", str(_("Give id or external_id, and one only.")))
        return self


class LineIn(Body):
    """A line as charged."""

    total: Money = Field(description="After the line's discount.", examples=["12.50"])
    line_no: LineNumber | None = Field(None, description="By default the position, from 1.")
    quantity: Quantity = "1"
    unit_price: Money | None = Field(None, description="By default worked out from the total.")
    discount: MoneyFromZero = "0"
    tax: Money = "0"
    sku: Text128 = ""
    name: Text200 = ""
    category: Text128 = ""
    brand: Text128 = ""
    tags: tuple[Text64, ...] = Field((), max_length=50)
    stored_value: bool = Field(False, description="A gift card or a top-up.")
    unit_cost: MoneyFromZero | None = Field(
        None, description="What one of it cost the shop, without tax: rules may ask for the margin."
        " Customers never read it.",
    )  # fmt: skip


class TenderIn(Body):
    """How a part was paid."""

    kind: Literal["money", "stored_value", "units", "voucher"]
    amount: PositiveMoney
    units: UnitsAboveZero | None = Field(
        None,
        description="Of the buyer's units of this wallet type, to be spent with the order once,"
        " however often it is told; they pay what they are worth. Without them it is only told that"
        " they paid. Those of a wallet type of stored value are told as kind stored_value.",
    )
    wallet_type: Text64 = Field("", description="With units: the wallet type's code.")
    program: Text64 = Field("", description="Its program, where several have such units.")

    @model_validator(mode="after")
    def units_belong_to_their_kind(self) -> Self:
        if (self.units is not None) != bool(self.wallet_type):
            raise PydanticCustomError("one_of", str(_("Give units with their wallet_type.")))
        spends = self.kind in ("units", "stored_value")
        if (self.units is not None and not spends) or (self.program and not self.units):
            message = _("Only the kinds “units” and “stored_value” spend units.")
            raise PydanticCustomError("one_of", str(message))
        return self


class DiscountIn(Body):
    """What a discount rule took off."""

    program: Text64 = Field(description="Code of the program.")
    rule: Text64 = Field(description="Code of the rule.")
    amount: PositiveMoney


class RoundUpIn(Body):
    """What the buyer gave to a charity on top of the total, which the shop collected for it."""

    program: Text64 = Field(description="Code of the program.")
    charity: Text64 = Field(description="Code of the charity.")
    amount: PositiveMoney


class OrderFacts(Body):
    """What an order says besides its address."""

    placed_at: Instant
    currency: Currency
    total: MoneyFromZero = Field(description="What the customer owed in all.", examples=["12.50"])
    customer: Buyer | None = Field(None, description="Without one nobody earns.")
    status: OrderStatus = Field(
        "completed", description="How far the order has come; refunds are sent on their own."
    )
    paid_at: Instant | None = Field(None, description="By default when we hear of it.")
    fulfilled_at: Instant | None = None
    completed_at: Instant | None = None
    sequence: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = Field(
        None, description="Your count of the order's changes: a lower one than known is ignored."
    )
    changed_at: Instant | None = Field(
        None, description="Without sequence: when it changed; an older message is ignored."
    )
    lines: tuple[LineIn, ...] = Field(
        (), max_length=MOST_LINES, description="Without any the total counts as one line."
    )
    tenders: tuple[TenderIn, ...] = Field((), max_length=50)
    tax_total: MoneyFromZero = "0"
    taxes_included: bool = Field(True, description="Whether the lines' totals contain their tax.")
    shipping_total: MoneyFromZero = "0"
    discount_total: MoneyFromZero = Field("0", description="Taken off the order as a whole.")
    channel: Text32 = ""
    store: Text64 = ""
    payment_method: Text32 = Field("", description="As you name it: card, cash.")
    coupons: tuple[Text64, ...] = Field((), max_length=50, description="Codes used.")
    discounts: tuple[DiscountIn, ...] = Field(
        (), max_length=50,
        description="What discount rules took off, as quoted; part of the discounts above.",
    )  # fmt: skip
    round_up: RoundUpIn | None = Field(
        None, description="Rounded up for a charity; beside the order's total."
    )
    exchange_rates: dict[Currency, Rate] = Field(
        {}, max_length=20,
        description="What one of the order's currency is worth in others: a program of such a"
        " currency counts the order at this rate, which goes before the table of rates. The rate by"
        " which it was first counted stays.",
    )  # fmt: skip
    enroll: bool = Field(
        False, description="The buyer asked at the checkout to become a member: of every live"
        " program that customers join by themselves. This order earns already.",
    )  # fmt: skip


class OrderInBatch(OrderFacts):
    external_id: ExternalId


class OrderIn(OrderInBatch):
    source: Source = "shop"


class OrderAddress(Body):
    """What the address of an order consists of."""

    source: Source
    external_id: ExternalId


class OrderBatch(Body):
    """Up to 500 orders of one source: all are recorded, or none."""

    source: Source = "shop"
    orders: tuple[OrderInBatch, ...] = Field(min_length=1, max_length=500)


class RefundLineIn(Body):
    """What came back; amounts not below zero."""

    total: MoneyFromZero
    line_no: LineNumber | None = None
    order_line_no: LineNumber | None = Field(
        None, description="The line of the order; without it the SKU says which."
    )
    quantity: Quantity = "1"
    tax: MoneyFromZero = "0"
    sku: Text128 = ""
    category: Text128 = ""


class RefundIn(Body):
    """Money given back. Without an order it belongs to none; the order may also come later."""

    source: Source = "shop"
    external_id: ExternalId
    order_external_id: Annotated[str, Field(max_length=128, pattern=TEXT)] = ""
    customer: Buyer | None = Field(None, description="Needed only for a refund without order.")
    refunded_at: Instant
    currency: Currency
    total: MoneyFromZero
    lines: tuple[RefundLineIn, ...] = Field((), max_length=MOST_LINES)
    tax_total: MoneyFromZero = "0"
    shipping_total: MoneyFromZero = "0"


def order_input(
    facts: OrderFacts, source: str, external_id: str, people: dict[UUID, int]
) -> OrderInput:
    """`people`: the keys of customers named by our id, from `known_people`."""
    return OrderInput(
        external_id=external_id,
        source=source,
        placed_at=facts.placed_at,
        currency=facts.currency,
        total=Decimal(facts.total),
        customer=_customer(facts.customer, people),
        status=facts.status,
        paid_at=facts.paid_at,
        fulfilled_at=facts.fulfilled_at,
        completed_at=facts.completed_at,
        sequence=facts.sequence,
        changed_at=facts.changed_at,
        lines=tuple(_line(line, number) for number, line in enumerate(facts.lines, start=1)),
        tenders=_tenders(facts.tenders),
        tax_total=Decimal(facts.tax_total),
        taxes_included=facts.taxes_included,
        shipping_total=Decimal(facts.shipping_total),
        discount_total=Decimal(facts.discount_total),
        channel=facts.channel,
        store=facts.store,
        payment_method=facts.payment_method,
        coupons=facts.coupons,
        discounts=tuple(
            DiscountInput(item.program, item.rule, Decimal(item.amount)) for item in facts.discounts
        ),
        enroll=facts.enroll,
        round_up=_round_up(facts.round_up),
        rates=tuple(
            (currency, Decimal(rate)) for currency, rate in sorted(facts.exchange_rates.items())
        ),
    )


def _round_up(said: RoundUpIn | None) -> RoundUpInput | None:
    return RoundUpInput(said.program, said.charity, Decimal(said.amount)) if said else None


def refund_input(body: RefundIn, people: dict[UUID, int]) -> RefundInput:
    return RefundInput(
        external_id=body.external_id,
        source=body.source,
        refunded_at=body.refunded_at,
        currency=body.currency,
        total=Decimal(body.total),
        customer=_customer(body.customer, people),
        order_external_id=body.order_external_id,
        lines=tuple(_refund_line(line, number) for number, line in enumerate(body.lines, start=1)),
        tax_total=Decimal(body.tax_total),
        shipping_total=Decimal(body.shipping_total),
    )


def known_people(buyers: Iterable[tuple[str, Buyer | None]]) -> dict[UUID, int]:
    """The keys of the customers named by our id; no query when none is. `buyers`: field, body."""
    named = [(field, buyer.id) for field, buyer in buyers if buyer is not None and buyer.id]
    if not named:
        return {}
    ids = {public_id for _field, public_id in named}
    found = dict(Customer.objects.filter(public_id__in=ids).values_list("public_id", "pk"))
    for field, public_id in named:
        if public_id not in found:
            raise refuse_field(f"{field}.id", _("There is no such customer."), "not_found")
    return found


def _customer(buyer: Buyer | None, people: dict[UUID, int]) -> CustomerRef | None:
    return None if buyer is None else buyer_ref(buyer, people)


def buyer_ref(buyer: Buyer, people: dict[UUID, int]) -> CustomerRef:
    """Whom a request names. `people`: from `known_people`."""
    if buyer.id is not None:
        return CustomerRef(key=people[buyer.id])
    return CustomerRef(
        external_id=buyer.external_id,
        email=buyer.email,
        phone=buyer.phone,
        given_name=buyer.given_name,
        family_name=buyer.family_name,
    )


def _line(line: LineIn, number: int) -> LineInput:
    total, quantity, discount = Decimal(line.total), Decimal(line.quantity), Decimal(line.discount)
    if line.unit_price is not None:
        unit_price = Decimal(line.unit_price)
    elif quantity:
        unit_price = ((total + discount) / quantity).quantize(CENT)
    else:
        unit_price = ZERO
    return LineInput(
        line_no=number if line.line_no is None else line.line_no,
        total=total,
        quantity=quantity,
        unit_price=unit_price,
        discount=discount,
        tax=Decimal(line.tax),
        sku=line.sku,
        name=line.name,
        category=line.category,
        brand=line.brand,
        tags=line.tags,
        stored_value=line.stored_value,
        unit_cost=None if line.unit_cost is None else Decimal(line.unit_cost),
    )


def _refund_line(line: RefundLineIn, number: int) -> RefundLineInput:
    return RefundLineInput(
        line_no=number if line.line_no is None else line.line_no,
        total=Decimal(line.total),
        quantity=Decimal(line.quantity),
        tax=Decimal(line.tax),
        sku=line.sku,
        category=line.category,
        order_line_no=line.order_line_no,
    )


def _tenders(tenders: Sequence[TenderIn]) -> tuple[TenderInput, ...]:
    """One for each kind: two cards are one payment with money. Units that are spent stand alone."""
    sums: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    spent = []
    for tender in tenders:
        amount = Decimal(tender.amount)
        if tender.units is None:
            sums[tender.kind] += amount
            continue
        units = Decimal(tender.units)
        spent.append(TenderInput(tender.kind, amount, units, tender.wallet_type, tender.program))
    return (*(TenderInput(kind, amount) for kind, amount in sums.items()), *spent)
