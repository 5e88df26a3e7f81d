"""Sending again what went wrong: people decide, nothing does it by itself."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.channels import channel_named
from campaigns.models import Delivery
from campaigns.services.messages import wake_senders
from members.errors import ConflictError
from members.services.audit import Actor, record_audit

State = Delivery.State
AGAIN = (State.FAILED, State.UNCERTAIN)


def may_be_sent_again(delivery: Delivery) -> bool:
    """What failed, or went out perhaps, by a way that something goes out by."""
    channel = channel_named(delivery.channel)
    return delivery.state in AGAIN and channel is not None and channel.open_line is not None


@transaction.atomic
def send_again(*, delivery: Delivery, actor: Actor, now: dt.datetime) -> None:
    """Have it tried anew, also where it may have arrived. Raises ConflictError for what did not
    fail."""
    rows = Delivery.objects.select_for_update(of=("self",)).select_related("message__customer")
    row = rows.get(pk=delivery.pk)
    if not may_be_sent_again(row):
        raise ConflictError(_("Only what failed can be sent again."), code="delivery_state")
    before = row.state
    row.state, row.reason, row.detail = State.QUEUED, "", ""
    row.available_at, row.attempts = now, row.attempts + 1
    row.handed_over_at = row.sent_at = row.delivered_at = None
    row.save()
    if row.message.stale_at is not None and row.message.stale_at <= now:
        # Whoever sends it again wants it told, old as it is.
        row.message.stale_at = None
        row.message.save(update_fields=["stale_at"])
    record_audit(
        actor=actor, action="message.sent_again", target=row.message.customer,
        before={"state": before}, after={"occasion": row.message.occasion},
    )  # fmt: skip
    transaction.on_commit(wake_senders)
