"""What providers tell of text messages and WhatsApp, each as it does: signed, by its own name for
the message, by a mapping that is kept with the way."""

import base64
import datetime as dt
import hmac
import json
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from apprise.plugins.twilio import NotifyTwilio
from apprise.plugins.whatsapp import NotifyWhatsApp
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from campaigns.channels import channel_named
from campaigns.models import BlockedAddress, ChannelSetting, Consent, Delivery, EarlyReceipt
from campaigns.receipt_mappings import PRESETS, ReceiptMapping
from campaigns.receipt_signatures import word_for_meta
from campaigns.selectors.figures import figures_of_occasion
from campaigns.services import provider_receipts, sending
from campaigns.services.early_receipts import keep_early, prune_early
from campaigns.services.receipt_settings import set_receipts
from campaigns.services.ways import forget_provider
from members.errors import DomainError
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.campaigns.factories import send, states, tell
from tests.campaigns.receiver import Receiver
from tests.campaigns.ways import TWILIO, gateway, use, wanting

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]
TOKEN = "b" * 32


def told_by(channel: str, mapping: ReceiptMapping | None, secret: str = "") -> str:
    way = channel_named(channel)
    assert way is not None
    return set_receipts(channel=way, wanted=mapping, secret=secret, actor=SYSTEM)


@pytest.fixture
def twilio(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    where = f"http://127.0.0.1:{receiver.port}/Accounts/{{sid}}/Messages.json"
    monkeypatch.setattr(NotifyTwilio, "notify_sms_url", where)
    receiver.answers, receiver.text = (201,), b'{"sid": "SM1", "status": "queued"}'
    use("sms", TWILIO)
    told_by("sms", PRESETS["twilio"], TOKEN)
    return receiver


@pytest.fixture
def meta(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    where = f"http://127.0.0.1:{receiver.port}/{{fb_ver}}/{{phone_id}}/messages"
    monkeypatch.setattr(NotifyWhatsApp, "notify_url", where)
    receiver.text = b'{"messages": [{"id": "wamid.1"}]}'
    use("whatsapp", "whatsapp://TOKEN@12345/{to}")
    told_by("whatsapp", PRESETS["meta"], TOKEN)
    return receiver


def sent(channel: str = "sms") -> Delivery:
    tell(wanting(channel), channels=(channel,))
    send()
    return Delivery.objects.get()


def by_twilio(status: str, *, name: str = "SM1", token: str = TOKEN, **more: str) -> int:
    """Signed as https://www.twilio.com/docs/usage/security says."""
    form = {"MessageSid": name, "MessageStatus": status, "To": "+60123456789", **more}
    url = "http://localhost:8000/messages/receipts/sms/"
    said = url + "".join(f"{key}{form[key]}" for key in sorted(form))
    signature = base64.b64encode(hmac.digest(token.encode(), said.encode(), "sha1")).decode()
    answer = Client().post(
        "/messages/receipts/sms/", urlencode(form),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature},
    )  # fmt: skip
    return answer.status_code


def by_meta(value: dict[str, Any], *, token: str = TOKEN) -> int:
    body = json.dumps({"entry": [{"changes": [{"value": value}]}]})
    signature = hmac.new(token.encode(), body.encode(), "sha256").hexdigest()
    answer = Client().post(
        "/messages/receipts/whatsapp/", body, content_type="application/json",
        headers={"X-Hub-Signature-256": f"sha256={signature}"},
    )  # fmt: skip
    return answer.status_code


def test_twilio_is_told_where_to_tell_it_and_what_it_tells_is_counted(twilio: Receiver) -> None:
    row = sent()
    form = parse_qs(twilio.got[0].body.decode())
    assert form["StatusCallback"] == ["http://localhost:8000/messages/receipts/sms/"]
    assert form["To"] == ["+60123456789"]
    assert row.reference == "SM1"
    assert by_twilio("sent") == 204
    row.refresh_from_db()
    assert row.delivered_at is None
    assert by_twilio("delivered") == 204
    row.refresh_from_db()
    first = row.delivered_at
    assert first is not None
    assert by_twilio("delivered") == 204
    row.refresh_from_db()
    assert row.delivered_at == first
    figures = figures_of_occasion("gift", days=7, now=timezone.now())
    assert figures.by_channel["sms"].delivered == 1


@pytest.mark.parametrize(
    ("status", "why", "state", "blocked"),
    [("undelivered", "30008", ("failed", "undelivered"), 0),
     ("failed", "", ("failed", "refused"), 0),
     ("undelivered", "30005", ("failed", "bounced"), 1)],
)  # fmt: skip
def test_what_did_not_arrive_fails_and_a_number_that_is_none_is_left_alone(
    twilio: Receiver, status: str, why: str, state: tuple[str, str], blocked: int
) -> None:
    sent()
    assert by_twilio(status, ErrorCode=why) == 204
    assert states() == [state]
    assert BlockedAddress.objects.count() == blocked
    # What is told late does not make it good again.
    assert by_twilio("delivered") == 204
    assert states() == [state]


def test_only_the_provider_is_believed(twilio: Receiver) -> None:
    row = sent()
    assert by_twilio("delivered", token="c" * 32) == 401
    plain = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    assert Client().post("/messages/receipts/sms/", plain).status_code == 401
    row.refresh_from_db()
    assert row.delivered_at is None
    told_by("sms", None)
    assert by_twilio("delivered") == 404


def test_what_is_told_before_it_is_written_down_is_followed_then(twilio: Receiver) -> None:
    assert by_twilio("delivered") == 204
    assert by_twilio("delivered", name="SM-of-somebody") == 204
    row = sent()
    assert row.delivered_at is not None
    assert EarlyReceipt.objects.get().reference == "SM-of-somebody"
    assert prune_early(now=timezone.now()) == 0
    assert prune_early(now=timezone.now() + dt.timedelta(days=2)) == 1


def test_meta_asks_for_the_word_and_tells_many_at_once(meta: Receiver) -> None:
    row = sent("whatsapp")
    assert row.reference == "wamid.1"
    ask = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}
    word = word_for_meta("whatsapp")
    address = "/messages/receipts/whatsapp/"
    answer = Client().get(address, {**ask, "hub.verify_token": word})
    assert (answer.status_code, answer.content) == (200, b"1158201444")
    assert answer["Content-Type"].startswith("text/plain")
    assert Client().get(address, {**ask, "hub.verify_token": "x"}).status_code == 403
    assert Client().get("/messages/receipts/sms/", {"hub.verify_token": word}).status_code == 403
    statuses = [{"id": "wamid.9", "status": "read"}, {"id": "wamid.1", "status": "delivered"}]
    assert by_meta({"statuses": statuses}, token="c" * 32) == 401
    assert by_meta({"statuses": statuses}) == 204
    row.refresh_from_db()
    assert row.delivered_at is not None


