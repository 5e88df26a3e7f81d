"""Lots: what is left of them, from when and until when it can be spent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db.models import Q, QuerySet, Sum

from loyalty.models import Lot, Order, Transfer


def lots() -> QuerySet[Lot]:
    """With all that showing a lot needs."""
    return Lot.objects.select_related(
        "wallet", "policy__wallet_type__program", "transfer", "origin__order"
    )


def open_lots(wallet_ids: Sequence[int], now: dt.datetime) -> QuerySet[Lot]:
    """Of these wallets what is left and has not expired."""
    return lots().filter(_open(now), wallet__in=wallet_ids)


def earned_with(order: Order) -> Q:
    """Lots that came from an order's movements, wherever they are: by the indexes of both."""
    earned = list(Transfer.objects.filter(order=order).values_list("pk", flat=True))
    return Q(parent=None, transfer__in=earned) | Q(parent__isnull=False, origin__in=earned)


def lots_of_order(order: Order, now: dt.datetime) -> list[Lot]:
    """What an order earned and is left of it with its customer, not expired: where it was earned,
    or where it came to by a merge."""
    own = Q(parent=None) | Q(transfer__kind=Transfer.Kind.MERGE)
    found = lots().filter(own, _open(now), earned_with(order))
    return list(found.order_by("pk"))


def renewed_with(lot: Lot) -> int:
    """How many units expire together with what is left of a lot: all of its wallet's, where they
    expire by inactivity."""
    if not lot.renewable or lot.expires_at is not None:
        return lot.remaining
    together = Lot.objects.filter(
        wallet=lot.wallet_id, renewable=True, expires_at=None, due_at__isnull=False
    )
    return int(together.aggregate(units=Sum("remaining"))["units"] or 0)


def _open(now: dt.datetime) -> Q:
    """Units that expire by inactivity may have, while their lots do not say so yet."""
    idle = Q(renewable=True, expires_at=None, wallet__active_until__lte=now)
    return Q(due_at__gt=now) & ~idle
