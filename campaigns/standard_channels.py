"""The ways by which members are told in this version: e-mail and the inbox on their own pages; with
a provider text messages, WhatsApp and notifications of devices; and a system of the merchant's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from campaigns.channels import Channel, Line, register_channel
from campaigns.mail_line import mail_line
from campaigns.provider_line import listen, provider_line
from campaigns.receipt_mappings import Asked
from campaigns.short_texts import PUSH, SMS, WEBHOOK, WHATSAPP
from campaigns.webhook_line import webhook_line
from campaigns.webhook_secrets import read
from members.kept_secrets import revealed
from members.models import Customer

EMAIL, INBOX = "email", "inbox"


def _mail_address(customer: Customer) -> str:
    return customer.email


def _own_page(customer: Customer) -> str:
    """Everybody has one."""
    return str(customer.public_id)


def _phone(customer: Customer) -> str:
    return customer.phone


def _whatsapp_numbers(customers: Sequence[Customer]) -> Mapping[int, str]:
    """The number that they named for it, else their phone."""
    from campaigns.selectors.ways import named_addresses

    phones = {one.pk: one.phone for one in customers if one.phone}
    return phones | named_addresses(WHATSAPP, customers)


def _devices(customers: Sequence[Customer]) -> Mapping[int, str]:
    from campaigns.selectors.ways import named_addresses

    return named_addresses(PUSH, customers)


def _each_device(customers: Sequence[Customer]) -> Mapping[int, Sequence[UUID]]:
    from campaigns.selectors.ways import named_devices

    return named_devices(PUSH, customers)


def _whatsapp_number(customer: Customer) -> str:
    return _whatsapp_numbers([customer]).get(customer.pk, "")


def _device(customer: Customer) -> str:
    return _devices([customer]).get(customer.pk, "")


def _url_of(channel: str) -> str:
    from campaigns.selectors.ways import url_of

    return url_of(channel)


def _asked_of(channel: str) -> Asked:
    from campaigns.selectors.ways import asked_of

    return asked_of(channel)


def _provider(channel: str, *, titled: bool) -> Callable[[], AbstractContextManager[Line]]:
    return provider_line(channel, _url_of, _asked_of, titled=titled)


def _system() -> tuple[str, bytes]:
    from campaigns.selectors.ways import setting_of_channel

    return _url_of(WEBHOOK), read(revealed(setting_of_channel(WEBHOOK).secret))


def register() -> None:
    """Called once, when the application is ready."""
    listen()
    by_number = partial(
        Channel, is_set_up=True, titled=False, needs_yes=True, by_word=True, short_links=True
    )
    ways = (
        Channel(EMAIL, _("E-mail"), "mail", True, _mail_address, mail_line),
        Channel(INBOX, _("Inbox"), "inbox", False, _own_page),
        by_number(
            SMS, _("Text message"), "message", False, _phone,
            _provider(SMS, titled=False), is_short=True,
        ),
        by_number(
            WHATSAPP, _("WhatsApp"), "brand-whatsapp", False, _whatsapp_number,
            _provider(WHATSAPP, titled=False), addresses=_whatsapp_numbers, by_approval=True,
        ),
        Channel(
            PUSH, _("Notification"), "device-mobile", False, _device,
            _provider(PUSH, titled=True), is_set_up=True, addresses=_devices,
            devices=_each_device, confirms=False, short_links=True,
        ),
        Channel(
            WEBHOOK, _("Another system"), "webhook", False, _own_page, webhook_line(_system),
            is_set_up=True, confirms=False, takes_key=True,
        ),
    )  # fmt: skip
    for way in ways:
        register_channel(way)
