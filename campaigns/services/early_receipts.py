"""What a provider told of a message before it was written down under which name it knows it: kept
for a while, and followed once that is known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import transaction

from campaigns.models import Delivery, EarlyReceipt
from campaigns.receipt_mappings import Outcome, Told
from campaigns.services.receipts import follow_outcome
from campaigns.services.sent import Taken

KEPT_FOR = dt.timedelta(days=1)


def keep_early(*, channel: str, told: Told, now: dt.datetime) -> None:
    """The last that is told counts. Whose number it is, is kept only if it is to be left alone."""
    address = told.to if told.outcome == Outcome.GONE else ""
    EarlyReceipt.objects.update_or_create(
        channel=channel, reference=told.name,
        defaults={"outcome": told.outcome.value, "address": address, "told_at": now},
    )  # fmt: skip


def names_of(taken: Sequence[Taken]) -> dict[str, int]:
    """Which delivery each name of a provider is for."""
    return {item.reference: item.delivery.pk for item in taken if item.reference}


@transaction.atomic
def follow_early(*, channel: str, names: Mapping[str, int], now: dt.datetime) -> None:
    """What was told of these deliveries, by the provider's names for them, before these were
    written down."""
    early = EarlyReceipt.objects.select_for_update().filter(
        channel=channel, reference__in=list(names)
    )
    for receipt in early.order_by("pk"):
        row = Delivery.objects.select_for_update().get(pk=names[receipt.reference])
        told = Told(receipt.reference, Outcome(receipt.outcome), receipt.address)
        follow_outcome(row=row, told=told, now=now)
        receipt.delete()


def prune_early(*, now: dt.datetime) -> int:
    """Of messages that we did not send, such as what staff write by the same number."""
    return EarlyReceipt.objects.filter(told_at__lt=now - KEPT_FOR).delete()[0]
