"""What orders were paid with in units, whoever told it: the order, its checkout or a till."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from loyalty.models import Order, Transfer, UnitTender
from loyalty.rules.facts import ZERO
from loyalty.rules.giving_back import units_back
from members.prepared import KeptQuery

_TENDERS: KeptQuery[UnitTender] = KeptQuery(
    lambda orders: UnitTender.objects.filter(order__among=orders).select_related(
        "transfer__wallet", "transfer__wallet_type__program"
    )
)
_REDEEMED: KeptQuery[Transfer] = KeptQuery(
    lambda kind, orders: Transfer.objects.filter(kind=kind, order__among=orders).select_related(
        "wallet", "wallet_type__program"
    )
)


@dataclass(frozen=True, slots=True)
class Back:
    """What came back of a spend: so many units in so many movements, the last of them this one.
    `with_order`: as its order did, not by hand."""

    units: int = 0
    movements: int = 0
    with_order: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Spend:
    """Units that an order was paid with. `amount`: what they paid of it; None: nobody said, so
    they paid what they are worth."""

    order_id: int
    transfer: Transfer
    amount: Decimal | None
    back: Back

    @property
    def stands_for(self) -> Decimal | None:
        """What it paid; None: it was made before spends said so."""
        if self.amount is not None:
            return self.amount
        said = self.transfer.explanation.get("pays")
        return Decimal(said) if said else None


def spends_on(order_ids: Iterable[int]) -> list[Spend]:
    """In the order in which they were made; a constant number of queries. Without what came back as
    a whole and was paid anew, or was not any more: an order that was called off had been paid with
    it, and the one that was taken up again is not."""
    ids = list(order_ids)
    named: dict[int, tuple[int, Transfer, Decimal | None]] = {
        item.transfer_id: (item.order_id or 0, item.transfer, item.amount)
        for item in _TENDERS.rows(ids)
    }
    for transfer in _REDEEMED.rows(Transfer.Kind.REDEMPTION.value, ids):
        named.setdefault(transfer.pk, (transfer.order_id or 0, transfer, None))
    back = _backs(named)
    spends = [Spend(*named[pk], back[pk]) for pk in sorted(named)]
    return _without_called_off(spends)


def called_off(tenders: Sequence[UnitTender]) -> set[int]:
    """The keys of those whose units all came back because their order had been called off, and not
    refunded, whatever it is by now."""
    back = _backs(tender.transfer_id for tender in tenders)
    whole = [item for item in tenders if back[item.transfer_id].units == item.transfer.amount]
    orders = _with_refunds(item.order_id for item in whole if item.order_id)
    return {
        item.pk
        for item in whole
        if item.order_id in orders
        and _beyond_refunds(item.transfer, back[item.transfer_id], orders[item.order_id])
    }


def restored_key(order_id: int, spend: Spend) -> str:
    """What the ledger calls the next part that comes back of a spend as its order does."""
    return f"{_RESTORED % order_id}{spend.transfer.pk}:{spend.back.movements}"


_RESTORED = "order:%d:restored:"


def _backs(transfer_ids: Iterable[int]) -> dict[int, Back]:
    found = dict.fromkeys(transfer_ids, Back())
    if not found:
        return found
    for way in ("reverses", "corrects"):
        back = Transfer.objects.filter(**{f"{way}__in": list(found)})
        for pk, key, units, last in back.values_list(f"{way}_id", "key", "amount", "pk"):
            known = found[pk]
            found[pk] = replace(
                known, units=known.units + units, movements=known.movements + 1,
                with_order=known.with_order + (units if _is_restored(key) else 0),
                last=max(known.last, last),
            )  # fmt: skip
    return found


def _is_restored(key: str) -> bool:
    start, _colon, rest = key.partition(":restored:")
    return bool(rest) and start.startswith("order:")


def _without_called_off(spends: list[Spend]) -> list[Spend]:
    whole = [spend for spend in spends if spend.back.units == spend.transfer.amount]
    orders = _with_refunds(spend.order_id for spend in whole)
    gone = {
        spend.transfer.pk
        for spend in whole
        if _paid_anew(spend, spends)
        or (
            orders[spend.order_id].status not in Order.VOID
            and _beyond_refunds(spend.transfer, spend.back, orders[spend.order_id])
        )
    }
    return [spend for spend in spends if spend.transfer.pk not in gone]


def _paid_anew(spend: Spend, spends: Iterable[Spend]) -> bool:
    """Whether units of the same kind paid for the order once these had come back."""
    kind = spend.transfer.wallet_type_id
    return any(
        other.order_id == spend.order_id
        and other.transfer.wallet_type_id == kind
        and other.transfer.pk > spend.back.last
        for other in spends
    )


def _beyond_refunds(transfer: Transfer, back: Back, order: Order) -> bool:
    """Whether the order brought back more of it than its refunds do."""
    refunded = sum((refund.total for refund in order.refunds.all()), ZERO)
    step = transfer.wallet_type.spend_step or 1
    return back.with_order > units_back(transfer.amount, refunded, order.total, step)


def _with_refunds(order_ids: Iterable[int]) -> dict[int, Order]:
    ids = set(order_ids)
    if not ids:
        return {}
    return Order.objects.prefetch_related("refunds").in_bulk(ids)
