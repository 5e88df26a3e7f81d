"""WooCommerce: orders and customers as its webhooks and its REST API (v3) tell them.

The same resource looks the same in both. Lines, shipping and fees are without tax there; times
called “gmt” are UTC. https://woocommerce.github.io/woocommerce-rest-api-docs/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from campaigns.connectors.reading import (
    buyer,
    currency,
    decimal,
    instant,
    items,
    money,
    needed_instant,
    number,
    text,
    within,
)
from campaigns.connectors.records import CustomerFacts, Reading, Records, version_of
from campaigns.connectors.said_consents import said_to_woocommerce
from loyalty.models import Order
from loyalty.rules.facts import ZERO
from loyalty.services.order_inputs import CustomerRef, LineInput, OrderInput, RefundInput

Json = Mapping[str, Any]
Status = Order.Status
STATUSES = {
    "pending": Status.PLACED,
    "on-hold": Status.PLACED,
    "processing": Status.PAID,
    "completed": Status.COMPLETED,
    "cancelled": Status.CANCELED,
    "failed": Status.CANCELED,
    "trash": Status.CANCELED,
    "refunded": Status.REFUNDED,
}
# Carts that nobody has sent off.
DRAFTS = {"checkout-draft", "auto-draft", "draft"}
RANKS = {status: rank for rank, status in enumerate(
    (Status.PLACED, Status.PAID, Status.COMPLETED, Status.REFUNDED, Status.CANCELED)
)}  # fmt: skip


def read(topic: str, payload: Json, about: Reading) -> Records:
    """What a webhook of this topic says."""
    reader = READERS.get(topic)
    if reader is None:
        return Records(note=_("Nothing follows from messages of this kind."))
    return reader(payload, about)


def read_order(payload: Json, about: Reading) -> Records:
    """An order as it is now, with the sums that were given back of it."""
    said = text(payload, "status").removeprefix("wc-")
    if said in DRAFTS:
        return Records(note=_("A cart that nobody has sent off."))
    order = _order(payload, said, about)
    return Records(orders=(order,), refunds=tuple(_refunds(payload, order)))


def read_customer(payload: Json, about: Reading) -> Records:
    """A customer's account. What the shop does not say is left as it is here."""
    changed = needed_instant(payload, "date_modified_gmt", "date_created_gmt")
    values = {
        "given_name": text(payload, "first_name", longest=100)
        or text(payload, "billing.first_name", longest=100),
        "family_name": text(payload, "last_name", longest=100)
        or text(payload, "billing.last_name", longest=100),
        "email": text(payload, "email", longest=254).lower(),
        "phone": text(payload, "billing.phone", longest=40),
        "country": text(payload, "billing.country", longest=2),
    }
    facts = CustomerFacts(
        about.customer_number(number(payload, "id")),
        {name: value for name, value in values.items() if value},
        version=version_of(changed, 0, payload),
        consents=tuple(said_to_woocommerce(payload, changed, about)),
    )
    return Records(customers=(facts,))


def _gone_order(payload: Json, about: Reading) -> Records:
    return Records(gone_orders=(number(payload, "id"),))


def _restored_order(payload: Json, about: Reading) -> Records:
    found = read_order(payload, about)
    back = tuple(order.external_id for order in found.orders)
    return Records(orders=found.orders, refunds=found.refunds, back_orders=back, note=found.note)


def _gone_customer(payload: Json, about: Reading) -> Records:
    return Records(gone_customers=(about.customer_number(number(payload, "id")),))


READERS: dict[str, Callable[[Json, Reading], Records]] = {
    "order.created": read_order,
    "order.updated": read_order,
    "order.restored": _restored_order,
    "order.deleted": _gone_order,
    "customer.created": read_customer,
    "customer.updated": read_customer,
    "customer.deleted": _gone_customer,
}


def _order(payload: Json, said: str, about: Reading) -> OrderInput:
    """States that a plugin adds count as placed until the order says that it is paid."""
    paid_at = instant(payload, "date_paid_gmt")
    status = STATUSES.get(said, Status.PAID if paid_at else Status.PLACED)
    lines = tuple(_lines(payload))
    total, taxes = decimal(payload, "total"), money(payload, "total_tax")
    shipping = money(payload, "shipping_total")
    # Fees, which are no goods; below zero, what was taken off in no line.
    rest = total - taxes - shipping - sum((line.total for line in lines), ZERO)
    changed = needed_instant(payload, "date_modified_gmt", "date_created_gmt")
    placed = needed_instant(payload, "date_created_gmt")
    return OrderInput(
        external_id=number(payload, "id"), source=about.source, placed_at=placed,
        currency=currency(payload, "currency"), total=total, customer=_buyer(payload, about),
        status=status, lines=lines, tax_total=taxes, taxes_included=False,
        shipping_total=shipping + max(rest, ZERO), discount_total=max(-rest, ZERO),
        channel=text(payload, "created_via", longest=32),
        payment_method=text(payload, "payment_method", longest=32), coupons=_codes(payload),
        paid_at=paid_at or (placed if status in (Status.PAID, Status.COMPLETED) else None),
        completed_at=instant(payload, "date_completed_gmt"),
        sequence=version_of(changed, RANKS[status], payload), changed_at=changed,
    )  # fmt: skip


def _buyer(payload: Json, about: Reading) -> CustomerRef | None:
    """Who bought; customer 0 is a guest."""
    found = text(payload, "customer_id")
    if found in ("", "0"):
        return None
    return buyer(payload, about.customer_number(number(payload, "customer_id")), "billing")


def _lines(payload: Json) -> Iterator[LineInput]:
    for line_no, (place, item) in enumerate(items(payload, "line_items"), start=1):
        with within(place):
            quantity, before = decimal(item, "quantity"), money(item, "subtotal")
            total = decimal(item, "total")
            yield LineInput(
                line_no=line_no, total=total, quantity=quantity,
                unit_price=(before / quantity).quantize(total) if quantity else ZERO,
                discount=max(before - total, ZERO), tax=money(item, "total_tax"),
                sku=text(item, "sku", longest=128) or _product(item), name=text(item, "name"),
            )  # fmt: skip


def _product(item: Json) -> str:
    variation = text(item, "variation_id")
    return variation if variation not in ("", "0") else text(item, "product_id")


def _codes(payload: Json) -> tuple[str, ...]:
    found = [text(item, "code", longest=64) for _place, item in items(payload, "coupon_lines")]
    return tuple(code for code in dict.fromkeys(found) if code)[:50]


def _refunds(payload: Json, order: OrderInput) -> Iterator[RefundInput]:
    """An order names the sum of each refund, neither its lines nor its time. The time is what the
    shop's list of its refunds says, where that was asked (`pages`); else it is dated to the change
    that tells of it, which is what the shop sends the message for."""
    for place, item in items(payload, "refunds"):
        with within(place):
            total = abs(decimal(item, "amount" if "amount" in item else "total"))
            if total:
                yield RefundInput(
                    external_id=number(item, "id"), source=order.source,
                    order_external_id=order.external_id, currency=order.currency, total=total,
                    refunded_at=instant(item, "date_created_gmt")
                    or order.changed_at or order.placed_at,
                )  # fmt: skip
