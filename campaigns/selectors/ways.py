"""Which ways are set up, and where members are reached by those of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from campaigns.channels import Channel, all_channels
from campaigns.kept_secrets import revealed
from campaigns.models import BlockedAddress, ChannelSetting, ContactAddress
from members.models import Customer


def channel_settings() -> dict[str, ChannelSetting]:
    """By channel; one query. Those without a row are as the installation says."""
    return {row.channel: row for row in ChannelSetting.objects.all()}


def setting_of_channel(key: str) -> ChannelSetting:
    found = ChannelSetting.objects.filter(pk=key).first()
    return found or ChannelSetting(channel=key)


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


def contact_addresses_of(customer: Customer) -> QuerySet[ContactAddress]:
    """The newest first."""
    return ContactAddress.objects.filter(customer=customer).order_by("channel", "-named_at", "-pk")


def named_addresses(channel: str, customers: Sequence[Customer]) -> dict[int, str]:
    """The address that each named last, of those that work; one query."""
    blocked = BlockedAddress.objects.filter(channel=channel, digest=OuterRef("digest"))
    rows = ContactAddress.objects.filter(
        ~Exists(blocked), channel=channel, customer__in=[one.pk for one in customers]
    )
    return dict(rows.order_by("named_at", "pk").values_list("customer_id", "address"))