def test_a_stop_that_comes_to_the_same_address_ends_it(meta: Receiver) -> None:
    ana = sent("whatsapp").message.customer
    said = Consent.objects.filter(customer=ana, channel="whatsapp", state="denied")
    message = {"from": "60123456789", "text": {"body": "what is this"}}
    assert by_meta({"messages": [message]}) == 204
    assert not said.exists()
    assert by_meta({"messages": [{**message, "text": {"body": "Stop."}}]}) == 204
    assert said.filter(topic="points").exists()


def test_another_provider_tells_our_name_with_a_key_in_words_of_its_own(
    receiver: Receiver,
) -> None:
    use("sms", gateway(receiver) + "&:reference={id}")
    mapping = ReceiptMapping(
        rows="results", id="ref", status="state.group", delivered=("OK",), failed=("KO",)
    )
    key = told_by("sms", mapping)
    row = sent()
    body = json.dumps({"results": [{"ref": str(row.public_id), "state": {"group": "ok"}}, 7, {}]})

    def post(body: str, **headers: str) -> int:
        return (
            Client()
            .post("/messages/receipts/sms/", body, content_type="application/json", headers=headers)
            .status_code
        )

    assert post(body, Authorization="Bearer wrong") == 401
    assert post("{", Authorization=f"Bearer {key}") == 400
    assert post(body, Authorization=f"Bearer {key}") == 204
    row.refresh_from_db()
    assert row.delivered_at is not None
    signature = hmac.new(key.encode(), body.encode(), "sha256").hexdigest()
    assert post(body, **{"X-Setia-Signature": f"sha256={signature}"}) == 204
    # What is kept is the mapping; the key is not in the log.
    entry = AuditEntry.objects.get(action="channel.receipts")
    assert key not in json.dumps(entry.after)


