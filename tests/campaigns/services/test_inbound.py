"""What shops tell, however it comes: shuffled, twice, late, or without end."""

import json
import random

import pytest

from campaigns.models import Connection, InboundMessage, KnownVersion
from campaigns.services.connections import switch
from campaigns.services.inbound import prune_messages, receive, replay, replay_failed
from loyalty.models import Order, Refund
from members.errors import ConflictError
from members.models import Customer, OutboxEvent
from members.services.audit import SYSTEM
from tests.campaigns.shops import (
    BOB,
    connect,
    hand_over,
    post,
    shopify,
    shopify_customer,
    shopify_order,
    shopify_refund,
    signature,
    work,
)
from tests.every_order import in_every_order
from tests.factories import CustomerFactory
from tests.loyalty.factories import NOW, day, make_program, moves, spendable
from tests.sharing import anew, rolled_back, shared

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _coherent(coherent_ledger):
    """Whatever a test here did, it left coherent books."""


made_once = shared(lambda: make_program(at=day(-30)))


@pytest.fixture
def program(made_once, db):
    return anew(made_once)


def only() -> InboundMessage:
    return InboundMessage.objects.get()


def test_an_order_is_kept_answered_and_taken_in_by_a_worker(program):
    shop = connect()
    assert shopify(shop, "orders/create", shopify_order(updated="2024-03-15T08:00:01-04:00")) == 202
    assert not Order.objects.exists()
    message = only()
    assert (message.state, message.topic) == ("waiting", "orders/create")
    work()
    message.refresh_from_db()
    assert message.state == "done"
    assert message.result == [
        {"kind": "order", "number": "820982911946154508", "outcome": "created", "note": ""}
    ]
    assert message.people == [BOB]
    order = Order.objects.get()
    assert (order.source, order.status, order.coupons) == ("shopify", "paid", ["SPRING"])
    assert order.customer.display_name == "Bob Norman"
    # 28.00 in goods less their tax of 2.00, which is theirs in all.
    assert spendable(BOB) == 26


@pytest.mark.parametrize("signed_with", ["another", "", "hush-0f3A"])
def test_what_is_not_signed_is_refused_and_kept_without_its_content(program, signed_with):
    shop = connect()
    body = shopify_order(updated="2024-03-15T08:00:01-04:00")
    assert shopify(shop, "orders/create", body, secret=signed_with or "x") == 401
    message = only()
    assert (message.state, message.payload, message.delivery_id) == ("refused", "", "")
    work()
    assert not Order.objects.exists()


def test_a_signature_is_of_the_bytes_as_they_came_and_of_nothing_else(program):
    shop = connect()
    body = json.dumps(shopify_order(updated="2024-03-15T08:00:01-04:00")).encode()
    headers = {"X-Shopify-Topic": "orders/create", "X-Shopify-Hmac-Sha256": signature(body)}
    assert post(shop, body + b" ", dict(headers)) == 401
    assert post(shop, body, {"X-Shopify-Topic": "orders/create"}) == 401
    assert post(shop, body, headers | {"X-Shopify-Hmac-Sha256": "not base64 ♥"}) == 401
    assert InboundMessage.objects.get().times == 3
    assert post(shop, body, dict(headers)) == 202


def test_without_a_secret_nothing_is_taken(program):
    shop = connect()
    shop.secret = b""
    shop.save()
    body = shopify_order(updated="2024-03-15T08:00:01-04:00")
    assert shopify(shop, "orders/create", body, secret="") == 401


def test_one_that_is_off_asks_the_shop_to_try_again(program):
    shop = connect()
    switch(connection=shop, on=False, actor=SYSTEM)
    body = shopify_order(updated="2024-03-15T08:00:01-04:00")
    assert shopify(shop, "orders/create", body) == 503
    assert not InboundMessage.objects.exists()


def test_the_same_delivery_is_taken_in_once_and_counted(program):
    shop = connect()
    order = shopify_order(updated="2024-03-15T08:00:01-04:00")
    for _time in range(3):
        assert shopify(shop, "orders/create", order, number="one") == 202
        work()
    assert only().times == 3
    assert moves(BOB) == [("accrual", 26)]


def test_a_message_that_cannot_be_read_is_kept_with_its_places_and_replayed(program):
    shop = connect()
    order = shopify_order(updated="2024-03-15T08:00:01-04:00")
    order["line_items"][1]["price"] = "ten"
    shopify(shop, "orders/create", order)
    work()
    message = only()
    assert message.state == "failed"
    assert message.errors == [
        {"field": "line_items[1].price", "message": "Write a number such as 12.50."}
    ]
    # As if whatever could not be read were understood by now.
    message.payload = message.payload.replace('"ten"', '"10.00"')
    message.save()
    replay(message=message, actor=SYSTEM)
    work()
    message.refresh_from_db()
    assert (message.state, message.errors) == ("done", [])
    replay(message=message, actor=SYSTEM)
    work()
    assert moves(BOB) == [("accrual", 26)]


