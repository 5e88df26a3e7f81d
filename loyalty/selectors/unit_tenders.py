"""What orders were paid with in units, whoever told it: the order, its checkout or a till."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from loyalty.models import Transfer, UnitTender


@dataclass(frozen=True, slots=True)
class Spend:
    """Units that an order was paid with. `amount`: what they paid of it; None: nobody said, so
    they paid what they are worth."""

    order_id: int
    transfer: Transfer
    amount: Decimal | None


def spends_on(order_ids: Iterable[int]) -> list[Spend]:
    """In the order in which they were made; two queries."""
    ids = list(order_ids)
    found = {
        item.transfer_id: Spend(item.order_id or 0, item.transfer, item.amount)
        for item in UnitTender.objects.filter(order__in=ids).select_related(
            "transfer__wallet", "transfer__wallet_type__program"
        )
    }
    named = Transfer.objects.filter(order__in=ids, kind=Transfer.Kind.REDEMPTION)
    for transfer in named.select_related("wallet", "wallet_type__program"):
        found.setdefault(transfer.pk, Spend(transfer.order_id or 0, transfer, None))
    return [found[pk] for pk in sorted(found)]


def units_returned(transfer_ids: Iterable[int]) -> tuple[dict[int, int], dict[int, int]]:
    """Units that came back of each spend already, and in how many movements."""
    ids = list(transfer_ids)
    units: defaultdict[int, int] = defaultdict(int)
    count: defaultdict[int, int] = defaultdict(int)
    if not ids:
        return units, count
    for way in ("reverses", "corrects"):
        back = Transfer.objects.filter(**{f"{way}__in": ids})
        for pk, amount in back.values_list(f"{way}_id", "amount"):
            units[pk] += amount
            count[pk] += 1
    return units, count
