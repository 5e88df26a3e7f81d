"""Notifications on devices: each is told once, and none that is gone or somebody else's."""

import datetime as dt
from collections import Counter
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from campaigns.channels import channel_named
from campaigns.models import (
    ContactAddress,
    Delivery,
    Message,
)
from campaigns.services.contact_addresses import name_address
from campaigns.services.policies import set_policy
from members.models import Customer
from members.services.audit import SYSTEM
from tests.campaigns.factories import send, states, tell
from tests.campaigns.receiver import Receiver
from tests.campaigns.ways import NOON, gateway, use
from tests.factories import CustomerFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]
MINUTE = dt.timedelta(minutes=1)


def with_devices(*tokens: str) -> Customer:
    ana = CustomerFactory()
    for number, token in enumerate(tokens):
        name_address(
            customer=ana, channel="push", address=token, actor=SYSTEM, now=NOON + number * MINUTE
        )
    return ana


def sent_to(receiver: Receiver) -> list[str]:
    return [got.message["to"] for got in receiver.got]


def test_a_notification_goes_to_each_device_once(receiver: Receiver) -> None:
    use("push", gateway(receiver))
    ana = with_devices("phone", "tablet")
    tell(ana, "one", channels=("push",), at=NOON)
    # Told again it is the same.
    tell(ana, "one", channels=("push",), at=NOON)
    assert send(NOON) == 2
    assert send(NOON + MINUTE) == 0
    assert sorted(sent_to(receiver)) == ["phone", "tablet"]
    assert receiver.got[1].message["title"] == "You were given 50 Beans"
    told = Delivery.objects.order_by("pk").values_list("device", "state")
    devices = ContactAddress.objects.order_by("pk").values_list("public_id", flat=True)
    assert list(told) == [(device, "sent") for device in devices]
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.create(
            message=Message.objects.get(), channel="push", state="queued", priority=1,
            available_at=NOON, device=devices[0],
        )  # fmt: skip


def test_a_device_that_is_gone_keeps_no_other_from_being_told(receiver: Receiver) -> None:
    use("push", gateway(receiver))
    ana = with_devices("old", "new")
    receiver.answers = (404, 200)
    tell(ana, "one", channels=("push",), at=NOON)
    send(NOON)
    assert states() == [("failed", "address_refused"), ("sent", "")]
    # It is not told any more, and what was written before it went away goes nowhere.
    tell(ana, "two", channels=("push",), at=NOON)
    ana.contact_addresses.filter(address="new").delete()
    send(NOON)
    assert sent_to(receiver) == ["old", "new"]
    assert states(message__occurrence="two") == [("suppressed", "no_address")]


def test_a_device_that_is_somebody_elses_by_then_is_not_told(receiver: Receiver) -> None:
    use("push", gateway(receiver))
    ana, ben = with_devices("shared"), CustomerFactory()
    tell(ana, "one", channels=("push",), at=NOON)
    name_address(customer=ben, channel="push", address="shared", actor=SYSTEM, now=NOON)
    send(NOON)
    assert not receiver.got
    assert states() == [("suppressed", "no_address")]


def test_who_has_no_device_when_it_is_written_is_told_on_the_first(receiver: Receiver) -> None:
    use("push", gateway(receiver))
    ana = CustomerFactory()
    tell(ana, "one", channels=("push",), at=NOON)
    name_address(customer=ana, channel="push", address="late", actor=SYSTEM, now=NOON)
    send(NOON)
    assert sent_to(receiver) == ["late"]


def test_several_devices_count_once_against_how_often_somebody_is_told(receiver: Receiver) -> None:
    use("push", gateway(receiver))
    set_policy(changes={"cap": 2}, actor=SYSTEM)
    ana = with_devices("phone", "tablet")
    for number in ("one", "two", "three"):
        tell(ana, number, channels=("push",), at=NOON)
    send(NOON)
    assert Counter(states()) == {("sent", ""): 4, ("suppressed", "cap"): 2}


def test_each_device_costs_no_query_of_its_own(receiver: Receiver) -> None:
    use("push", gateway(receiver))
    counts = []
    tell(with_devices("warm"), "warm", channels=("push",), at=NOON)
    send(NOON)
    for number, devices in enumerate((["a"], [f"b{n}" for n in range(9)])):
        ana = with_devices(*devices)
        with CaptureQueriesContext(connection) as caught:
            tell(ana, f"told-{number}", channels=("push",), at=NOON)
            send(NOON)
        counts.append(len(caught))
    assert counts[1] == counts[0]


def test_devices_of_many_cost_as_many_queries_as_those_of_one(
    receiver: Receiver, django_assert_max_num_queries: Any
) -> None:
    use("push", gateway(receiver))
    way = channel_named("push")
    assert way is not None
    people = [CustomerFactory() for _ in range(8)]
    for one in people:
        name_address(customer=one, channel="push", address=f"t{one.pk}", actor=SYSTEM, now=NOON)
    with django_assert_max_num_queries(1):
        assert len(way.addresses_of(people)) == 8