def test_what_the_services_refuse_is_kept_with_their_words(program):
    shop = connect()
    order = shopify_order(updated="2024-03-15T08:00:01-04:00")
    shopify(shop, "orders/create", order | {"currency": "EUR"})
    work()
    assert only().state == "failed"
    assert "Add one of that day" in only().errors[0]["message"]
    assert not Order.objects.exists()
    assert replay_failed(connection=shop, actor=SYSTEM) == 1
    assert only().state == "waiting"


def test_topics_from_which_nothing_follows_are_passed_over(program):
    shop = connect()
    shopify(shop, "products/update", {"id": 1})
    shopify(shop, "orders/create", shopify_order(updated="2024-03-15T08:00:01Z", test=True))
    work()
    assert {item.state for item in InboundMessage.objects.all()} == {"skipped"}
    assert not Order.objects.exists()


def test_a_refused_message_has_nothing_to_replay(program):
    shop = connect()
    shopify(shop, "orders/create", {"id": 1}, secret="other")
    with pytest.raises(ConflictError):
        replay(message=only(), actor=SYSTEM)


# --- Whatever the order -------------------------------------------------------------------------


def history() -> list[tuple[str, dict]]:
    """Two orders of one buyer over a week: one changed, sent and partly given back, one canceled;
    and what the buyer's account said meanwhile."""
    refund = shopify_refund()
    sent = {
        "fulfillment_status": "fulfilled",
        "fulfillments": [
            {"id": 255858046, "status": "success", "created_at": "2024-03-17T08:00:00-04:00"}
        ],
    }
    other = {
        "number": 450789469, "line_items": shopify_order(updated="")["line_items"][1:],
        "total_price": "15.00", "total_tax": "0.00",
    }  # fmt: skip
    return [
        ("customers/create", shopify_customer(updated="2024-03-14T08:00:00-04:00")),
        ("orders/create", shopify_order(
            updated="2024-03-15T08:00:01-04:00", financial_status="pending")),
        # In the same second as it was made.
        ("orders/paid", shopify_order(updated="2024-03-15T08:00:01-04:00")),
        ("orders/create", shopify_order(updated="2024-03-16T08:00:00-04:00", **other)),
        ("orders/fulfilled", shopify_order(updated="2024-03-17T08:00:00-04:00", **sent)),
        ("refunds/create", refund),
        ("orders/updated", shopify_order(
            updated="2024-03-18T08:00:02-04:00", financial_status="partially_refunded",
            refunds=[refund], **sent)),
        ("customers/update", shopify_customer(
            updated="2024-03-19T08:00:00-04:00", last_name="Norman-Reed")),
        ("orders/cancelled", shopify_order(
            updated="2024-03-20T08:00:00-04:00", cancelled_at="2024-03-20T08:00:00-04:00",
            cancel_reason="customer", **other)),
    ]  # fmt: skip


def outcome() -> dict:
    """All that matters in the end, with every lot's times."""
    orders = Order.objects.order_by("external_id")
    return {
        "units": spendable(BOB),
        "orders": [
            (o.external_id, o.status, o.total, o.paid_at, o.fulfilled_at, o.completed_at)
            for o in orders
        ],
        "refunds": list(
            Refund.objects.order_by("external_id").values_list(
                "external_id", "order__external_id", "total", "refunded_at"
            )
        ),
        "customers": list(
            Customer.objects.values_list("external_id", "family_name", "email", "phone", "country")
        ),
        "units_of_orders": sorted(
            (o.external_id, sum(t.signed_amount for t in o.transfers.select_related("wallet")))
            for o in orders
        ),
    }


def tell(shop: Connection, messages: list[tuple[str, dict]]) -> None:
    for topic, payload in messages:
        assert shopify(shop, topic, payload, send=hand_over) == 202
        work()


def done() -> dict:
    assert not InboundMessage.objects.exclude(state="done").exists()
    return outcome()


def play(shop: Connection, messages: list[tuple[str, dict]]) -> dict:
    """Send them in this order, see what it comes to, and leave nothing behind."""
    with rolled_back():
        tell(shop, messages)
        return done()


def test_however_messages_come_they_come_to_the_same(program):
    shop, told = connect(), history()
    expected = play(shop, told)
    # 18.00 in goods less their part of the tax is what is left of the one; nothing of the other.
    assert expected["units"] > 0
    assert expected["orders"][0][1] == "cancelled"
    assert expected["customers"] == [
        (BOB, "Norman-Reed", "bob@example.com", "+16135551111", "CA")
    ]  # fmt: skip
    assert play(shop, told[::-1]) == expected
    chance = random.Random(7)
    for _trial in range(8):
        shuffled = [*told, *chance.sample(told, 4)]
        chance.shuffle(shuffled)
        assert play(shop, shuffled) == expected


