"""What a provider told of a message before it was written down under which name it knows it: kept
for a while, and followed once that is known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from campaigns.models import Delivery, EarlyReceipt
from campaigns.receipt_mappings import Outcome, Told
from campaigns.services.receipts import follow_outcome
from campaigns.services.sent import Taken

KEPT_FOR = dt.timedelta(days=1)


def keep_early(*, channel: str, told: Told, now: dt.datetime) -> None:
    """The last that is told counts."""
    EarlyReceipt.objects.update_or_create(
        channel=channel, reference=told.name,
        defaults={"outcome": told.outcome.value, "address": told.to, "told_at": now},
    )  # fmt: skip


@transaction.atomic
def follow_early(*, channel: str, taken: Sequence[Taken], now: dt.datetime) -> None:
    """What was told of these before they were written down."""
    names = {item.reference: item.delivery.pk for item in taken if item.reference}
    early = EarlyReceipt.objects.select_for_update().filter(channel=channel, reference__in=names)
    for receipt in early:
        row = Delivery.objects.select_for_update().get(pk=names[receipt.reference])
        told = Told(receipt.reference, Outcome(receipt.outcome), receipt.address)
        follow_outcome(row=row, told=told, now=now)
        receipt.delete()


def prune_early(*, now: dt.datetime) -> int:
    """Of messages that we did not send, such as what staff write by the same number."""
    return EarlyReceipt.objects.filter(told_at__lt=now - KEPT_FOR).delete()[0]
