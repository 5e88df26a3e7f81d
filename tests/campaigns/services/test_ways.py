"""By providers: one engine sends text messages, WhatsApp, notifications and to other systems."""

import base64
import datetime as dt
import json
import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from apprise.plugins.twilio import NotifyTwilio
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from standardwebhooks import Webhook

from campaigns.channels import channel_named
from campaigns.models import (
    BlockedAddress,
    ChannelOutage,
    ChannelSetting,
    Consent,
    ConsentChange,
    ContactAddress,
    Delivery,
    Message,
)
from campaigns.selectors.consents import choices_of
from campaigns.selectors.ways import setting_of_channel, url_of
from campaigns.services.consents import set_consents
from campaigns.services.contact_addresses import name_address
from campaigns.services.policies import set_policy
from campaigns.services.sending import LEASE
from campaigns.services.ways import (
    WaySettings,
    forget_provider,
    renew_signing_secret,
    set_way,
    try_way,
)
from members.errors import DomainError
from members.models import AuditEntry, Customer
from members.services.audit import SYSTEM
from tests.campaigns.factories import send, states, tell, write
from tests.campaigns.receiver import Receiver
from tests.factories import CustomerFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]

NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
TWILIO = f"twilio://AC{'a' * 32}:{'b' * 32}@+15005550006/{{to}}"


def use(channel: str, url: str, **more: Any) -> ChannelSetting:
    found = channel_named(channel)
    assert found is not None
    more = {"stop_word": "STOP", **more}
    return set_way(channel=found, wanted=WaySettings(is_on=True, url=url, **more), actor=SYSTEM)


def gateway(receiver: Receiver) -> str:
    """A gateway of the merchant's own, which takes JSON."""
    return f"json://127.0.0.1:{receiver.port}/sms?:to={{to}}"


def wanting(channel: str = "sms", **more: Any) -> Customer:
    customer = CustomerFactory(**{"phone": "+60123456789", **more})
    agree(customer, channel)
    return customer


def agree(customer: Customer, channel: str, *, yes: bool = True) -> None:
    wanted = {(channel, "points"): yes}
    set_consents(customer=customer, wanted=wanted, source="staff", actor=SYSTEM, now=NOON)


