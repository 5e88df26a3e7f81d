"""How ways are set up: whom they are offered to, keys that nobody reads, and a test of them."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from campaigns.channels import channel_named
from campaigns.models import (
    ChannelOutage,
    ChannelSetting,
    Delivery,
)
from campaigns.selectors.consents import choices_of
from campaigns.selectors.ways import setting_of_channel, url_of
from campaigns.services.contact_addresses import name_address
from campaigns.services.ways import (
    WaySettings,
    forget_provider,
    set_way,
    try_way,
)
from members.errors import DomainError
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.campaigns.factories import send, states, tell
from tests.campaigns.receiver import Receiver
from tests.campaigns.ways import NOON, TWILIO, agree, gateway, use, wanting
from tests.factories import CustomerFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]
MINUTE = dt.timedelta(minutes=1)


def test_a_way_that_is_not_set_up_is_offered_to_nobody_and_sends_nothing(
    receiver: Receiver,
) -> None:
    ana = CustomerFactory(phone="+60123456789")
    assert {choice.channel.key for choice in choices_of(ana)} == {"email"}
    with pytest.raises(DomainError, match="no such channel"):
        agree(ana, "sms")
    tell(ana, code="reward_issued", channels=("sms",), at=NOON)
    send(NOON)
    assert states() == [("suppressed", "channel_off")]
    use("sms", gateway(receiver))
    assert {choice.channel.key for choice in choices_of(ana)} == {"email", "sms"}


def test_the_installation_can_name_a_provider(receiver: Receiver, settings: Any) -> None:
    settings.CHANNEL_URLS = {"sms": gateway(receiver)}
    tell(wanting(), channels=("sms",), at=NOON)
    send(NOON)
    assert len(receiver.got) == 1


@pytest.mark.parametrize("channel", ["sms", "webhook"])
def test_keys_that_can_be_read_no_more_lose_nothing(receiver: Receiver, channel: str) -> None:
    """Such as after another key of the installation."""
    url = gateway(receiver) if channel == "sms" else receiver.url
    kept = use(channel, url)
    ChannelSetting.objects.update(url=b"cannot be read", secret=b"neither can this")
    tell(wanting(channel), channels=(channel,), at=NOON)
    send(NOON)
    row = Delivery.objects.get()
    assert (row.state, row.reason) == ("queued", "no_provider")
    assert ChannelOutage.objects.filter(pk=channel).exists()
    assert setting_of_channel(channel).failure.startswith("no_provider")
    kept.save()
    send(NOON + 10 * MINUTE)
    assert states() == [("sent", "")]
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("channel", "address", "host"),
    [
        ("webhook", "https://crm.example/Secretname?key=Secretname", "https://crm.example/…"),
        ("sms", "jsons://gate.example/Secretname?to={to}", "https://gate.example/…"),
    ],
)
def test_of_an_address_of_ones_own_the_log_and_who_only_looks_have_the_host_alone(
    channel: str, address: str, host: str, client_of: Callable[[str], Client]
) -> None:
    row = use(channel, address)
    assert (row.open_hint, url_of(channel)) == (host, address)
    assert "Secretname" not in str(list(AuditEntry.objects.values()))
    where = reverse("messages_backoffice:way_list")
    assert "/Secretname" in client_of("administrator").get(where).content.decode()
    looked = client_of("auditor").get(where).content.decode()
    assert host in looked
    assert "Secretname" not in looked


def test_keys_are_kept_encrypted_and_named_nowhere(receiver: Receiver) -> None:
    row = use("sms", TWILIO)
    row.refresh_from_db()
    assert b"b" * 32 not in bytes(row.url)
    assert url_of("sms") == TWILIO
    assert row.url_hint == "Twilio (twilio)"
    assert "b" * 32 not in str(list(AuditEntry.objects.values()))
    way = channel_named("sms")
    assert way is not None
    set_way(channel=way, wanted=WaySettings(is_on=True, stop_word="END"), actor=SYSTEM)
    assert url_of("sms") == TWILIO
    forget_provider(channel=way, actor=SYSTEM)
    assert url_of("sms") == ""
    assert not setting_of_channel("sms").is_on


def test_a_test_says_what_the_provider_said(receiver: Receiver) -> None:
    use("sms", gateway(receiver))
    way = channel_named("sms")
    assert way is not None
    try_way(channel=way, to="+60123456789", subject="A test", text="It works.", actor=SYSTEM)
    assert receiver.got[0].message["message"] == "It works."
    receiver.answers = (410,)
    with pytest.raises(DomainError, match="HTTP 410"):
        try_way(channel=way, to="+60123456789", subject="", text="It works.", actor=SYSTEM)
    with pytest.raises(DomainError, match="where tests go"):
        try_way(channel=way, to="", subject="", text="It works.", actor=SYSTEM)


def test_the_database_takes_an_address_once(receiver: Receiver) -> None:
    ana, ben = CustomerFactory(), CustomerFactory()
    row = name_address(customer=ana, channel="push", address="t1", actor=SYSTEM, now=NOON)
    with pytest.raises(IntegrityError, match="contact_address_once"), transaction.atomic():
        type(row).objects.create(
            customer=ben, channel="push", address="t1", digest=bytes(row.digest), named_at=NOON
        )
