"""The development phone: a provider that keeps what it is sent, and shows it."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from campaigns.provider_urls import check_provider
from config.supervisor.stack import Address, phone_addresses

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.DEVPHONE_DIR = tmp_path / "phone"
    return settings.DEVPHONE_DIR


def send(client: Client, **told: str) -> int:
    return client.post("/dev/phone/to/sms/", told, content_type="application/json").status_code


def test_what_it_is_sent_is_shown_and_deleted(client: Client) -> None:
    assert "No message yet" in client.get("/dev/phone/").content.decode()
    assert send(client, to="+60123456789", message="<b>See</b> https://shop.example/me/") == 200
    assert send(client, to="+60123456780", message="Second") == 200
    shown = client.get("/dev/phone/").content.decode()
    assert shown.index("Second") < shown.index("&lt;b&gt;See")
    assert "Text message" in shown
    assert client.post("/dev/phone/clear/").status_code == 302
    assert "No message yet" in client.get("/dev/phone/").content.decode()


def test_it_answers_as_providers_do(client: Client, folder: Path) -> None:
    assert send(client, to="+60123450000", message="Nobody") == 410
    assert send(client, message="To whom?") == 400
    raw = client.post("/dev/phone/to/sms/", b"{", content_type="application/json")
    assert raw.status_code == 400
    assert not folder.exists()


def test_every_way_leads_there_unless_somebody_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("WHATSAPP_URL", raising=False)
    monkeypatch.delenv("PUSH_URL", raising=False)
    monkeypatch.setenv("SMS_URL", "twilio://mine")
    found = phone_addresses(Address("127.0.0.1", 8123))
    assert set(found) == {"WHATSAPP_URL", "PUSH_URL"}
    assert check_provider("push", found["PUSH_URL"]) == found["PUSH_URL"]
