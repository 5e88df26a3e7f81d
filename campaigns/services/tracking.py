"""What providers tell about mails: django-anymail has checked who says so."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any
from uuid import UUID

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason, tracking
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from campaigns.models import BlockedAddress, ConsentChange, Delivery
from campaigns.services.blocked_addresses import block_address
from campaigns.services.consents import set_consents
from campaigns.services.measuring import note_click, note_open
from campaigns.services.receipts import note_arrived, note_came_back
from campaigns.topics import choosable_topics
from members.models import Customer
from members.selectors.merges import current
from members.services.audit import SYSTEM

logger = logging.getLogger(__name__)
CHANNEL = "email"
# The mailbox does not exist, rather than being full for a while.
_GONE = (RejectReason.INVALID, RejectReason.BOUNCED)
# By which somebody says that they want no more.
_DECLINING = (EventType.COMPLAINED, EventType.UNSUBSCRIBED)


def follow_tracking(sender: Any, event: AnymailTrackingEvent, **details: Any) -> None:
    """Receiver of anymail's signal."""
    note_event(event=event, now=timezone.now())


@transaction.atomic
def note_event(*, event: AnymailTrackingEvent, now: dt.datetime) -> None:
    """Bring the delivery to what is told. Told again, or of a mail that is not ours, it changes
    nothing."""
    if event.event_type in _DECLINING:
        _lock_owner(event)
    row = _locked(event)
    match event.event_type:
        case EventType.DELIVERED if row is not None:
            note_arrived(row, reference=event.message_id or "", now=now)
        case EventType.OPENED if row is not None:
            note_open(delivery=row.public_id, now=now)
        case EventType.CLICKED if row is not None and event.click_url:
            note_click(delivery=row.public_id, target=event.click_url, now=now)
        case EventType.BOUNCED | EventType.REJECTED | EventType.FAILED:
            lasting = event.event_type == EventType.BOUNCED and event.reject_reason in _GONE
            _came_back(row, event, now, lasting=lasting)
        case EventType.COMPLAINED:
            if event.recipient:
                _block(event.recipient, BlockedAddress.Reason.COMPLAINED, now)
            _declined(row, ConsentChange.Source.COMPLAINT, now)
        case EventType.UNSUBSCRIBED:
            _declined(row, ConsentChange.Source.ONE_CLICK, now)


def register() -> None:
    """Called once, when the application is ready."""
    tracking.connect(follow_tracking, dispatch_uid="campaigns.tracking")


def _lock_owner(event: AnymailTrackingEvent) -> None:
    """Before their delivery, as whoever notes what somebody wants does (`campaigns.services.
    consents`), so that no two wait for each other."""
    row = _told_of(event).select_related("message__customer__merged_into").first()
    if row is not None:
        owner = current(row.message.customer)
        Customer.objects.select_for_update(of=("self",)).filter(pk=owner.pk).first()


def _locked(event: AnymailTrackingEvent) -> Delivery | None:
    return _told_of(event).select_for_update().first()


def _told_of(event: AnymailTrackingEvent) -> QuerySet[Delivery]:
    """The delivery, or nothing."""
    named = (event.metadata or {}).get("delivery", "")
    rows = Delivery.objects.filter(channel=CHANNEL)
    if named:
        try:
            return rows.filter(public_id=UUID(str(named)))
        except ValueError:
            return rows.none()
    return rows.filter(reference=event.message_id) if event.message_id else rows.none()


def _came_back(
    row: Delivery | None, event: AnymailTrackingEvent, now: dt.datetime, *, lasting: bool
) -> None:
    if lasting and event.recipient:
        _block(event.recipient, BlockedAddress.Reason.BOUNCED, now)
    if row is not None:
        note_came_back(row, reason="bounced" if lasting else "refused")


def _declined(row: Delivery | None, source: str, now: dt.datetime) -> None:
    if row is None:
        return
    if row.unsubscribed_at is None:
        row.unsubscribed_at = now
        row.save(update_fields=["unsubscribed_at"])
    owner = Customer.objects.select_related("merged_into").get(messages__deliveries=row)
    set_consents(
        customer=current(owner),
        wanted={(CHANNEL, topic.code): False for topic in choosable_topics()},
        source=source, actor=SYSTEM, now=now,
    )  # fmt: skip


def _block(address: str, reason: str, now: dt.datetime) -> None:
    block_address(channel=CHANNEL, address=address, reason=reason, now=now)
