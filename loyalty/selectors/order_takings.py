"""What was taken by hand of what orders earned, because it was judged to be misuse; and where what
orders earned is now."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from loyalty.ledger.balances import holdings
from loyalty.models import OrderTaking, Pool, PoolMember, Transfer, Wallet
from loyalty.selectors.lots import open_lots

# The names of adjustments that a fraud case makes begin with it.
PREFIX = "risk:"


def takings_in_force() -> QuerySet[Any]:
    """Those that were made and not undone, with the number of the movement as `made_by`."""
    made = Transfer.objects.filter(key=OuterRef("key"))
    return OrderTaking.objects.annotate(made_by=Subquery(made.values("pk")[:1])).filter(
        ~Exists(Transfer.objects.filter(reverses__key=OuterRef("key"))), made_by__isnull=False
    )


@dataclass(frozen=True, slots=True)
class Taken:
    """So many units, by the adjustment with this key and number."""

    key: str
    made_by: int
    units: int


def taken_of(accruals: Iterable[int]) -> dict[int, list[Taken]]:
    """What is in force of what was taken, by what it was taken of."""
    found: dict[int, list[Taken]] = defaultdict(list)
    rows = takings_in_force().filter(accrual__in=list(accruals)).order_by("pk")
    for accrual, *taken in rows.values_list("accrual", "key", "made_by", "units"):
        found[accrual].append(Taken(*taken))
    return found


@dataclass(frozen=True, slots=True)
class Place:
    """What there is of what orders earned: in its holder's wallet, of which some cannot be spent
    yet, and in the pool that they share. By accrual as well, so that what is taken has a name."""

    held: int = 0
    waiting: int = 0
    pooled: int = 0
    pool_wallet: int | None = None
    pool_lots: tuple[int, ...] = ()
    by_accrual: Mapping[int, int] = field(default_factory=dict)


def places_of(accruals: Mapping[int, Iterable[int]], now: dt.datetime) -> dict[int, Place]:
    """By wallet, of these accruals in each."""
    pools = _pool_wallets(accruals)
    wanted = {wallet: set(keys) for wallet, keys in accruals.items()}
    lots = open_lots([*wanted, *pools.values()], now).filter(
        origin__in={key for keys in wanted.values() for key in keys}
    )
    rows = list(lots.values_list("pk", "wallet", "origin", "remaining", "spendable_at"))
    free = _free(pools.values(), now)
    return {
        wallet: _place(
            [row for row in rows if row[1] == wallet and row[2] in keys],
            [row for row in rows if row[1] == pools.get(wallet) and row[2] in keys],
            pools.get(wallet), free, now,
        )
        for wallet, keys in wanted.items()
    }  # fmt: skip


_Row = tuple[int, int, int, int, dt.datetime]


def _place(
    own: list[_Row], shared: list[_Row], pool: int | None, free: Mapping[int, int], now: dt.datetime
) -> Place:  # fmt: skip
    by_accrual: dict[int, int] = defaultdict(int)
    for _pk, _wallet, origin, units, _at in [*own, *shared]:
        by_accrual[origin] += units
    pooled = sum(row[3] for row in shared)
    return Place(
        held=sum(row[3] for row in own),
        waiting=sum(row[3] for row in own if row[4] > now),
        pooled=min(pooled, free[pool]) if pool is not None else 0,
        pool_wallet=pool,
        pool_lots=tuple(row[0] for row in shared),
        by_accrual=by_accrual,
    )


def _pool_wallets(wallets: Iterable[int]) -> dict[int, int]:
    """The wallets of the pools that the holders of these share now."""
    own = list(Wallet.objects.filter(pk__in=wallets).values_list("pk", "account", "wallet_type"))
    members = PoolMember.objects.filter(
        membership__account__in=[account for _pk, account, _type in own], left_at=None,
        pool__status=Pool.Status.OPEN,
    )  # fmt: skip
    pools = dict(members.values_list("membership__account", "pool__account"))
    if not pools:
        return {}
    common = Wallet.objects.filter(account__in=pools.values())
    rows = common.values_list("pk", "account", "wallet_type")
    by_type = {(account, kind): pk for pk, account, kind in rows}
    return {
        pk: by_type[pools[account], kind]
        for pk, account, kind in own
        if account in pools and (pools[account], kind) in by_type
    }


def _free(wallets: Iterable[int], now: dt.datetime) -> dict[int, int]:
    """What pools hold beyond what they owe."""
    held = holdings(Wallet.objects.filter(pk__in=list(wallets)), now)
    return {pk: max(one.balance + one.pending - one.owed, 0) for pk, one in held.items()}
