"""Adjustments that take what orders earned, because it was judged to be misuse: what each is of,
what it reaches beyond what can be spent, and what follows when it is undone."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db.models import Sum
from django.utils.translation import gettext as _

from loyalty.ledger.posting import Movement, lock_wallets
from loyalty.models import Order, OrderTaking, Transfer, Wallet
from loyalty.selectors.order_takings import PREFIX, Place, places_of, taken_of
from loyalty.selectors.rulebooks import Terms, terms_of
from loyalty.services.order_batches import Enrolling, Wanted, open_batch
from loyalty.services.order_inputs import CustomerRef
from loyalty.services.pool_shares import brought_back
from loyalty.services.reconciliation import reconcile_orders
from members.errors import ConflictError


def note_taking(key: str, parts: Iterable[tuple[int, int]]) -> None:
    """Write down of which accruals an adjustment with this key takes how much, before it is made or
    asked for."""
    OrderTaking.objects.bulk_create(
        OrderTaking(key=key, accrual_id=accrual, units=units) for accrual, units in parts
    )


def beyond_spendable(key: str, wallet: Wallet, units: int, *, now: dt.datetime) -> int:
    """How many of the units that an adjustment with this key takes are none that can be spent: they
    wait, or are in a pool."""
    accruals = list(OrderTaking.objects.filter(key=key).values_list("accrual", flat=True))
    if not accruals:
        return 0
    place = places_of({wallet.pk: accruals}, now)[wallet.pk]
    return min(units, place.waiting) + max(min(place.pooled, units - place.held), 0)


def reach(entry: Movement, wallet: Wallet, *, now: dt.datetime) -> list[Movement]:
    """What goes before an adjustment that takes what orders earned: what their holder's pool has of
    it comes back. The adjustment takes what is left of these orders first, also what cannot be
    spent yet. Raises ConflictError where it is no longer theirs to lose."""
    parts = list(OrderTaking.objects.filter(key=entry["key"]).values_list("accrual", "units"))
    if not parts or Transfer.objects.filter(key=entry["key"]).exists():
        return []
    accruals = [accrual for accrual, _units in parts]
    found = places_of({wallet.pk: accruals}, now)[wallet.pk]
    lock_wallets([pk for pk in (wallet.pk, found.pool_wallet) if pk is not None])
    _require_left(dict(parts))
    place = places_of({wallet.pk: accruals}, now)[wallet.pk]
    entry["owns"] = accruals
    return _from_pool(entry, wallet, place)


def _from_pool(entry: Movement, wallet: Wallet, place: Place) -> list[Movement]:
    units = min(place.pooled, entry["n"] - place.held)
    if place.pool_wallet is None or units <= 0:
        return []
    pool = Wallet.objects.get(pk=place.pool_wallet)
    program = terms_of(wallet.wallet_type.program)
    return [brought_back(entry, program, pool, units, place.pool_lots)]


def _require_left(parts: dict[int, int]) -> None:
    """A refund may have taken it since a second person was asked."""
    taken = taken_of(parts)
    corrections = Transfer.objects.filter(corrects__in=list(parts)).values("corrects")
    gone = dict(corrections.annotate(units=Sum("amount")).values_list("corrects", "units"))
    for row in Transfer.objects.filter(pk__in=list(parts)):
        left = row.amount - gone.get(row.pk, 0) - sum(one.units for one in taken[row.pk])
        if parts[row.pk] > left:
            raise ConflictError(
                _(
                    "An order of these was refunded since this was asked, which took some of it. "
                    "Reject it, and take back what is left."
                ),
                code="changed",
            )


# The terms of orders that are held, and their numbers.
Held = list[tuple[Terms, list[int]]]


def hold_orders_of(transfer: Transfer) -> Held:
    """Before such an adjustment is undone: the orders that it was of, with all locks that looking
    at them anew takes."""
    if not transfer.key.startswith(PREFIX):
        return []
    orders = Order.objects.filter(
        transfers__takings__key=transfer.key, customer__isnull=False
    ).select_related("customer").distinct().order_by("pk")  # fmt: skip
    by_source: dict[str, list[Order]] = defaultdict(list)
    for order in orders:
        by_source[order.source].append(order)
    return [(_hold(source, found), [order.pk for order in found])
            for source, found in sorted(by_source.items())]  # fmt: skip


def _hold(source: str, orders: Sequence[Order]) -> Terms:
    terms, _opened = open_batch(
        [
            Wanted(order.external_id, CustomerRef(key=order.customer_id), order.placed_at)
            for order in orders
        ],
        source=source,
        program_ids=None,
        enrolling=Enrolling(never=True),
    )
    return terms


def follow_undone(held: Held, *, source: str, now: dt.datetime) -> None:
    """What came back is theirs as far as the orders deserve it as they are now: what was refunded
    meanwhile goes."""
    for terms, orders in held:
        reconcile_orders(orders, terms=terms, now=now, transfer_source=source, causes={})
