"""Shopify: orders, refunds and customers as its webhooks and its Admin API (REST) tell them.

The same resource looks the same in both. Amounts are those in the shop's own currency; where the
buyer saw another one, the rate between the two comes along. Nothing is
taken from the message but what it says itself, so that the same messages in any order come to the
same. https://shopify.dev/docs/api/admin-rest/latest/resources/order
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from campaigns.connectors.reading import (
    at_path,
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
from campaigns.connectors.records import (
    ConsentFacts,
    CustomerFacts,
    Reading,
    Records,
    version_of,
)
from campaigns.connectors.said_consents import said_to_shopify
from loyalty.models import Order
from loyalty.rules.exchange import RATE_STEP
from loyalty.rules.facts import ZERO
from loyalty.services.order_inputs import (
    CustomerRef,
    LineInput,
    OrderInput,
    RefundInput,
    RefundLineInput,
)

Json = Mapping[str, Any]
Status = Order.Status
# Whoever got money back had paid before.
PAID = {"paid", "partially_refunded", "refunded"}
RANKS = {status: rank for rank, status in enumerate(
    (Status.PLACED, Status.PAID, Status.FULFILLED, Status.COMPLETED, Status.CANCELED)
)}  # fmt: skip
NO_ACCOUNT = {"disabled", "invited", "declined"}
# Behind the topic of what the shop's test button sent: of a made-up person, order or refund.
TEST = " (test)"


def read(topic: str, payload: Json, about: Reading) -> Records:
    """What a webhook of this topic says."""
    if topic.endswith(TEST):
        return Records(note=_("A test by the shop’s button: nobody bought this."))
    reader = READERS.get(topic)
    if reader is None:
        return Records(note=_("Nothing follows from messages of this kind."))
    return reader(payload, about)


def read_order(payload: Json, about: Reading) -> Records:
    """An order as it is now, with all that was given back of it."""
    if payload.get("test"):
        return Records(note=_("A test order of the shop."))
    order = _order(payload, about)
    verified = bool(at_path(payload, "customer.verified_email"))
    refunds: list[RefundInput] = []
    for place, item in items(payload, "refunds"):
        with within(place):
            refunds += _refund(item, order.external_id, order.currency, about)
    named = order.customer.external_id if order.customer and verified else None
    return Records(
        orders=(order,), refunds=tuple(refunds), verified=frozenset([named] if named else ())
    )


def read_refund(payload: Json, about: Reading) -> Records:
    found = tuple(_refund(payload, number(payload, "order_id"), "", about))
    return Records(refunds=found, note="" if found else _("No money was given back."))


def read_customer(payload: Json, about: Reading) -> Records:
    """A customer's account. What the shop does not say is left as it is here."""
    changed = needed_instant(payload, "updated_at", "created_at")
    values = {
        "given_name": text(payload, "first_name", longest=100),
        "family_name": text(payload, "last_name", longest=100),
        "email": text(payload, "email", longest=254).lower(),
        "phone": text(payload, "phone", longest=40),
        "country": text(payload, "default_address.country_code", longest=2),
    }
    facts = CustomerFacts(
        about.customer_number(number(payload, "id")),
        {name: value for name, value in values.items() if value},
        version=version_of(changed, 0, payload),
        verified=bool(payload.get("verified_email")),
        registered=text(payload, "state") not in NO_ACCOUNT,
        consents=tuple(said_to_shopify(payload, about)),
    )
    return Records(customers=(facts,))


def _consent_of(path: str) -> Callable[[Json, Reading], Records]:
    """A message that tells of nothing but what somebody says of one way."""

    def read_consent(payload: Json, about: Reading) -> Records:
        named = number(payload, "customer_id" if "customer_id" in payload else "id")
        customer = CustomerRef(external_id=about.customer_number(named))
        said = tuple(said_to_shopify({path: payload.get(path)}, about))
        if not said:
            return Records(note=_("It says neither yes nor no."))
        return Records(consents=(ConsentFacts(customer, said),))

    return read_consent


def _gone_order(payload: Json, about: Reading) -> Records:
    return Records(gone_orders=(number(payload, "id"),))


def _gone_customer(payload: Json, about: Reading) -> Records:
    return Records(gone_customers=(about.customer_number(number(payload, "id")),))


def _redacted_customer(payload: Json, about: Reading) -> Records:
    return Records(forgotten=(about.customer_number(number(payload, "customer.id")),))


