"""Whoever answers STOP is told nothing more by that way; only its secret address is believed."""

import datetime as dt
import json
from typing import Any

import pytest
from django.test import Client

from campaigns.channels import Channel, channel_named
from campaigns.models import Consent, ConsentChange
from campaigns.services.contact_addresses import name_address
from campaigns.services.ways import renew_stop_address
from members.services.audit import SYSTEM
from tests.campaigns.ways import agree, use
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
GATEWAY = "jsons://gateway.example/send?:to={to}"


def way(key: str) -> Channel:
    found = channel_named(key)
    assert found is not None
    return found


def address_of(key: str, **more: Any) -> str:
    use(key, GATEWAY, **more)
    return f"/messages/replies/{key}/{renew_stop_address(channel=way(key), actor=SYSTEM)}/"


def states() -> dict[str, str]:
    return dict(Consent.objects.order_by("topic").values_list("topic", "state"))


def test_twilio_tells_that_somebody_answered_stop(client: Client) -> None:
    url = address_of("sms")
    agree(CustomerFactory(phone="+60123456789"), "sms")
    told = {"From": "+60123456789", "To": "+15005550006", "Body": " Stop. "}
    for _time in range(2):
        response = client.post(url, told)
        assert (response.status_code, response.content) == (200, b"<Response/>")
    assert states() == dict.fromkeys(("offers", "points", "surveys", "community"), "denied")
    assert ConsentChange.objects.filter(source="reply").count() == 4


def test_only_the_way_that_was_answered_ends(client: Client) -> None:
    url = address_of("whatsapp")
    ana = CustomerFactory(phone="+60111111111")
    name_address(customer=ana, channel="whatsapp", address="+60123456789", actor=SYSTEM, now=NOON)
    agree(ana, "whatsapp")
    use("sms", GATEWAY)
    agree(ana, "sms")
    client.post(url, {"From": "whatsapp:+60123456789", "Body": "STOP"})
    assert Consent.objects.get(channel="whatsapp", topic="points").state == "denied"
    assert Consent.objects.get(channel="sms", topic="points").state == "granted"


def test_whoever_is_told_at_a_number_is_told_nothing_more_there(client: Client) -> None:
    """Somebody else may have named it, by mistake or to spite its owner."""
    url = address_of("whatsapp")
    owner, other = CustomerFactory(phone="+60123456789"), CustomerFactory()
    name_address(customer=other, channel="whatsapp", address=owner.phone, actor=SYSTEM, now=NOON)
    for customer in (owner, other):
        agree(customer, "whatsapp")
    client.post(url, {"From": f"whatsapp:{owner.phone}", "Body": "STOP"})
    said = Consent.objects.filter(channel="whatsapp", topic="points")
    assert dict(said.values_list("customer_id", "state")) == {
        owner.pk: "denied", other.pk: "denied",
    }  # fmt: skip


def test_the_merchants_own_word_ends_it_and_json_is_read(client: Client) -> None:
    url = address_of("sms", stop_word="GENUG")
    agree(CustomerFactory(phone="+60123456789"), "sms")
    body = json.dumps({"msisdn": 60123456789, "text": "genug"})
    assert client.post(url, body, content_type="application/json").status_code == 200
    assert states()["points"] == "denied"


@pytest.mark.parametrize("text", ["Do not stop", "When do you open?", ""])
def test_everything_else_changes_nothing(client: Client, text: str) -> None:
    url = address_of("sms")
    agree(CustomerFactory(phone="+60123456789"), "sms")
    assert client.post(url, {"From": "+60123456789", "Body": text}).status_code == 200
    assert states() == {"points": "granted"}


def test_a_number_that_nobody_has_and_what_cannot_be_read(client: Client) -> None:
    url = address_of("sms")
    assert client.post(url, {"From": "+60199999999", "Body": "STOP"}).status_code == 200
    assert client.post(url, {"From": "12", "Body": "STOP"}).status_code == 200
    assert client.post(url, {"Body": "STOP"}).status_code == 400
    assert client.post(url, b"{", content_type="application/json").status_code == 400
    assert client.post(url, {"From": "1", "Body": "x" * 30_000}).status_code == 413


def test_only_the_secret_address_is_believed(client: Client) -> None:
    old = address_of("sms")
    renew_stop_address(channel=way("sms"), actor=SYSTEM)
    agree(CustomerFactory(phone="+60123456789"), "sms")
    told = {"From": "+60123456789", "Body": "STOP"}
    assert client.post(old, told).status_code == 404
    assert client.post("/messages/replies/sms/guessed/", told).status_code == 404
    assert client.post("/messages/replies/email/guessed/", told).status_code == 404
    assert client.get(old).status_code == 405
    assert states() == {"points": "granted"}
