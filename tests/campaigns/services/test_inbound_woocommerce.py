"""What WooCommerce tells, however it comes."""

import random

import pytest

from campaigns.models import Connection, InboundMessage
from loyalty.models import Order, Refund
from members.models import Customer
from tests.campaigns.shops import (
    connect,
    hand_over,
    post,
    woo_customer,
    woo_order,
    woocommerce,
    work,
)
from tests.loyalty.factories import day, make_program, moves, spendable
from tests.sharing import anew, rolled_back, shared

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _coherent(coherent_ledger):
    """Whatever a test here did, it left coherent books."""


made_once = shared(lambda: make_program(at=day(-30)))


@pytest.fixture
def program(made_once, db):
    return anew(made_once)


def test_an_order_earns_for_its_goods_without_tax_and_parcel(program):
    shop = connect("woocommerce")
    assert woocommerce(shop, "order.created", woo_order(modified="2024-03-15T12:05:00")) == 202
    work()
    order = Order.objects.get()
    assert (order.source, order.external_id, order.status) == ("woocommerce", "727", "paid")
    assert (order.shipping_total, order.tax_total, order.coupons) == (5, 1, ["spring"])
    assert order.customer.external_id == "26"
    assert spendable("26") == 28


def test_the_question_whether_the_address_is_there_is_answered_and_kept_nowhere(program):
    shop = connect("woocommerce")
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert post(shop, b"webhook_id=3", dict(kind)) == 200
    assert post(shop, b"webhook_id=3&more=1", dict(kind)) == 401
    assert InboundMessage.objects.get().state == "refused"


def test_what_is_not_signed_is_refused(program):
    shop = connect("woocommerce")
    order = woo_order(modified="2024-03-15T12:05:00")
    assert woocommerce(shop, "order.created", order, secret="guess") == 401
    work()
    assert not Order.objects.exists()


def test_two_orders_of_one_second_have_one_delivery_number_and_both_count(program):
    shop = connect("woocommerce")
    for number in (727, 728, 727):
        order = woo_order(number, modified="2024-03-15T12:05:00")
        woocommerce(shop, "order.created", order, number="36e520ebabc2fa725092ff4a47acedf2")
    work()
    assert Order.objects.count() == 2
    assert moves("26") == [("accrual", 28), ("accrual", 28)]


def test_guests_and_carts_earn_nothing(program):
    shop = connect("woocommerce")
    woocommerce(shop, "order.created", woo_order(modified="2024-03-15T12:05:00", customer_id=0))
    draft = woo_order(728, status="checkout-draft", modified="2024-03-15T12:05:00")
    woocommerce(shop, "order.created", draft)
    work()
    assert Order.objects.get().customer is None
    assert not Customer.objects.exists()


def history() -> list[tuple[str, dict]]:
    back = [{"id": 801, "reason": "", "total": "-10.00"}]
    unpaid = {"date_paid": None, "date_paid_gmt": None}
    return [
        ("customer.created", woo_customer(modified="2024-03-14T12:00:00")),
        ("order.created", woo_order(status="pending", modified="2024-03-15T12:00:00", **unpaid)),
        # In the same second, before the bank had answered.
        ("order.updated", woo_order(status="on-hold", modified="2024-03-15T12:05:00", **unpaid)),
        ("order.updated", woo_order(modified="2024-03-15T12:05:00")),
        ("order.updated", woo_order(status="completed", modified="2024-03-18T12:00:00",
                                    date_completed_gmt="2024-03-18T12:00:00")),
        ("order.updated", woo_order(status="completed", modified="2024-03-20T12:00:00",
                                    date_completed_gmt="2024-03-18T12:00:00", refunds=back)),
        ("customer.updated", woo_customer(modified="2024-03-21T12:00:00", last_name="Dow")),
        ("order.created", woo_order(728, modified="2024-03-22T12:00:00")),
        ("order.deleted", {"id": 728}),
    ]  # fmt: skip


def play(shop: Connection, messages: list[tuple[str, dict]]) -> dict:
    with rolled_back():
        for topic, payload in messages:
            assert woocommerce(shop, topic, payload, send=hand_over) == 202
            work()
        return {
            "units": spendable("26"),
            "orders": list(
                Order.objects.order_by("external_id").values_list(
                    "external_id", "status", "total", "paid_at", "completed_at"
                )
            ),
            "refunds": list(Refund.objects.values_list("external_id", "total", "refunded_at")),
            "customers": list(Customer.objects.values_list("external_id", "family_name", "email")),
        }


def test_however_messages_come_they_come_to_the_same(program):
    shop, told = connect("woocommerce"), history()
    expected = play(shop, told)
    assert expected["orders"][0][1] == "completed"
    assert expected["orders"][1][1] == "cancelled"
    assert 0 < expected["units"] < 28
    assert expected["customers"] == [("26", "Dow", "john@example.com")]
    assert play(shop, told[::-1]) == expected
    chance = random.Random(3)
    for _trial in range(8):
        shuffled = [*told, *chance.sample(told, 3)]
        chance.shuffle(shuffled)
        assert play(shop, shuffled) == expected


def test_a_refund_whose_tax_the_shop_does_not_tell_takes_the_goods_in_proportion(program):
    """The shop says of a refund only what was paid out, tax and all; its prices are without."""
    shop = connect("woocommerce")
    taxed = {"total": "33.88", "total_tax": "5.88", "cart_tax": "5.88", "shipping_total": "0.00"}
    woocommerce(shop, "order.created", woo_order(modified="2024-03-15T12:05:00", **taxed))
    work()
    assert spendable("26") == 28
    back = [{"id": 801, "reason": "", "total": "-16.94"}]
    half = woo_order(modified="2024-03-16T12:05:00", refunds=back, **taxed)
    woocommerce(shop, "order.updated", half)
    work()
    assert spendable("26") == 14


def test_an_order_brought_back_from_the_bin_counts_again(program):
    shop = connect("woocommerce")
    woocommerce(shop, "order.created", woo_order(modified="2024-03-15T12:05:00"))
    woocommerce(shop, "order.deleted", {"id": 727})
    work()
    assert spendable("26") == 0
    woocommerce(shop, "order.restored", woo_order(modified="2024-03-16T12:05:00"))
    work()
    assert spendable("26") == 28


def test_a_state_of_a_plugin_is_placed_until_it_is_paid(program):
    shop = connect("woocommerce")
    order = woo_order(status="wc-partial-shipped", modified="2024-03-15T12:05:00")
    woocommerce(shop, "order.updated", order)
    unpaid = woo_order(728, status="quoted", modified="2024-03-15T12:05:00", date_paid_gmt=None)
    woocommerce(shop, "order.updated", unpaid)
    work()
    found = dict(Order.objects.values_list("external_id", "status"))
    assert found == {"727": "paid", "728": "placed"}