def _asked_for_data(payload: Json, about: Reading) -> Records:
    """Nobody answers by a machine: the shop's owner has to."""
    return Records(note=_(
        "A customer asks for a copy of their data. Answer them yourself: their page here shows what"
        " is known of them."
    ))  # fmt: skip


def _redacted_shop(payload: Json, about: Reading) -> Records:
    return Records(forget_everything=True)


READERS: dict[str, Callable[[Json, Reading], Records]] = {
    **dict.fromkeys(
        ("orders/create", "orders/updated", "orders/paid", "orders/fulfilled",
         "orders/partially_fulfilled", "orders/cancelled"), read_order,
    ),
    "orders/delete": _gone_order,
    "refunds/create": read_refund,
    **dict.fromkeys(
        ("customers/create", "customers/update", "customers/enable", "customers/disable"),
        read_customer,
    ),
    "customers_email_marketing_consent/update": _consent_of("email_marketing_consent"),
    "customers_marketing_consent/update": _consent_of("sms_marketing_consent"),
    "customers/delete": _gone_customer,
    "customers/redact": _redacted_customer,
    "customers/data_request": _asked_for_data,
    "shop/redact": _redacted_shop,
}  # fmt: skip


# --- Orders -------------------------------------------------------------------------------------


def _order(payload: Json, about: Reading) -> OrderInput:
    lines = tuple(_lines(payload))
    shipping = sum((_shipping(item) for _place, item in items(payload, "shipping_lines")), ZERO)
    total, taxes = decimal(payload, "total_price"), money(payload, "total_tax")
    included = bool(payload.get("taxes_included"))
    goods = sum((line.total for line in lines), ZERO) + (ZERO if included else taxes)
    # Tips, duties and fees, which are no goods; below zero, what was taken off in no line.
    rest = total - goods - shipping
    status = _status(payload)
    changed = needed_instant(payload, "updated_at", "created_at")
    placed = needed_instant(payload, "processed_at", "created_at")
    return OrderInput(
        external_id=number(payload, "id"), source=about.source, placed_at=placed,
        currency=currency(payload, "currency"), total=total, customer=_buyer(payload, about),
        status=status, lines=lines, tax_total=taxes, taxes_included=included,
        shipping_total=shipping + max(rest, ZERO), discount_total=max(-rest, ZERO),
        channel=text(payload, "source_name", longest=32),
        store=text(payload, "location_id", longest=64),
        payment_method=text(payload, "payment_gateway_names.0", longest=32),
        coupons=_codes(payload), rates=tuple(_rates(payload)),
        paid_at=placed if text(payload, "financial_status") in PAID else None,
        fulfilled_at=_fulfilled_at(payload), completed_at=instant(payload, "closed_at"),
        sequence=version_of(changed, RANKS[Status(status)], payload), changed_at=changed,
    )  # fmt: skip


def _status(payload: Json) -> str:
    """How far it has come; what was given back is told by the refunds themselves."""
    paid = text(payload, "financial_status")
    if payload.get("cancelled_at") or paid == "voided":
        return Status.CANCELED
    if paid not in PAID:
        return Status.PLACED
    if text(payload, "fulfillment_status") != "fulfilled":
        return Status.PAID
    return Status.COMPLETED if payload.get("closed_at") else Status.FULFILLED


def _fulfilled_at(payload: Json) -> Any:
    """When the last parcel left; only once all have."""
    if text(payload, "fulfillment_status") != "fulfilled":
        return None
    times = [
        at for _place, item in items(payload, "fulfillments")
        if text(item, "status") in ("", "success") and (at := instant(item, "created_at"))
    ]  # fmt: skip
    return max(times, default=None)


def _buyer(payload: Json, about: Reading) -> CustomerRef | None:
    """Who bought; None for a guest."""
    if not at_path(payload, "customer.id"):
        return None
    return buyer(payload, about.customer_number(number(payload, "customer.id")), "customer")


def _rates(payload: Json) -> Iterator[tuple[str, Decimal]]:
    """Where the buyer saw other money than the shop's: by which rate the shop reckoned, as its two
    totals say it."""
    here = currency(payload, "currency")
    shown = text(payload, "total_price_set.presentment_money.currency_code", longest=4).upper()
    if not shown or shown == here:
        return
    own = decimal(payload, "total_price_set.shop_money.amount")
    other = decimal(payload, "total_price_set.presentment_money.amount")
    rate = (other / own).quantize(RATE_STEP) if own > 0 else ZERO
    if rate > 0 and len(shown) == 3:
        yield shown, rate


