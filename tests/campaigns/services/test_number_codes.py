"""A number that somebody names is used once they have shown by a code that it is theirs."""

import datetime as dt

import pytest

from campaigns.models import ContactAddress, Delivery, Message
from campaigns.selectors.ways import contact_addresses_of, named_addresses
from campaigns.services.contact_addresses import name_address
from campaigns.services.number_codes import (
    BETWEEN,
    LASTS,
    MOST_CODES,
    MOST_TRIES,
    code_of,
    confirm_number,
    send_code,
)
from members.errors import ConflictError, DomainError
from members.models import AuditEntry, Customer
from members.services.audit import SYSTEM
from tests.campaigns.factories import send, states, tell
from tests.campaigns.receiver import Receiver
from tests.campaigns.ways import gateway, use
from tests.factories import CustomerFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]
NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
OLD, NEW = "+60123456780", "+60123456789"


@pytest.fixture(autouse=True)
def _way(request: pytest.FixtureRequest) -> None:
    if "receiver" in request.fixturenames:
        use("whatsapp", gateway(request.getfixturevalue("receiver")))


def name(customer: Customer, number: str = NEW, at: dt.datetime = NOON) -> ContactAddress:
    return name_address(
        customer=customer, channel="whatsapp", address=number, actor=SYSTEM, now=at, vouched=False
    )


def confirm(row: ContactAddress, code: str, at: dt.datetime = NOON) -> ContactAddress:
    return confirm_number(address=row, code=code, actor=SYSTEM, now=at)


def wrong(row: ContactAddress) -> str:
    return f"{(int(code_of(row)) + 1) % 10**6:06}"


def unlike(row: ContactAddress, before: str, at: dt.datetime) -> tuple[ContactAddress, dt.datetime]:
    """The address with a code that is not the one before, and since when it is: of a million codes
    one is the same."""
    while code_of(row) == before:
        at += BETWEEN
        row = send_code(address=row, now=at)
    return row, at


def used(customer: Customer) -> str | None:
    return named_addresses("whatsapp", [customer]).get(customer.pk)


def test_the_code_goes_to_the_number_and_what_is_told_does_not_until_it_was_typed(
    receiver: Receiver,
) -> None:
    ana = CustomerFactory(phone=OLD)
    row = name(ana)
    tell(ana, code="reward_issued", channels=("whatsapp",), at=NOON)
    send(NOON)
    first, second = receiver.got
    assert (first.message["to"], second.message["to"]) == (NEW, OLD)
    assert f"{code_of(row)} is your code" in first.message["message"]
    confirm(row, f" {code_of(row)[:3]} {code_of(row)[3:]} ")
    tell(ana, "two", code="reward_issued", channels=("whatsapp",), at=NOON)
    send(NOON)
    assert receiver.got[2].message["to"] == NEW
    assert AuditEntry.objects.filter(action="address.confirmed").count() == 1


def test_one_that_was_shown_stays_until_another_is(receiver: Receiver) -> None:
    ana = CustomerFactory()
    first = name(ana, OLD)
    confirm(first, code_of(first))
    second = name(ana, NEW, NOON + BETWEEN)
    assert used(ana) == OLD
    confirm(second, code_of(second), NOON + BETWEEN)
    assert used(ana) == NEW
    assert contact_addresses_of(ana).count() == 1


def test_a_number_that_nobody_has_shown_to_be_theirs_can_be_named_by_its_owner(
    receiver: Receiver,
) -> None:
    ana, ben = CustomerFactory(), CustomerFactory()
    claimed = name(ana)
    code = code_of(claimed)
    row = name(ben, at=NOON + BETWEEN)
    assert (row.pk, row.customer_id) == (claimed.pk, ben.pk)
    row, at = unlike(row, code, NOON + BETWEEN)
    with pytest.raises(DomainError):
        confirm(row, code, at)
    confirm(row, code_of(row), at)
    with pytest.raises(ConflictError, match="already"):
        name(ana, at=at + BETWEEN)


def test_a_code_ends_with_its_time_its_tries_and_the_next_one(receiver: Receiver) -> None:
    ana = CustomerFactory()
    row = name(ana)
    first = code_of(row)
    with pytest.raises(ConflictError, match="does not count"):
        confirm(row, first, NOON + LASTS)
    for _try in range(MOST_TRIES):
        with pytest.raises(DomainError, match="not the code"):
            confirm(row, wrong(row))
    with pytest.raises(ConflictError, match="does not count"):
        confirm(row, first)
    row = send_code(address=row, now=NOON + BETWEEN)
    row, at = unlike(row, first, NOON + BETWEEN)
    with pytest.raises(DomainError, match="not the code"):
        confirm(row, first, at)
    confirm(row, code_of(row), at)
    assert used(ana) == NEW


def test_nobody_is_bothered_by_many_codes(receiver: Receiver) -> None:
    ana = CustomerFactory()
    row = name(ana)
    # At once it is the same one, as after a double click.
    assert send_code(address=row, now=NOON).code_at == row.code_at
    for number in range(1, MOST_CODES):
        send_code(address=row, now=NOON + number * BETWEEN)
    with pytest.raises(ConflictError, match="tomorrow"):
        send_code(address=row, now=NOON + MOST_CODES * BETWEEN)
    # Neither by another number, nor by naming it anew.
    with pytest.raises(ConflictError, match="tomorrow"):
        name(ana, OLD, NOON + MOST_CODES * BETWEEN)
    assert Message.objects.count() == MOST_CODES
    assert send_code(address=row, now=NOON + dt.timedelta(days=2)).code_tries == 0


def test_what_the_shop_says_needs_no_code(receiver: Receiver) -> None:
    ana = CustomerFactory()
    name(ana)
    row = name_address(customer=ana, channel="whatsapp", address=NEW, actor=SYSTEM, now=NOON)
    assert (row.code_at, used(ana)) == (None, NEW)


def test_a_code_that_was_not_sent_in_time_is_not_sent(receiver: Receiver) -> None:
    name(CustomerFactory())
    send(NOON + LASTS)
    assert not receiver.got
    assert states() == [("suppressed", "too_late")]


def test_where_nothing_can_be_sent_nothing_is_named(db: None) -> None:
    with pytest.raises(ConflictError, match="yet"):
        name(CustomerFactory())
    assert not ContactAddress.objects.exists()
    assert not Delivery.objects.exists()
