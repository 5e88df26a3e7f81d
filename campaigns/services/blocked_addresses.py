"""Addresses that nothing is sent to any more."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from campaigns.addresses import digest_of
from campaigns.channels import channel_named
from campaigns.models import BlockedAddress
from members.models import Customer
from members.services.audit import Actor, record_audit


def block_address(*, channel: str, address: str, reason: str, now: dt.datetime) -> None:
    """Send nothing to it from now on. Again changes nothing, but that a complaint weighs more."""
    found, new = BlockedAddress.objects.get_or_create(
        channel=channel, digest=digest_of(address), defaults={"reason": reason, "since": now}
    )
    if not new and reason == BlockedAddress.Reason.COMPLAINED and found.reason != reason:
        found.reason, found.since = reason, now
        found.save(update_fields=["reason", "since"])


def unblock_way(*, customer: Customer, channel: str, actor: Actor) -> bool:
    """The customer says that they are reached again by this way. Returns whether it was blocked;
    a way that there is none of, or no address, is none that was."""
    way = channel_named(channel)
    address = way.address(customer) if way is not None else ""
    return bool(address) and unblock_address(
        customer=customer, channel=channel, address=address, actor=actor
    )


@transaction.atomic
def unblock_address(*, customer: Customer, channel: str, address: str, actor: Actor) -> bool:
    """The customer says that it works again. Returns whether it was blocked."""
    removed, _by_model = BlockedAddress.objects.filter(
        channel=channel, digest=digest_of(address)
    ).delete()
    if removed:
        record_audit(
            actor=actor, action="address.unblocked", target=customer, after={"channel": channel}
        )
    return bool(removed)
