"""By providers: one engine sends text messages, WhatsApp and to other systems."""

import base64
import datetime as dt
import json
import logging
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
from apprise.plugins.twilio import NotifyTwilio
from standardwebhooks import Webhook

from campaigns.channels import channel_named
from campaigns.models import (
    BlockedAddress,
    ChannelOutage,
    Consent,
    ConsentChange,
    Delivery,
)
from campaigns.selectors.ways import setting_of_channel
from campaigns.services.consents import set_consents
from campaigns.services.contact_addresses import name_address
from campaigns.services.policies import set_policy
from campaigns.services.sending import LEASE
from campaigns.services.ways import (
    renew_signing_secret,
)
from members.services.audit import SYSTEM
from tests.campaigns.factories import send, states, tell, write
from tests.campaigns.receiver import Receiver
from tests.campaigns.ways import NOON, TWILIO, gateway, use, wanting
from tests.factories import CustomerFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]


MINUTE = dt.timedelta(minutes=1)


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
        ("points", "denied"), ("offers", "denied"), ("surveys", "denied"), ("community", "denied"),
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


def test_nothing_of_what_a_provider_is_told_gets_into_the_log(
    twilio: Receiver, root_log: list[logging.LogRecord]
) -> None:
    refuses(twilio, 400, 21211)
    tell(wanting(), channels=("sms",), at=NOON)
    send(NOON)
    assert any("failed" in record.getMessage() for record in root_log)
    assert not any("60123456789" in record.getMessage() for record in root_log)