@pytest.fixture
def twilio(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    """A server on this machine that speaks as Twilio does."""
    where = f"http://127.0.0.1:{receiver.port}/2010-04-01/Accounts/{{sid}}/Messages.json"
    monkeypatch.setattr(NotifyTwilio, "notify_sms_url", where)
    receiver.answers, receiver.text = (201,), b'{"sid": "SM1", "status": "queued"}'
    use("sms", TWILIO)
    return receiver


@pytest.fixture
def root_log() -> Iterator[list[logging.LogRecord]]:
    """All that gets to where the log is written."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield records
    root.setLevel(level)
    root.removeHandler(handler)


def refuses(receiver: Receiver, status: int, code: int) -> None:
    receiver.answers = (status,)
    receiver.text = json.dumps({"code": code, "message": "no", "status": status}).encode()


def test_a_text_message_is_sent_once_and_says_who_writes_and_how_it_ends(
    receiver: Receiver,
) -> None:
    use("sms", gateway(receiver))
    tell(wanting(), channels=("sms",), at=NOON, gift="5 Beans")
    assert send(NOON) == 1
    assert send(NOON + MINUTE) == 0
    [got] = receiver.got
    assert got.message["to"] == "+60123456789"
    assert got.message["title"] == ""
    assert "You were given 5 Beans. From Noah." in got.message["message"]
    assert got.message["message"].endswith("Reply STOP to end.")
    assert states() == [("sent", "")]
    assert setting_of_channel("sms").sent_at == NOON


def test_what_belongs_to_an_order_needs_no_yes_and_has_no_end(receiver: Receiver) -> None:
    use("sms", gateway(receiver))
    tell(CustomerFactory(phone="+60123456789"), code="reward_issued", channels=("sms",), at=NOON)
    send(NOON)
    assert "STOP" not in receiver.got[0].message["message"]


def test_nobody_gets_a_text_message_without_having_said_yes(receiver: Receiver) -> None:
    use("sms", gateway(receiver))
    assert set_policy(changes={}, actor=SYSTEM).assumed_topics == ["points"]
    tell(CustomerFactory(phone="+60123456789"), channels=("sms",), at=NOON)
    send(NOON)
    assert receiver.got == []
    assert states() == [("suppressed", "no_consent")]


def test_the_merchants_own_words_are_sent_in_the_language_of_each(receiver: Receiver) -> None:
    use("sms", gateway(receiver), stop_word="")
    write("gift", "Hadiah", "{{ gift }} untuk anda", channel="sms", locale="ms")
    tell(wanting(locale="ms"), channels=("sms",), at=NOON, gift="5 Beans")
    send(NOON)
    text = receiver.got[0].message["message"]
    assert text.startswith("5 Beans untuk anda")
    assert "/messages/stop/" in text
    assert Delivery.objects.get().version is not None


def test_quiet_hours_and_the_cap_hold_here_too(receiver: Receiver) -> None:
    use("sms", gateway(receiver))
    set_policy(
        changes={"quiet_from": dt.time(11), "quiet_until": dt.time(13), "cap": 1}, actor=SYSTEM
    )
    ana = wanting(country="")
    for name in ("one", "two"):
        tell(ana, name, channels=("sms",), at=NOON)
    send(NOON)
    assert states() == [("queued", "quiet"), ("queued", "quiet")]
    send(NOON + dt.timedelta(hours=9))
    assert len(receiver.got) == 1
    assert sorted(states()) == [("sent", ""), ("suppressed", "cap")]


def test_twilio_takes_it_in_its_own_shape(twilio: Receiver) -> None:
    tell(wanting(), channels=("sms",), at=NOON)
    send(NOON)
    [got] = twilio.got
    form = parse_qs(got.body.decode())
    assert form["To"] == ["+60123456789"]
    assert form["From"] == ["+15005550006"]
    assert got.path == f"/2010-04-01/Accounts/AC{'a' * 32}/Messages.json"
    name, _colon, key = base64.b64decode(got.headers["authorization"][6:]).decode().partition(":")
    assert (name, key) == ("AC" + "a" * 32, "b" * 32)
    assert states() == [("sent", "")]


@pytest.mark.parametrize("code", [21211, 21614])
def test_a_number_that_does_not_exist_is_not_written_to_any_more(
    twilio: Receiver, code: int
) -> None:
    refuses(twilio, 400, code)
    ana = wanting()
    tell(ana, "one", channels=("sms",), at=NOON)
    send(NOON)
    tell(ana, "two", channels=("sms",), at=NOON)
    send(NOON)
    assert len(twilio.got) == 1
    assert states() == [("failed", "address_refused"), ("suppressed", "address_blocked")]
    assert BlockedAddress.objects.get().channel == "sms"
    assert Delivery.objects.first().detail == f"twilio {code}"
    # It says nothing of the provider.
    assert setting_of_channel("sms").failure == ""


def test_who_told_the_provider_to_stop_has_said_no_here_too(twilio: Receiver) -> None:
    refuses(twilio, 400, 21610)
    ana = wanting()
    tell(ana, channels=("sms",), at=NOON)
    send(NOON)
    assert states() == [("failed", "unsubscribed")]
    assert set(Consent.objects.values_list("topic", "state")) == {
        ("points", "denied"), ("offers", "denied"),
    }  # fmt: skip
    assert ConsentChange.objects.first().source == "reply"


@pytest.mark.parametrize(("status", "code"), [(401, 20003), (429, 20429), (503, 20503)])
def test_what_is_wrong_with_the_provider_stops_all_and_loses_nothing(
    twilio: Receiver, status: int, code: int
) -> None:
    refuses(twilio, status, code)
    for number in range(12):
        tell(wanting(phone=f"+601234567{number:02}"), str(number), channels=("sms",), at=NOON)
    send(NOON)
    assert len(twilio.got) == 1
    assert ChannelOutage.objects.get().channel == "sms"
    assert {state for state, _reason in states()} == {"queued"}
    assert setting_of_channel("sms").failure == f"refused twilio {code}"
    twilio.answers = (201,)
    send(NOON + 2 * MINUTE)
    assert {state for state, _reason in states()} == {"sent"}
    assert not ChannelOutage.objects.exists()


def test_a_line_that_hangs_leaves_one_uncertain(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    use("sms", f"{gateway(receiver)}&rto=0.3")
    receiver.pause = 1.5
    for number in range(3):
        tell(wanting(phone=f"+6012345678{number}"), str(number), channels=("sms",), at=NOON)
    send(NOON)
    assert sorted(states()) == [("queued", ""), ("queued", ""), ("uncertain", "unclear")]
    receiver.pause = 0
    send(NOON + MINUTE)
    assert len({got.message["to"] for got in receiver.got}) == len(receiver.got) == 3


def test_nobody_listens_there(receiver: Receiver) -> None:
    use("sms", "json://127.0.0.1:9/sms?:to={to}")
    tell(wanting(), channels=("sms",), at=NOON)
    send(NOON)
    assert states() == [("queued", "no_provider")]


def test_a_worker_that_died_leaves_text_messages_uncertain_and_sends_other_systems_again(
    receiver: Receiver,
) -> None:
    use("sms", gateway(receiver))
    use("webhook", receiver.url)
    ana = wanting()
    tell(ana, channels=("sms", "webhook"), at=NOON)
    Delivery.objects.update(
        state="sending", handed_over_at=NOON, available_at=NOON + LEASE, attempts=1
    )
    send(NOON + LEASE + MINUTE)
    assert dict(Delivery.objects.values_list("channel", "state")) == {
        "sms": "uncertain", "webhook": "sent",
    }  # fmt: skip
    assert len(receiver.got) == 1


def test_another_system_gets_a_signed_message_under_one_id(receiver: Receiver) -> None:
    use("webhook", receiver.url)
    way = channel_named("webhook")
    assert way is not None
    secret = renew_signing_secret(channel=way, actor=SYSTEM)
    receiver.answers = (503, 200)
    ana = CustomerFactory(external_id="C-1")
    tell(ana, channels=("webhook",), at=NOON, gift="5 Beans")
    send(NOON)
    assert states() == [("queued", "refused")]
    send(NOON + MINUTE)
    assert states() == [("sent", "")]
    first, second = receiver.got
    assert first.id == second.id == str(Delivery.objects.get().public_id)
    told = Webhook(secret).verify(second.body, second.headers)["data"]
    assert (told["external_id"], told["occasion"]) == ("C-1", "gift")
    assert told["values"]["gift"] == "5 Beans"
    with pytest.raises(Exception, match="signature"):
        Webhook("whsec_" + base64.b64encode(b"x" * 32).decode()).verify(second.body, second.headers)


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


def test_whatsapp_goes_to_its_own_number_else_to_the_phone(receiver: Receiver) -> None:
    use("whatsapp", gateway(receiver))
    ana, ben = wanting("whatsapp"), wanting("whatsapp", phone="+60123456780")
    name_address(
        customer=ben, channel="whatsapp", address="+60 19-876 5432", actor=SYSTEM, now=NOON
    )
    for one in (ana, ben):
        tell(one, str(one.pk), channels=("whatsapp",), at=NOON)
    send(NOON)
    assert {got.message["to"] for got in receiver.got} == {"+60123456789", "+60198765432"}


def test_a_yes_is_confirmed_by_a_message_there(receiver: Receiver) -> None:
    use("sms", gateway(receiver))
    ana = CustomerFactory(phone="+60123456789")
    set_consents(
        customer=ana, wanted={("sms", "points"): True}, source="account", actor=SYSTEM, now=NOON
    )
    assert Consent.objects.get().state == "asked"
    send(NOON)
    assert "/messages/confirm/" in receiver.got[0].message["message"]


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


def test_nothing_of_what_a_provider_is_told_gets_into_the_log(
    twilio: Receiver, root_log: list[logging.LogRecord]
) -> None:
    refuses(twilio, 400, 21211)
    tell(wanting(), channels=("sms",), at=NOON)
    send(NOON)
    assert any("failed" in record.getMessage() for record in root_log)
    assert not any("60123456789" in record.getMessage() for record in root_log)


def test_the_database_takes_an_address_once(receiver: Receiver) -> None:
    ana, ben = CustomerFactory(), CustomerFactory()
    row = name_address(customer=ana, channel="push", address="t1", actor=SYSTEM, now=NOON)
    with pytest.raises(IntegrityError, match="contact_address_once"), transaction.atomic():
        type(row).objects.create(
            customer=ben, channel="push", address="t1", digest=bytes(row.digest), named_at=NOON
        )