def test_every_order_of_an_order_and_its_changes_comes_to_the_same(program):
    told = [item for item in history() if item[0].startswith(("orders/", "refunds/"))]
    first = [item for item in told if item[1].get("order_number") == 1001 or "order_id" in item[1]]
    first = [item for item in first if "cancelled_at" not in item[1] or not item[1]["cancelled_at"]]
    shop = connect()
    outcomes = in_every_order(first[:2] + first[-2:], lambda item: tell(shop, [item]), done)
    assert len(outcomes) == 24
    assert all(found == outcomes[0] for found in outcomes)


def test_an_order_that_the_shop_deleted_is_canceled_whatever_comes_late(program):
    order = shopify_order(updated="2024-03-15T08:00:01-04:00")
    messages = [
        ("orders/create", order), ("orders/delete", {"id": order["id"]}),
        ("orders/updated", order | {"updated_at": "2024-03-16T08:00:00-04:00"}),
    ]  # fmt: skip

    def ended() -> tuple[str, bool]:
        return Order.objects.get().status, KnownVersion.objects.get(subject="order").gone

    shop = connect()
    found = in_every_order(messages, lambda item: tell(shop, [item]), ended)
    assert found == [("cancelled", True)] * 6


def test_one_that_failed_is_tried_again_when_it_is_sent_again(program):
    somebody = CustomerFactory(external_id=None, email="bob@example.com")
    order = shopify_order(updated="2024-03-15T08:00:01-04:00")
    order["customer"]["verified_email"] = False
    shop = connect()
    shopify(shop, "orders/create", order, number="one")
    work()
    assert only().state == "failed"
    somebody.delete()
    shopify(shop, "orders/create", order, number="one")
    assert only().state == "waiting"
    work()
    assert (only().state, only().times, only().errors) == ("done", 2, [])
    InboundMessage.objects.update(state="failed", payload="")
    shopify(shop, "orders/create", order, number="one")
    assert only().state == "failed"


def test_what_is_no_text_is_refused(program):
    shop = connect()
    for body in (b"\xff\xfe", b'{"id": "\x00"}'):
        headers = {"X-Shopify-Hmac-Sha256": signature(body), "X-Shopify-Topic": "orders/create"}
        assert post(shop, body, headers) == 400
    assert not InboundMessage.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"updated_at": "9999-12-31T00:00:00Z"}, "updated_at"),
        ({"total_price": "1e15"}, "total_price"),
        ({"line_items": [{"price": "99999999999", "quantity": 9999999}]}, ""),
        ({"line_items": [{"price": "NaN", "quantity": 1}]}, "line_items[0].price"),
        ({"id": "x" * 129}, "id"),
        ({"currency": "dollars"}, "currency"),
        ({"processed_at": "yesterday"}, "processed_at"),
    ],
)
def test_values_beyond_all_bounds_fail_once_and_for_all(program, changes, field):
    shop = connect()
    order = shopify_order(updated="2024-03-15T08:00:01-04:00") | changes
    shopify(shop, "orders/create", order)
    work()
    message = only()
    assert message.state == "failed"
    assert message.errors[0]["field"] == field
    assert not Order.objects.exists()


def test_content_is_forgotten_after_a_week_and_all_after_a_month(program):
    shop = connect()
    shopify(shop, "orders/create", shopify_order(updated="2024-03-15T08:00:01-04:00"))
    work()
    InboundMessage.objects.update(received_at=NOW)
    assert prune_messages(now=day(8)) == 0
    assert only().payload == ""
    assert prune_messages(now=day(31)) == 1


def test_a_worker_that_finds_a_message_done_does_nothing(program):
    shop = connect()
    shopify(shop, "orders/create", shopify_order(updated="2024-03-15T08:00:01-04:00"))
    work()
    OutboxEvent.objects.filter(kind="connection.came").update(delivered_at=None)
    work()
    assert moves(BOB) == [("accrual", 26)]


def test_a_shop_sees_nothing_of_another(program):
    assert Customer.objects.count() == 0
    shop, other = connect(), connect(source="other", customer_prefix="o-")
    body = json.dumps({"id": 1}).encode()
    headers = {"X-Shopify-Hmac-Sha256": signature(body), "X-Shopify-Webhook-Id": "same"}
    for connection in (shop, other):
        assert receive(
            connection=connection, body=body, headers=headers, content_type="application/json",
            now=NOW,
        ) == 202  # fmt: skip
    assert InboundMessage.objects.count() == 2


def test_an_order_of_a_day_to_come_is_refused_and_says_why(program):
    shop = connect()
    ahead = "2124-03-15T08:00:00-04:00"
    body = shopify_order(updated=ahead, created_at=ahead, processed_at=ahead)
    assert shopify(shop, "orders/create", body) == 202
    work()
    message = only()
    assert message.state == "failed"
    wrong = message.errors[0]
    assert wrong["field"] == "placed_at"
    assert "lies in the future" in wrong["message"]
    assert not Order.objects.exists()
