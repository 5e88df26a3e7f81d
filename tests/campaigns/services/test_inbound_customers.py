"""Whom shops tell of: known people, strangers, and those who are to be forgotten."""

import json

import pytest

from campaigns.connectors.records import Records
from campaigns.models import InboundMessage
from campaigns.services.inbound import replay
from campaigns.services.shop_records import record_all
from loyalty.models import Membership, Order
from members.errors import ConflictError
from members.models import AuditEntry, Customer
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details
from rewards.addresses import Address
from rewards.errors import TaskStateError
from rewards.services.fulfillment import advance_task, give_by_hand, undo_step
from tests.campaigns.shops import (
    BOB,
    FIELDS,
    SECRET,
    connect,
    post,
    shopify,
    shopify_customer,
    shopify_order,
    tool_with,
    work,
)
from tests.factories import CustomerFactory
from tests.loyalty.factories import NOW, day, make_program, spendable
from tests.sharing import anew, shared

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


REDACTION = {
    "shop_id": 954889, "shop_domain": "beans.myshopify.com",
    "customer": {"id": int(BOB), "email": "bob@example.com", "phone": "555-625-1199"},
    "orders_to_redact": [299938],
}  # fmt: skip


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
