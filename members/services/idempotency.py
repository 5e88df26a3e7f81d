"""Forgetting the answers that are kept for repeated requests."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from members.models import IdempotencyRecord

KEPT_FOR = timedelta(hours=24)
PRUNED_AT_ONCE = 5_000


def prune_idempotency_records(now: datetime | None = None) -> int:
    """Remove what is older than the promised day, in chunks; return how many rows went."""
    cutoff = (now or timezone.now()) - KEPT_FOR
    removed = 0
    while True:
        old = IdempotencyRecord.objects.filter(created_at__lt=cutoff).order_by("pk")
        chunk = list(old.values_list("pk", flat=True)[:PRUNED_AT_ONCE])
        removed += IdempotencyRecord.objects.filter(pk__in=chunk).delete()[0]
        if len(chunk) < PRUNED_AT_ONCE:
            return removed
