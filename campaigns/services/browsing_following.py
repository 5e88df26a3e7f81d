"""What follows what members look at: they are worked out anew in the segments that ask for it."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from members.conditions.scopes import BROWSING
from members.models import OutboxEvent
from members.services.segment_refresh import refresh_customers

AT_ONCE = 1_000


def follow_browsing(events: Sequence[OutboxEvent]) -> None:
    """Outbox consumer: each of those people once, however much they looked at."""
    people = sorted({pk for event in events for pk in event.payload["customers"]})
    for start in range(0, len(people), AT_ONCE):
        with transaction.atomic():
            refresh_customers(people[start : start + AT_ONCE], now=timezone.now(), asking=BROWSING)
