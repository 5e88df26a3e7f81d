"""What Shopify alone does: a tip is one of the lines, and a button sends made-up messages."""

from decimal import Decimal

import pytest

from campaigns.models import InboundMessage
from campaigns.services.inbound import replay
from loyalty.models import Order, OrderConversion, Refund
from members.models import Customer
from members.services.audit import SYSTEM
from tests.campaigns.shops import (
    connect,
    shopify,
    shopify_customer,
    shopify_order,
    shopify_refund,
    shopify_tip,
    work,
)
from tests.loyalty.factories import day, make_program
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("program")]


_made_once, program = of_each_test(lambda: make_program(at=day(-30)))


def test_a_tip_earns_nothing_and_comes_back_as_none():
    shop = connect()
    order = shopify_order(updated="2024-03-15T08:00:01-04:00", total_price="37.00")
    order["line_items"].append(shopify_tip("4.00"))
    shopify(shop, "orders/create", order)
    work()
    found = Order.objects.get()
    assert [line.sku for line in found.lines.order_by("line_no")] == ["ESPRESSO", "CUP"]
    assert (found.total, found.shipping_total) == (37, 9)
    back = shopify_refund()
    tip = {"id": 9, "quantity": 1, "subtotal": 4.0, "total_tax": 0.0, "line_item": shopify_tip("4")}
    back["refund_line_items"].append(tip)
    back["transactions"][0]["amount"] = "14.00"
    shopify(shop, "refunds/create", back)
    work()
    refund = Refund.objects.get()
    assert (refund.total, refund.shipping_total) == (14, 4)
    assert [line.sku for line in refund.lines.all()] == ["CUP"]


@pytest.mark.parametrize("line", [True, 5, "CUP", None])
def test_what_is_no_line_of_a_refund_is_no_tip(line):
    shop = connect()
    shopify(shop, "orders/create", shopify_order(updated="2024-03-15T08:00:01-04:00"))
    back = shopify_refund()
    for item in back["refund_line_items"]:
        item["line_item"] = line
    shopify(shop, "refunds/create", back)
    work()
    refund = Refund.objects.get()
    assert (refund.shipping_total, [found.sku for found in refund.lines.all()]) == (0, [""])


def test_a_tip_that_cannot_be_read_is_named_by_its_place():
    back = shopify_refund()
    tip = {"id": 9, "quantity": 1, "subtotal": "four", "line_item": shopify_tip("4")}
    back["refund_line_items"].append(tip)
    shopify(connect(), "refunds/create", back)
    work()
    message = InboundMessage.objects.get()
    assert (message.state, [error["field"] for error in message.errors]) == (
        "failed", ["refund_line_items[1].subtotal"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("topic", "content"),
    [
        ("customers/create", shopify_customer(updated="2024-03-14T08:00:00-04:00")),
        ("orders/create", shopify_order(updated="2024-03-15T08:00:01-04:00")),
        ("refunds/create", shopify_refund()),
    ],
)
def test_what_the_test_button_of_shopify_sends_is_passed_over(topic, content):
    shopify(connect(), topic, content, **{"X-Shopify-Test": "true"})
    work()
    message = InboundMessage.objects.get()
    assert (message.state, message.topic) == ("skipped", f"{topic} (test)")
    assert message.note.startswith("A test by the shop’s button")
    replay(message=message, actor=SYSTEM)
    work()
    assert InboundMessage.objects.get().state == "skipped"
    assert [each.objects.count() for each in (Customer, Order, Refund)] == [0, 0, 0]


def test_what_the_buyer_saw_says_the_rate_for_programs_in_that_money():
    abroad = make_program("abroad", name="Abroad", currency="EUR", at=day(-30))
    shop = connect()
    order = shopify_order(updated="2024-03-15T08:00:01-04:00", presentment_currency="EUR")
    order["total_price_set"] = {
        "shop_money": {"amount": "33.00", "currency_code": "USD"},
        "presentment_money": {"amount": "30.36", "currency_code": "EUR"},
    }
    shopify(shop, "orders/create", order)
    work()
    row = OrderConversion.objects.get()
    assert (row.program, row.rate, row.source) == (abroad, Decimal("0.92"), "order")
    assert row.order.currency == "USD"
