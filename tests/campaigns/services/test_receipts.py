"""A gateway or a system of the merchant's own tells what became of a message: signed, by our name
for it, each thing once."""

import datetime as dt
import json
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from campaigns.channels import channel_named
from campaigns.models import BlockedAddress, Delivery
from campaigns.services.ways import renew_signing_secret
from members.services.audit import SYSTEM
from tests.campaigns.factories import send, states, tell
from tests.campaigns.receiver import Receiver
from tests.campaigns.ways import gateway, use, wanting

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]
DELIVERED, FAILED = "message.delivered", "message.failed"
# The same in every test process: tests are named after it.
SOMEBODY = UUID("6f1c1b5e-6d0c-4a8e-9f57-2f1f4f0a2b11")


def secret_of(channel: str) -> str:
    found = channel_named(channel)
    assert found is not None
    return renew_signing_secret(channel=found, actor=SYSTEM)


@pytest.fixture
def sent(receiver: Receiver) -> Delivery:
    """By a gateway that is told our name for it."""
    use("sms", gateway(receiver) + "&:reference={id}")
    tell(wanting(), channels=("sms",))
    send()
    row = Delivery.objects.get()
    assert receiver.got[0].message["reference"] == str(row.public_id)
    return row


def receipt(kind: str, name: object, **more: Any) -> str:
    return json.dumps({"type": kind, "data": {"id": str(name), **more}})


def post(body: str, secret: str, *, channel: str = "sms", at: dt.datetime | None = None) -> int:
    signed_at = at or timezone.now()
    signature = Webhook(secret).sign("r-1", signed_at, body)
    headers = {
        "webhook-id": "r-1", "webhook-timestamp": str(int(signed_at.timestamp())),
        "webhook-signature": signature,
    }  # fmt: skip
    answer = Client().post(
        f"/messages/receipts/{channel}/", body, content_type="application/json", headers=headers
    )
    return answer.status_code


def test_that_it_arrived_is_noted_once(sent: Delivery) -> None:
    secret = secret_of("sms")
    assert post(receipt(DELIVERED, sent.public_id), secret) == 204
    sent.refresh_from_db()
    first = sent.delivered_at
    assert first is not None
    assert post(receipt(DELIVERED, sent.public_id), secret) == 204
    sent.refresh_from_db()
    assert sent.delivered_at == first


def test_that_it_did_not_arrive_is_seen_and_a_number_that_is_none_is_left_alone(
    sent: Delivery,
) -> None:
    told = receipt(FAILED, sent.public_id, lasting=True, to="+60123456789")
    assert post(told, secret_of("sms")) == 204
    assert states() == [("failed", "bounced")]
    assert BlockedAddress.objects.get().channel == "sms"
    # What is told late does not make it good again.
    assert post(receipt(DELIVERED, sent.public_id), secret_of("sms")) == 204
    assert states() == [("failed", "bounced")]


def test_what_nobody_knew_of_is_known_then(receiver: Receiver) -> None:
    use("sms", gateway(receiver) + "&:reference={id}")
    receiver.answers = (504,)
    tell(wanting(), channels=("sms",))
    send()
    assert states() == [("uncertain", "unclear")]
    assert post(receipt(DELIVERED, Delivery.objects.get().public_id), secret_of("sms")) == 204
    assert states() == [("sent", "")]


def test_only_who_knows_the_secret_is_believed(sent: Delivery) -> None:
    body = receipt(DELIVERED, sent.public_id)
    old = secret_of("sms")
    secret = secret_of("sms")
    assert post(body, old) == 401
    for minutes in (-6, 6):
        assert post(body, secret, at=timezone.now() + dt.timedelta(minutes=minutes)) == 401
    unsigned = Client().post("/messages/receipts/sms/", body, content_type="application/json")
    assert unsigned.status_code == 401
    # That of another way opens what went by that one alone.
    assert post(body, secret_of("webhook")) == 401
    assert post(body, secret_of("webhook"), channel="webhook") == 404
    sent.refresh_from_db()
    assert sent.delivered_at is None


@pytest.mark.parametrize(
    ("body", "answer"),
    [("{", 400), ("[]", 400), (receipt("message.read", SOMEBODY), 400),
     (receipt(DELIVERED, "one"), 400), (receipt(DELIVERED, SOMEBODY), 404)],
)  # fmt: skip
def test_what_cannot_be_read_or_is_of_nobody_changes_nothing(
    sent: Delivery, body: str, answer: int
) -> None:
    assert post(body, secret_of("sms")) == answer
    assert states() == [("sent", "")]


def test_what_is_too_long_is_refused(sent: Delivery) -> None:
    assert post(" " * 300_000, secret_of("sms")) == 413
