"""Which ways are set up, and where members are reached by those of their own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse

from campaigns.channels import Channel, all_channels
from campaigns.links import absolute
from campaigns.models import BlockedAddress, ChannelSetting, ContactAddress
from campaigns.receipt_mappings import Asked, Signed
from members.kept_secrets import revealed
from members.models import Customer
from members.prepared import KeptQuery

_SETTINGS: KeptQuery[ChannelSetting] = KeptQuery(ChannelSetting.objects.all)
_SETTING: KeptQuery[ChannelSetting] = KeptQuery(lambda key: ChannelSetting.objects.filter(pk=key))


def channel_settings() -> dict[str, ChannelSetting]:
    """By channel; one query. Those without a row are as the installation says."""
    return {row.channel: row for row in _SETTINGS.rows()}


def setting_of_channel(key: str) -> ChannelSetting:
    return _SETTING.first(key) or ChannelSetting(channel=key)


def usable_channels() -> list[Channel]:
    """Those that need nobody, and those for which somebody is named."""
    return usable_among(channel_settings())


def usable_among(known: Mapping[str, ChannelSetting]) -> list[Channel]:
    return [
        channel
        for channel in all_channels()
        if not channel.is_set_up
        or is_usable(known.get(channel.key) or ChannelSetting(channel=channel.key))
    ]


def usable_senders() -> list[Channel]:
    """Of those, the ones by which something goes out, so that people are asked."""
    return [channel for channel in usable_channels() if channel.open_line is not None]


def is_usable(setting: ChannelSetting) -> bool:
    return setting.is_on and bool(setting.url or installed_url(setting.channel))


def installed_url(channel: str) -> str:
    """What the installation says, as it says who sends mails."""
    return str(settings.CHANNEL_URLS.get(channel, ""))


def url_of(channel: str) -> str:
    """The provider's address with its keys; empty: there is none, or it can be read no more."""
    setting = setting_of_channel(channel)
    return revealed(setting.url) or installed_url(channel)


def asked_of(channel: str) -> Asked:
    """What its provider is asked with each message. Of Twilio's each has to say where it is told
    what becomes of it."""
    mapping = setting_of_channel(channel).receipts
    callback = receipts_url(channel) if mapping.get("signed") == Signed.TWILIO else ""
    return Asked(mapping.get("named_at", ""), callback)


def receipts_url(channel: str) -> str:
    """Where it is told what became of messages."""
    return absolute(reverse("messages:receipt", args=[channel]))


def contact_addresses_of(customer: Customer) -> QuerySet[ContactAddress]:
    """The newest first."""
    return ContactAddress.objects.filter(customer=customer).order_by("channel", "-named_at", "-pk")


def named_addresses(channel: str, customers: Sequence[Customer]) -> dict[int, str]:
    """The address that each named last, of those that work and are theirs; one query."""
    return dict(_usable(channel, customers).values_list("customer_id", "address"))


def named_devices(channel: str, customers: Sequence[Customer]) -> dict[int, list[UUID]]:
    """All of each that work, the first that was named first; one query."""
    found: defaultdict[int, list[UUID]] = defaultdict(list)
    for customer, device in _usable(channel, customers).values_list("customer_id", "public_id"):
        found[customer].append(device)
    return dict(found)


def addresses_of_devices(devices: Iterable[UUID]) -> dict[tuple[int, UUID], str]:
    """By who has them now and which they are; one query, none for none."""
    wanted = list(devices)
    if not wanted:
        return {}
    rows = ContactAddress.objects.filter(public_id__in=wanted)
    return {
        (customer, device): address
        for customer, device, address in rows.values_list("customer_id", "public_id", "address")
    }


def _usable(channel: str, customers: Sequence[Customer]) -> QuerySet[ContactAddress]:
    """In the order in which they were named."""
    blocked = BlockedAddress.objects.filter(channel=channel, digest=OuterRef("digest"))
    rows = ContactAddress.objects.filter(
        ~Exists(blocked), channel=channel, confirmed_at__isnull=False,
        customer__in=[one.pk for one in customers],
    )  # fmt: skip
    return rows.order_by("named_at", "pk")
