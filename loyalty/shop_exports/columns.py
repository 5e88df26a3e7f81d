"""What an import needs of a file, and which of its columns have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from loyalty.shop_exports import matching
from loyalty.shop_exports.tables import Table


@dataclass(frozen=True, slots=True)
class Wanted:
    """Something that an import can use."""

    name: str
    label: Any
    help: Any
    meaning: matching.Meaning
    needed: bool = False


ORDER = (
    Wanted("order_id", _("Order number"), _("Rows with the same number are one order."),
        matching.ORDER_NUMBER, needed=True),
    Wanted("placed_at", _("When"), _("The day, also with the time."), matching.PLACED, needed=True),
    Wanted("total", _("Total of the order"), _("What was paid. Empty: what the lines come to."),
        matching.TOTAL),
    Wanted("currency", _("Currency"), _("Where a file has several."), matching.CURRENCY),
    Wanted("exchange_rate", _("Exchange rate"),
        _("What one of the order’s currency is worth in that of the program."),
        matching.EXCHANGE_RATE),
    Wanted("exchange_currency", _("Currency of the rate"), _("Empty: the one that is chosen here."),
        matching.EXCHANGE_CURRENCY),
    Wanted("shipping", _("Shipping"), _("A part of the total that earns nothing."),
        matching.SHIPPING),
    Wanted("status", _("State"), _("Orders that were not paid are left out."),
        matching.PAYMENT_STATE),
    Wanted("refunded", _("Given back"), _("An amount of the order that was returned."),
        matching.REFUNDED),
)  # fmt: skip
BUYER = (
    Wanted("customer_id", _("Customer number"), _("Empty: they are known by their e-mail address."),
        matching.CUSTOMER_NUMBER),
    Wanted("email", _("E-mail address"), _("They sign in with it, and mails go there."),
        matching.EMAIL),
    Wanted("given_name", _("First name"), "", matching.GIVEN_NAME),
    Wanted("family_name", _("Last name"), "", matching.FAMILY_NAME),
    Wanted("full_name", _("Whole name"), _("In one column: the last word is the last name."),
        matching.FULL_NAME),
)  # fmt: skip
LINE = (
    Wanted("sku", _("Product number"), _("Rules name products by it."), matching.LINE_PRODUCT),
    Wanted("category", _("Product category"), _("Rules name categories by it."), matching.CATEGORY),
    Wanted("quantity", _("Quantity"), _("Empty: one."), matching.QUANTITY),
    Wanted("unit_price", _("Price of one"), "", matching.UNIT_PRICE),
    Wanted("line_total", _("Total of the line"), _("Empty: quantity times price."),
        matching.LINE_TOTAL),
    Wanted("discount", _("Discount of the line"), _("Taken off quantity times price."),
        matching.LINE_DISCOUNT),
)  # fmt: skip
WANTED = {item.name: item for item in (*ORDER, *BUYER, *LINE)}
LINE_NAMES = tuple(item.name for item in LINE)


def guess_columns(table: Table) -> dict[str, int]:
    """For each thing wanted the place of its column, where there seems to be one."""
    columns = [
        matching.Column(name, table.column(place)) for place, name in enumerate(table.header)
    ]
    return matching.match({item.name: item.meaning for item in WANTED.values()}, columns)
