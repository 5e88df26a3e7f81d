"""What shops tell, however it comes: shuffled, twice, late, or from somebody else."""

import itertools
import json
import random
from typing import Any

import pytest
from django.db import transaction

from campaigns.connectors import mapping
from campaigns.connectors.records import Records
from campaigns.models import Connection, InboundMessage, KnownVersion
from campaigns.services.connections import switch
from campaigns.services.inbound import prune_messages, receive, replay, replay_failed
from campaigns.services.shop_records import record_all
from loyalty.models import Membership, Order, Refund
from members.errors import ConflictError
from members.models import AuditEntry, Customer, OutboxEvent
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details
from rewards.addresses import Address
from rewards.errors import TaskStateError
from rewards.services.fulfillment import advance_task, give_by_hand, undo_step
from tests.campaigns.shops import (
    SECRET,
    connect,
    post,
    shopify,
    shopify_customer,
    shopify_order,
    shopify_refund,
    signature,
    work,
)
from tests.factories import CustomerFactory
from tests.loyalty.factories import NOW, day, make_program, moves, spendable

pytestmark = pytest.mark.django_db
BOB = "207119551"
REDACTION = {
    "shop_id": 954889, "shop_domain": "beans.myshopify.com",
    "customer": {"id": int(BOB), "email": "bob@example.com", "phone": "555-625-1199"},
    "orders_to_redact": [299938],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _coherent(coherent_ledger):
    """Whatever a test here did, it left coherent books."""


@pytest.fixture
def program(db):
    return make_program(at=day(-30))


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
    assert only().errors[0]["message"] == "Send the order in USD."
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


def play(messages: list[tuple[str, dict]]) -> dict:
    """Send them in this order, see what it comes to, and leave nothing behind."""
    with transaction.atomic():
        shop = connect()
        for topic, payload in messages:
            assert shopify(shop, topic, payload) == 202
            work()
        assert not InboundMessage.objects.exclude(state="done").exists()
        found = outcome()
        transaction.set_rollback(True)
    return found


def test_however_messages_come_they_come_to_the_same(program):
    told = history()
    expected = play(told)
    # 18.00 in goods less their part of the tax is what is left of the one; nothing of the other.
    assert expected["units"] > 0
    assert expected["orders"][0][1] == "cancelled"
    assert expected["customers"] == [
        (BOB, "Norman-Reed", "bob@example.com", "+16135551111", "CA")
    ]  # fmt: skip
    assert play(told[::-1]) == expected
    chance = random.Random(7)
    for _trial in range(8):
        shuffled = [*told, *chance.sample(told, 4)]
        chance.shuffle(shuffled)
        assert play(shuffled) == expected


def test_every_order_of_an_order_and_its_changes_comes_to_the_same(program):
    told = [item for item in history() if item[0].startswith(("orders/", "refunds/"))]
    first = [item for item in told if item[1].get("order_number") == 1001 or "order_id" in item[1]]
    first = [item for item in first if "cancelled_at" not in item[1] or not item[1]["cancelled_at"]]
    first = first[:2] + first[-2:]
    outcomes = [play(list(some)) for some in itertools.permutations(first)]
    assert all(found == outcomes[0] for found in outcomes)


# --- Customers ----------------------------------------------------------------------------------


def test_an_account_whose_address_the_shop_vouches_for_is_somebody_known(program):
    ann = CustomerFactory(external_id=None, email="bob@example.com", given_name="B.")
    shop = connect()
    shopify(shop, "orders/create", shopify_order(updated="2024-03-15T08:00:01-04:00"))
    work()
    ann.refresh_from_db()
    assert ann.external_id == BOB
    assert Order.objects.get().customer == ann


def test_an_address_alone_proves_nothing(program):
    CustomerFactory(external_id=None, email="bob@example.com")
    order = shopify_order(updated="2024-03-15T08:00:01-04:00")
    order["customer"]["verified_email"] = False
    shop = connect()
    shopify(shop, "orders/create", order)
    work()
    assert only().state == "failed"
    assert "belongs to another customer" in only().errors[0]["message"].lower()


def test_a_shared_phone_names_one_person(program):
    CustomerFactory(phone="+16135551111")
    shop = connect()
    shopify(shop, "customers/create", shopify_customer(updated="2024-03-14T08:00:00-04:00"))
    work()
    assert Customer.objects.get(external_id=BOB).phone == ""
    assert "phone number" in only().result[0]["note"]


def test_numbers_of_a_second_shop_are_kept_apart(program):
    connect()
    outlet = connect(source="outlet", customer_prefix="out-")
    shopify(outlet, "orders/create", shopify_order(updated="2024-03-15T08:00:01-04:00"))
    work()
    assert Order.objects.get().customer.external_id == f"out-{BOB}"
    with pytest.raises(ConflictError):
        connect(source="third", customer_prefix="out-")


def test_an_account_that_is_gone_stays_gone_and_keeps_what_was_earned(program):
    shop = connect()
    shopify(shop, "orders/create", shopify_order(updated="2024-03-15T08:00:01-04:00"))
    shopify(shop, "customers/delete", {"id": int(BOB)})
    shopify(shop, "customers/update", shopify_customer(updated="2024-03-16T08:00:00-04:00"))
    work()
    assert spendable(BOB) == 26
    assert Customer.objects.get().phone == ""
    assert InboundMessage.objects.get(topic="customers/update").result[0]["outcome"] == "outdated"


def test_who_is_to_be_forgotten_is_erased_here_and_in_the_log(program):
    shop = connect()
    shopify(shop, "customers/create", shopify_customer(updated="2024-03-14T08:00:00-04:00"))
    shopify(shop, "orders/create", shopify_order(updated="2024-03-15T08:00:01-04:00"))
    work()
    shopify(shop, "customers/redact", REDACTION)
    work()
    customer = Customer.objects.get()
    assert (customer.given_name, customer.email, customer.phone) == ("", "", "")
    assert spendable(BOB) == 26
    told = InboundMessage.objects.all()
    assert {(message.state, message.payload) for message in told} == {("done", "")}
    assert told.get(topic="customers/redact").people == []
    entry = AuditEntry.objects.get(action="customer.erased")
    assert (entry.before, entry.actor_label) == (None, "Connection Shopify")
    assert {"email", "family_name"} <= set(entry.after["erased"])


def test_a_message_that_waits_for_somebody_erased_is_emptied_and_passed_over(program):
    shop = connect()
    shopify(shop, "customers/redact", REDACTION)
    shopify(shop, "customers/create", shopify_customer(updated="2024-03-14T08:00:00-04:00"))
    work()
    late = InboundMessage.objects.get(topic="customers/create")
    assert (late.state, late.payload) == ("skipped", "")
    assert "erased" in late.note
    assert not Customer.objects.exists()
    with pytest.raises(ConflictError):
        replay(message=late, actor=SYSTEM)


def test_a_message_of_somebody_else_with_the_same_digits_in_it_is_taken_in(program):
    """The number of who is erased stands in it, as a part of a price and of another's number."""
    shop = connect()
    other = shopify_customer(updated="2024-03-14T08:00:00-04:00") | {
        "id": int(f"9{BOB}"), "email": "eve@example.com", "phone": None,
        "note": f"Called about {BOB}", "total_spent": f"{BOB}.00",
    }  # fmt: skip
    shopify(shop, "customers/redact", REDACTION)
    shopify(shop, "customers/create", other)
    work()
    kept = InboundMessage.objects.get(topic="customers/create")
    assert (kept.state, bool(kept.payload)) == ("done", True)
    assert Customer.objects.get(external_id=f"9{BOB}").email == "eve@example.com"


def test_what_cannot_be_read_is_forgotten_where_their_number_is_a_value_of_it(program):
    shop = connect()
    wrong = {"email": 5, "updated_at": "yesterday"}
    for number in (BOB, f"9{BOB}"):
        shopify(shop, "customers/create", shopify_customer(updated="x") | wrong | {"id": number})
    work()
    assert InboundMessage.objects.filter(state="failed").exclude(payload="").count() == 2
    shopify(shop, "customers/redact", REDACTION)
    work()
    kept = InboundMessage.objects.filter(state="failed").exclude(payload="").get()
    assert json.loads(kept.payload)["id"] == f"9{BOB}"


def test_a_file_with_somebody_erased_and_others_is_taken_in_and_then_forgotten(program):
    tool = tool_with(FIELDS)
    rows = [{"id": "1", "name": "Ana"}, {"id": "11", "name": "Eve"}]
    headers = {"Authorization": f"Bearer {SECRET}"}
    assert post(tool, json.dumps(rows).encode(), headers) == 202
    record_all(tool, Records(forgotten=("1",)), now=NOW, transfer_source="api")
    work()
    row = only()
    assert (row.state, row.payload, row.people) == ("done", "", [])
    assert [(one.external_id, one.given_name) for one in Customer.objects.all()] == [("11", "Eve")]


def test_a_late_order_of_somebody_erased_says_their_number_and_no_more(program):
    somebody = CustomerFactory(external_id=None, email="bob@example.com")
    shop = connect()
    shopify(shop, "customers/redact", REDACTION)
    work()
    shopify(shop, "orders/create", shopify_order(updated="2024-03-15T08:00:01-04:00"))
    work()
    bob = Order.objects.get().customer
    assert (bob.external_id, bob.email, bob.given_name, bob.family_name) == (BOB, "", "", "")
    assert spendable(BOB) == 26
    somebody.refresh_from_db()
    assert (somebody.external_id, somebody.email) == (None, "bob@example.com")


def test_where_parcels_went_is_forgotten_with_the_person(program):
    shop = connect()
    shopify(shop, "orders/create", shopify_order(updated="2024-03-15T08:00:01-04:00"))
    work()
    task = give_by_hand(
        membership=Membership.objects.get(), kind="note", what="A card", words="Thank you",
        address=Address(recipient="Bob", street="1 Oak St", city="Springfield", country="US"),
        key="n1", actor=SYSTEM, now=NOW,
    )  # fmt: skip
    for step in ("packed", "sent"):
        advance_task(task=task, to=step, actor=SYSTEM, now=NOW)
    shopify(shop, "customers/redact", REDACTION)
    work()
    task.refresh_from_db()
    assert task.address is None


@pytest.mark.parametrize("end", ["sent", "canceled"])
def test_a_parcel_that_is_still_to_be_sent_keeps_its_address_until_then(program, end):
    shop = connect()
    shopify(shop, "orders/create", shopify_order(updated="2024-03-15T08:00:01-04:00"))
    work()
    home = Address(recipient="Bob", street="1 Oak St", city="Springfield", country="US")
    task = give_by_hand(
        membership=Membership.objects.get(), kind="surprise", what="A mug", words="",
        address=home, key="s1", actor=SYSTEM, now=NOW,
    )  # fmt: skip
    advance_task(task=task, to="packed", actor=SYSTEM, now=NOW)
    erase_customer_details(customer=Customer.objects.get(), actor=SYSTEM)
    task.refresh_from_db()
    assert task.address["recipient"] == "Bob"
    advance_task(task=task, to=end, actor=SYSTEM, now=NOW)
    task.refresh_from_db()
    assert (task.status, task.address) == (end, None)
    with pytest.raises(TaskStateError):
        undo_step(task=task, actor=SYSTEM, now=NOW)


def test_an_order_that_the_shop_deleted_is_canceled_whatever_comes_late(program):
    shop = connect()
    order = shopify_order(updated="2024-03-15T08:00:01-04:00")
    for messages in itertools.permutations(
        [("orders/create", order), ("orders/delete", {"id": order["id"]}),
         ("orders/updated", order | {"updated_at": "2024-03-16T08:00:00-04:00"})]
    ):  # fmt: skip
        with transaction.atomic():
            for topic, payload in messages:
                shopify(shop, topic, payload)
                work()
            assert Order.objects.get().status == "cancelled"
            assert KnownVersion.objects.get(subject="order").gone
            transaction.set_rollback(True)


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


# --- Bounds -------------------------------------------------------------------------------------


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


FIELDS = {"number": "id", "given_name": "name"}


def tool_with(fields: dict[str, str], rows: str = "") -> Connection:
    tool = connect("mapped")
    tool.mapping = {"what": "customer", "fields": fields, "rows": rows}
    tool.save(update_fields=["mapping"])
    return tool


def tell_tool(tool: Connection, content: Any) -> None:
    body = json.dumps(content).encode()
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
    assert post(tool, body, headers) == 202
    work()


def test_what_becomes_again_what_it_was_is_taken_in_again(program):
    tool = tool_with(FIELDS)
    ann, anna = {"id": "7", "name": "Ann"}, {"id": "7", "name": "Anna"}
    for said in (ann, anna, ann):
        tell_tool(tool, said)
        assert Customer.objects.get(external_id="7").given_name == said["name"]
    # Once more what was told last is a repeat, and so is that of a repeat.
    for _again in range(2):
        tell_tool(tool, ann)
    assert [row.times for row in InboundMessage.objects.order_by("pk")] == [1, 1, 3]
    tell_tool(tool, anna)
    assert Customer.objects.get(external_id="7").given_name == "Anna"
    assert InboundMessage.objects.count() == 4


def test_what_says_when_it_changed_is_ordered_by_that(program):
    tool = tool_with(FIELDS | {"changed_at": "at"})
    old = {"id": "7", "name": "Ann", "at": "2024-03-15T12:00:00Z"}
    new = {"id": "7", "name": "Anna", "at": "2024-03-15T13:00:00Z"}
    for said in (old, new, old):
        tell_tool(tool, said)
    assert Customer.objects.get(external_id="7").given_name == "Anna"
    again = InboundMessage.objects.order_by("-pk")[0]
    assert [item["outcome"] for item in again.result] == ["outdated"]


def test_a_large_document_is_taken_in_part_by_part(program, monkeypatch):
    monkeypatch.setattr(mapping, "MOST_ROWS", 2)
    tool = tool_with(FIELDS, rows="data.people")
    people = [{"id": str(number), "name": f"N{number}"} for number in range(1, 6)]
    for _again in range(2):
        tell_tool(tool, {"page": 1, "data": {"people": people}})
    rows = InboundMessage.objects.order_by("pk")
    assert [(row.state, row.times) for row in rows] == [("done", 2)] * 3
    assert sorted(Customer.objects.values_list("external_id", flat=True)) == list("12345")


@pytest.mark.parametrize("rows", ["", "data.people"])
def test_a_document_of_thousands_of_rows_loses_none(rows):
    people = [{"id": number} for number in range(1_201)]
    content = json.dumps({"data": {"people": people}} if rows else people)
    parts = [mapping.rows_of(part, rows) for part in mapping.split_json(content, rows)]
    assert [len(part) for part in parts] == [500, 500, 201]
    assert [row for part in parts for row in part] == people
