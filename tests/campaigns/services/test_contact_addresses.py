"""Devices and numbers of their own by which members are reached."""

import datetime as dt

import pytest

from campaigns.models import BlockedAddress, Consent, ContactAddress, Delivery
from campaigns.selectors.ways import contact_addresses_of, named_addresses
from campaigns.services.blocked_addresses import block_address
from campaigns.services.consents import set_consents
from campaigns.services.contact_addresses import name_address, remove_address
from campaigns.topics import choosable_topics
from members.errors import ConflictError, DomainError
from members.models import AuditEntry, Customer
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details
from members.services.merging import merge_customers, undo_merge
from tests.campaigns.factories import tell
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def name(
    customer: Customer, address: str, channel: str = "push", at: dt.datetime = NOON
) -> ContactAddress:
    return name_address(
        customer=customer, channel=channel, address=address, label="Pixel", actor=SYSTEM, now=at
    )


def test_the_same_again_changes_nothing_but_the_order() -> None:
    ana = CustomerFactory()
    first = name(ana, "one")
    name(ana, "two", at=NOON + DAY)
    assert name(ana, "one", at=NOON + 2 * DAY).pk == first.pk
    assert named_addresses("push", [ana]) == {ana.pk: "one"}
    assert AuditEntry.objects.filter(action="address.named").count() == 2


def test_a_device_goes_with_who_signs_in_on_it() -> None:
    ana, ben = CustomerFactory(), CustomerFactory()
    name(ana, "one")
    name(ben, "one", at=NOON + DAY)
    assert named_addresses("push", [ana, ben]) == {ben.pk: "one"}


def test_a_number_of_somebody_else_is_refused_and_another_one_takes_the_place() -> None:
    ana, ben = CustomerFactory(), CustomerFactory()
    name(ana, "+60 12-345 6789", "whatsapp")
    with pytest.raises(ConflictError, match="already"):
        name(ben, "+60123456789", "whatsapp")
    name(ana, "+60123456780", "whatsapp", NOON + DAY)
    assert list(contact_addresses_of(ana).values_list("address", flat=True)) == ["+60123456780"]


def test_a_device_that_did_not_work_does_when_it_is_named_again() -> None:
    ana = CustomerFactory()
    name(ana, "one")
    block_address(channel="push", address="one", reason="bounced", now=NOON)
    assert named_addresses("push", [ana]) == {}
    name(ana, "one", at=NOON + DAY)
    assert not BlockedAddress.objects.exists()
    assert named_addresses("push", [ana]) == {ana.pk: "one"}


@pytest.mark.parametrize(
    "address", ["#All", "@ben", "one,#All", "one;two", "%23All", "'x'", "ben@example.com"]
)
def test_what_providers_take_for_a_group_or_somebody_else_is_no_device(address: str) -> None:
    with pytest.raises(DomainError) as caught:
        name(CustomerFactory(), address)
    assert caught.value.errors[0].field == "address"
    assert not ContactAddress.objects.exists()


@pytest.mark.parametrize(
    "address",
    ["_cXy-1:APA91bH_0-9=", "8f7a0c2e-5d1b-4c1f-9a51-0d2f4a3b2c1d", "https://push.example/a~b+c"],
)
def test_keys_as_providers_draw_them_are_taken(address: str) -> None:
    assert name(CustomerFactory(), address).address == address


@pytest.mark.parametrize(
    ("channel", "address", "field"),
    [("push", "", "address"), ("push", "a b", "address"), ("push", "x" * 501, "address"),
     ("whatsapp", "12", "address"), ("sms", "+60123456789", "channel")],
)  # fmt: skip
def test_what_is_no_address_is_refused(channel: str, address: str, field: str) -> None:
    with pytest.raises(DomainError) as caught:
        name(CustomerFactory(), address, channel)
    assert caught.value.errors[0].field == field


def test_it_is_removed_and_forgotten_with_the_person() -> None:
    ana = CustomerFactory()
    row = name(ana, "one")
    remove_address(address=row, actor=SYSTEM)
    remove_address(address=row, actor=SYSTEM)
    assert AuditEntry.objects.filter(action="address.removed").count() == 1
    name(ana, "two")
    erase_customer_details(customer=ana, actor=SYSTEM)
    assert not ContactAddress.objects.exists()


def test_who_is_forgotten_is_told_nothing_that_waits_or_can_be_declined() -> None:
    ana = CustomerFactory(email="ana@example.com")
    wanted = {("email", choosable_topics()[0].code): True}
    set_consents(customer=ana, wanted=wanted, source="staff", actor=SYSTEM, now=NOON)
    tell(ana)
    erase_customer_details(customer=ana, actor=SYSTEM)
    told = Delivery.objects.get()
    assert (told.state, told.reason) == ("suppressed", "no_address")
    assert Consent.objects.get().state == "denied"


def test_a_merge_takes_them_along_and_back() -> None:
    kept, merged = CustomerFactory(), CustomerFactory()
    name(kept, "one")
    name(merged, "two")
    merge, _known = merge_customers(
        kept=kept, merged=merged, actor=SYSTEM, source="api", reason="same", now=NOON
    )
    assert set(contact_addresses_of(kept).values_list("address", flat=True)) == {"one", "two"}
    undo_merge(merge=merge, actor=SYSTEM, source="api", now=NOON)
    assert list(contact_addresses_of(merged).values_list("address", flat=True)) == ["two"]
