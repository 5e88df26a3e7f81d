"""Addresses that nothing is sent to any more."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from campaigns.addresses import digest_of
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
