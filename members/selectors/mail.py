"""Whether mail goes out."""

from __future__ import annotations

from datetime import datetime, timedelta

from members.models import OutboxEvent
from members.outbox import MAIL_QUEUED

LATE = timedelta(minutes=15)


def stuck_mails(now: datetime) -> int:
    """How many should have been sent by now and were not."""
    waiting = OutboxEvent.objects.filter(kind=MAIL_QUEUED, delivered_at=None)
    return waiting.filter(created_at__lt=now - LATE).count()


def mail_went_out() -> bool:
    """Whether any mail was sent lately; what was sent long ago is forgotten."""
    return OutboxEvent.objects.filter(kind=MAIL_QUEUED, delivered_at__isnull=False).exists()