def _lines(payload: Json) -> Iterator[LineInput]:
    for line_no, (place, item) in enumerate(items(payload, "line_items"), start=1):
        if _is_tip(item):
            continue
        with within(place):
            quantity, price = decimal(item, "quantity"), decimal(item, "price")
            # With this line's part of what was taken off the order as a whole.
            discount = _sum(item, "discount_allocations", "amount")
            yield LineInput(
                line_no=line_no, total=price * quantity - discount, quantity=quantity,
                unit_price=price, discount=discount, tax=_sum(item, "tax_lines", "price"),
                sku=_sku(item), name=text(item, "title") or text(item, "name"),
                brand=text(item, "vendor", longest=128), stored_value=bool(item.get("gift_card")),
            )  # fmt: skip


def _is_tip(item: object) -> bool:
    """Shopify lists a tip as a line, which alone has this field, also where it is empty."""
    return isinstance(item, Mapping) and "tip_payment_gateway" in item


def _sku(item: Json) -> str:
    """By which rules and refunds know it; where the shop gives none, its variant."""
    return text(item, "sku", longest=128) or text(item, "variant_id") or text(item, "product_id")


def _shipping(item: Json) -> Decimal:
    if item.get("discounted_price") not in (None, ""):
        return decimal(item, "discounted_price")
    return money(item, "price") - _sum(item, "discount_allocations", "amount")


def _codes(payload: Json) -> tuple[str, ...]:
    found = [text(item, "code", longest=64) for _place, item in items(payload, "discount_codes")]
    return tuple(code for code in dict.fromkeys(found) if code)[:50]


def _sum(item: Json, path: str, name: str) -> Decimal:
    total = ZERO
    for place, part in items(item, path):
        with within(place):
            total += money(part, name)
    return total


# --- Refunds ------------------------------------------------------------------------------------


def _refund(
    payload: Json, order: str, order_currency: str, about: Reading
) -> Iterator[RefundInput]:
    """What was given back; nothing, where goods only went back on the shelf. With lines these
    count, whatever the shop kept as a fee; without any the money does."""
    lines = tuple(_refund_lines(payload))
    given = sum((money(item, "amount") for item in _payments(payload)), ZERO)
    shipping = -sum(
        (money(item, "amount") for _place, item in items(payload, "order_adjustments")
         if text(item, "kind") == "shipping_refund"), ZERO,
    )  # fmt: skip
    shipping = max(shipping, ZERO) + _tips_back(payload)
    taxes = sum((line.tax for line in lines), ZERO)
    total = sum((line.total for line in lines), ZERO) + shipping
    if not lines:
        if given <= 0:
            return
        total, shipping = given, min(shipping, given)
    elif abs(given - total - taxes) < abs(given - total):
        # The lines are without their tax, as in a shop whose prices are.
        total += taxes
    yield RefundInput(
        external_id=number(payload, "id"), source=about.source, order_external_id=order,
        refunded_at=needed_instant(payload, "processed_at", "created_at"),
        currency=order_currency or _refund_currency(payload), total=total,
        lines=lines, tax_total=taxes, shipping_total=shipping,
    )  # fmt: skip


def _refund_lines(payload: Json) -> Iterator[RefundLineInput]:
    for line_no, (place, item) in enumerate(items(payload, "refund_line_items"), start=1):
        if _is_tip(item.get("line_item")):
            continue
        with within(place):
            yield RefundLineInput(
                line_no=line_no, total=money(item, "subtotal"), quantity=decimal(item, "quantity"),
                tax=money(item, "total_tax"), sku=_sku(item.get("line_item") or {}),
            )  # fmt: skip


def _tips_back(payload: Json) -> Decimal:
    """What came back of a tip, which counted as shipping."""
    total = ZERO
    for place, item in items(payload, "refund_line_items"):
        if _is_tip(item.get("line_item")):
            with within(place):
                total += money(item, "subtotal")
    return total


def _payments(payload: Json) -> Iterator[Json]:
    """Money on its way back: also where the bank has not confirmed it yet."""
    for _place, item in items(payload, "transactions"):
        known = text(item, "kind") == "refund"
        if known and text(item, "status") not in ("failure", "error"):
            yield item


def _refund_currency(payload: Json) -> str:
    """The shop's currency, which a refund names in each of its amounts only."""
    for path in (
        "refund_line_items.0.subtotal_set.shop_money.currency_code",
        "order_adjustments.0.amount_set.shop_money.currency_code",
        "transactions.0.currency",
    ):
        if text(payload, path):
            return currency(payload, path)
    return currency(payload, "currency")
