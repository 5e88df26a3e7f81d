"""The history of wallets, newest first, page by page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db.models import Exists, OuterRef, Q, QuerySet

from loyalty.models import Transfer
from members.errors import NotFoundError

Cursor = tuple[dt.datetime, int]


def transfers() -> QuerySet[Transfer]:
    """With all that showing a movement needs; `is_reversed` says whether it was undone."""
    return Transfer.objects.select_related(
        "wallet", "wallet_type__program", "order", "refund", "actor"
    ).annotate(is_reversed=Exists(Transfer.objects.filter(reverses=OuterRef("pk"))))


def list_transfers(
    wallet_ids: Sequence[int], *, before: Cursor | None = None, limit: int = 50
) -> list[Transfer]:
    """Movements of these wallets, newest business time first; `before` is the last one seen."""
    found = transfers().filter(wallet__in=wallet_ids)
    if before is not None:
        at, pk = before
        found = found.filter(Q(occurred_at__lt=at) | Q(occurred_at=at, pk__lt=pk))
    return list(found.order_by("-occurred_at", "-pk")[:limit])


def get_transfer(pk: int) -> Transfer:
    """Raises NotFoundError."""
    transfer = transfers().filter(pk=pk).first()
    if transfer is None:
        raise NotFoundError("There is no such transfer.")
    return transfer
