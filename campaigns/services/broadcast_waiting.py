"""What a broadcast has written and not sent yet: set aside while it is paused, let go once it goes
on, dropped when it is stopped. Page by page, by the job of broadcasts.

What was set aside has a time that never comes, by which it is found at once, and which senders do
not look beyond. They ask for the state of the broadcast themselves as well
(`campaigns.services.preparing`): a page that was not settled yet does not go out.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from campaigns.models import Broadcast, Delivery
from campaigns.services.broadcast_occasion import BROADCAST
from campaigns.services.messages import wake_senders
from campaigns.services.preparing import NEVER

SETTLED = 1_000
Status, State = Broadcast.Status, Delivery.State


def has_unsettled(broadcast: Broadcast) -> bool:
    """Whether what waits is not as the state of the broadcast says."""
    return _unsettled(broadcast).exists()


def settle_waiting(broadcast: Broadcast, now: dt.datetime) -> int:
    """The next page of it; returns how many that were. The caller holds the broadcast."""
    # In the order in which workers hold them.
    rows = _unsettled(broadcast).select_for_update(of=("self",)).order_by("pk")
    # As rows: of values alone the messages would be locked, too.
    held = [row.pk for row in rows.only("pk")[:SETTLED]]
    if held:
        changes = _changes(broadcast.status, now)
        Delivery.objects.filter(pk__in=held, state=State.QUEUED).update(**changes)
        if broadcast.status == Status.SENDING:
            transaction.on_commit(wake_senders)
    return len(held)


def _unsettled(broadcast: Broadcast) -> QuerySet[Delivery]:
    rows = Delivery.objects.filter(
        state=State.QUEUED, channel__in=broadcast.channels, priority=BROADCAST.priority,
        message__occasion=broadcast.occasion,
    )  # fmt: skip
    match broadcast.status:
        case Status.SENDING:
            return rows.filter(available_at=NEVER)
        case Status.PAUSED:
            return rows.filter(available_at__lt=NEVER)
        case Status.STOPPED:
            return rows
        case _:
            return rows.none()


def _changes(status: str, now: dt.datetime) -> dict[str, Any]:
    if status == Status.STOPPED:
        return {"state": State.SUPPRESSED, "reason": "stopped"}
    if status == Status.PAUSED:
        return {"available_at": NEVER, "reason": "paused"}
    return {"available_at": now, "reason": ""}
