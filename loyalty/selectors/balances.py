"""What members hold, ready to be shown: units, what they are worth, what lapses next."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from loyalty.ledger.balances import Holding, Lapse, holdings, next_lapses
from loyalty.models import NEVER, Membership, Wallet, WalletType


@dataclass(frozen=True, slots=True)
class Balance:
    """One wallet at an instant. Units are integers at `wallet_type.scale`; `worth` is money in the
    program's currency. `blocked`: nothing can be spent while something is owed."""

    wallet: Wallet
    wallet_type: WalletType
    spendable: int
    balance: int
    pending: int
    owed: int
    blocked: bool
    worth: Decimal
    exact_until: dt.datetime | None
    next_lapse: Lapse | None


def get_balances(membership: Membership, now: dt.datetime) -> list[Balance]:
    """The membership's wallets, in the program's order."""
    return balances_of([membership], now)[membership.pk]


def balances_of(memberships: Iterable[Membership], now: dt.datetime) -> dict[int, list[Balance]]:
    """By membership key; at most three queries, however many memberships."""
    by_account = {membership.account_id: membership.pk for membership in memberships}
    found = balances_of_accounts(by_account, now)
    return {pk: found.get(account_id, []) for account_id, pk in by_account.items()}


def balances_of_accounts(account_ids: Iterable[int], now: dt.datetime) -> dict[int, list[Balance]]:
    """By account key, of those that have wallets; at most three queries."""
    wallets = list(
        Wallet.objects.filter(account__in=list(account_ids))
        .select_related("wallet_type__program")
        .order_by("wallet_type_id")
    )
    held = holdings(wallets, now)
    lapses = next_lapses([wallet.pk for wallet in wallets], now)
    found: defaultdict[int, list[Balance]] = defaultdict(list)
    for wallet in wallets:
        found[wallet.account_id].append(
            _balance(wallet, held[wallet.pk], lapses.get(wallet.pk), now)
        )
    return found


def worth_of(units: int, wallet_type: WalletType) -> Decimal:
    """Money in the program's currency; not rounded."""
    value: Decimal = wallet_type.unit_value
    return (units * value).scaleb(-wallet_type.scale)


def _balance(wallet: Wallet, held: Holding, lapse: Lapse | None, now: dt.datetime) -> Balance:
    exact = wallet.next_change_at if now < wallet.next_change_at < NEVER else None
    return Balance(
        wallet=wallet,
        wallet_type=wallet.wallet_type,
        spendable=held.spendable,
        balance=held.balance,
        pending=held.pending,
        owed=held.owed,
        blocked=held.blocked,
        worth=worth_of(held.spendable, wallet.wallet_type),
        exact_until=exact,
        next_lapse=lapse,
    )
