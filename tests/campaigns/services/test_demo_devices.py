"""The demonstration has devices, and numbers of which one waits for its code."""

from __future__ import annotations

from typing import Any

import pytest

from campaigns.demo.devices import show_devices
from campaigns.models import Consent, ContactAddress, Message
from loyalty.models import Program
from tests.rewards.factories import make_member

pytestmark = pytest.mark.django_db


def demonstration(settings: Any) -> Program:
    guide = make_member()
    guide.customer.email = settings.SETIA_DEMO_CUSTOMER
    guide.customer.save()
    return guide.program


def test_the_guide_has_two_devices_and_a_number_that_waits_for_its_code(settings: Any) -> None:
    settings.CHANNEL_URLS = dict.fromkeys(
        ("push", "whatsapp"), "json://127.0.0.1:9/send?:to={to}"
    )  # fmt: skip
    program = demonstration(settings)
    show_devices(program)
    show_devices(program)
    rows = ContactAddress.objects.order_by("pk")
    assert [(row.channel, row.label, row.confirmed_at is not None) for row in rows] == [
        ("push", "Phone", True), ("push", "Tablet", True),
        ("whatsapp", "", True), ("whatsapp", "", False),
    ]  # fmt: skip
    assert Message.objects.get().occasion == "number_code"
    assert Consent.objects.filter(channel="push", topic="points").exists()


def test_without_anybody_who_sends_there_are_devices_and_no_code(settings: Any) -> None:
    settings.CHANNEL_URLS = {}
    program = demonstration(settings)
    show_devices(program)
    assert ContactAddress.objects.filter(confirmed_at=None).count() == 0
    assert ContactAddress.objects.filter(channel="push").count() == 2
    assert Message.objects.count() == 0