def test_what_one_provider_signs_with_says_nothing_of_another() -> None:
    with pytest.raises(DomainError):
        told_by("sms", PRESETS["twilio"])
    told_by("sms", PRESETS["twilio"], TOKEN)
    assert told_by("sms", PRESETS["twilio"]) == ""
    with pytest.raises(DomainError):
        told_by("sms", PRESETS["meta"])
    other = ReceiptMapping(id="ref", status="state")
    first = told_by("sms", other)
    assert first.startswith("whsec_")
    assert told_by("sms", other) == ""


@pytest.mark.parametrize("coding", ["utf-16", "utf-8"])
def test_what_cannot_be_signed_as_twilio_does_is_not_believed(
    twilio: Receiver, coding: str
) -> None:
    """Neither letters that no form has, nor more fields than are read."""
    row = sent()
    body = json.dumps({"MessageSid": "SM1", "MessageStatus": "delivered", "more": "&a=1" * 200})
    without: dict[str, str] = {}
    for headers in (without, {"X-Twilio-Signature": ""}):
        answer = Client().post(
            "/messages/receipts/sms/", body.encode(coding), content_type="application/json",
            headers=headers,
        )  # fmt: skip
        assert answer.status_code == 401
    row.refresh_from_db()
    assert row.delivered_at is None


def test_what_is_told_while_the_name_is_written_down_is_not_lost(
    twilio: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker looks for what was told before, as it is being kept, and finds nothing yet."""
    row = sent()
    Delivery.objects.update(reference="")

    def late(**told: Any) -> None:
        keep_early(**told)
        Delivery.objects.update(reference="SM1")

    monkeypatch.setattr(provider_receipts, "keep_early", late)
    assert by_twilio("delivered") == 204
    row.refresh_from_db()
    assert row.delivered_at is not None
    assert not EarlyReceipt.objects.exists()


def test_a_number_is_kept_early_only_where_nothing_is_to_be_sent_any_more(
    twilio: Receiver,
) -> None:
    assert by_twilio("delivered", name="SM-of-one") == 204
    assert by_twilio("undelivered", name="SM-of-two", ErrorCode="30005") == 204
    kept = dict(EarlyReceipt.objects.values_list("reference", "address"))
    assert kept == {"SM-of-one": "", "SM-of-two": "+60123456789"}


def test_what_was_not_begun_is_given_back_even_if_receipts_cannot_be_followed(
    twilio: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_told: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(sending, "follow_early", broken)
    twilio.answers = (201, 503)
    for number in range(3):
        tell(wanting(phone=f"+6012345678{number}"), f"{number}", channels=("sms",))
    with pytest.raises(OperationalError):
        send()
    assert sorted(state for state, _reason in states()) == ["queued", "queued", "sent"]


def test_only_twilio_is_told_where_to_tell_it(meta: Receiver) -> None:
    """Also where what is said of receipts is still that of the provider before."""
    told_by("whatsapp", PRESETS["twilio"], TOKEN)
    sent("whatsapp")
    assert meta.got[0].message["to"] == "+60123456789"


def test_forgetting_a_provider_forgets_what_it_signs_with(twilio: Receiver) -> None:
    row = sent()
    way = channel_named("sms")
    assert way is not None
    forget_provider(channel=way, actor=SYSTEM)
    setting = ChannelSetting.objects.get(pk="sms")
    assert (bytes(setting.secret), setting.receipts) == (b"", {})
    assert by_twilio("delivered") == 404
    row.refresh_from_db()
    assert row.delivered_at is None


def test_a_number_that_meta_lets_only_some_be_tried_with_is_not_blocked(meta: Receiver) -> None:
    """An account that is being tried out may write to a few numbers alone."""
    sent("whatsapp")
    failed = {"id": "wamid.1", "status": "failed", "recipient_id": "60123456789"}
    assert by_meta({"statuses": [failed | {"errors": [{"code": 131030}]}]}) == 204
    assert states() == [("failed", "refused")]
    assert not BlockedAddress.objects.exists()


def test_the_button_by_which_whatsapp_lets_members_decline_ends_it(meta: Receiver) -> None:
    ana = sent("whatsapp").message.customer
    said = Consent.objects.filter(customer=ana, channel="whatsapp", state="denied")
    pressed = {"from": "60123456789", "type": "button", "button": {"payload": "x", "text": "Stop"}}
    assert by_meta({"messages": [pressed]}) == 204
    assert said.filter(topic="points").exists()
