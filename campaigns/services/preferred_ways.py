"""By which of several ways somebody is told, where one is enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from campaigns.addresses import digest_of
from campaigns.channels import Channel
from campaigns.models import BlockedAddress, Consent
from campaigns.occasions import Occasion
from campaigns.selectors.consents import why_not
from campaigns.selectors.policies import get_policy
from campaigns.selectors.ways import usable_channels
from campaigns.topics import is_needed
from members.models import Customer


def first_ways(
    *, customers: Sequence[Customer], channels: Sequence[Channel], occasion: Occasion, topic: str
) -> Mapping[int, Channel]:
    """For each the first that is set up, that they want, and where they are reached; whoever is
    reached by none is told by the last, whose list then says why not."""
    usable = {channel.key for channel in usable_channels()}
    left = {one.pk: one for one in customers}
    found: dict[int, Channel] = {}
    for channel in channels:
        if channel.key not in usable or not left:
            continue
        for pk in _reached(list(left.values()), channel, occasion, topic):
            found[pk] = channel
            del left[pk]
    return {**dict.fromkeys(left, channels[-1]), **found}


def _reached(
    customers: Sequence[Customer], channel: Channel, occasion: Occasion, topic: str
) -> list[int]:
    """In three queries for all of them."""
    addresses = channel.addresses_of(customers)
    if channel.open_line is None:
        return list(addresses)
    digests = {pk: digest_of(address) for pk, address in addresses.items()}
    blocked = {
        bytes(digest)
        for digest in BlockedAddress.objects.filter(
            channel=channel.key, digest__in=list(digests.values())
        ).values_list("digest", flat=True)
    }
    asked = not (occasion.always_by or is_needed(topic))
    rows = Consent.objects.filter(customer__in=list(digests), channel=channel.key, topic=topic)
    said = dict(rows.values_list("customer_id", "state")) if asked else {}
    policy = get_policy()
    return [
        pk
        for pk, digest in digests.items()
        if digest not in blocked
        and not (asked and why_not(said.get(pk, ""), topic, policy, channel))
    ]
