"""Ways to write to customers that tests set up, and who wants to be written to by them."""

import datetime as dt
from typing import Any

from campaigns.channels import channel_named
from campaigns.models import (
    ChannelSetting,
)
from campaigns.services.consents import set_consents
from campaigns.services.ways import (
    WaySettings,
    set_way,
)
from members.models import Customer
from members.services.audit import SYSTEM
from tests.campaigns.receiver import Receiver
from tests.factories import CustomerFactory

TWILIO = f"twilio://AC{'a' * 32}:{'b' * 32}@+15005550006/{{to}}"
NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


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
