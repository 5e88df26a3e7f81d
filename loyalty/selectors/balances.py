"""What members hold, ready to be shown: units, what they are worth, what lapses next."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from loyalty.ledger.balances import Holding, Lapse, holdings, next_lapses
from loyalty.models import NEVER, Membership, Wallet, WalletType
from loyalty.selectors.tier_worth import values_of_holders


@dataclass(frozen=True, slots=True)
class Balance:
    """One wallet at an instant. Units are integers at `wallet_type.scale`; `worth` is money in the
    program's currency, `value` what a whole one pays. `blocked`: nothing can be spent while
    something is owed."""

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
    value: Decimal


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
    values = values_of_wallets(wallets, now)
    lapses = next_lapses([wallet.pk for wallet in wallets], now)
    found: defaultdict[int, list[Balance]] = defaultdict(list)
    for wallet in wallets:
        found[wallet.account_id].append(
            _balance(wallet, held[wallet.pk], lapses.get(wallet.pk), now, values.get(wallet.pk))
        )
    return found


def worth_of(units: int, wallet_type: WalletType, own: Decimal | None = None) -> Decimal:
    """Money in the program's currency; not rounded. `own`: what one pays of who holds them, where
    that is not what it is worth."""
    value: Decimal = wallet_type.unit_value if own is None else own
    return (units * value).scaleb(-wallet_type.scale)


def values_of_wallets(wallets: Sequence[Wallet], at: dt.datetime) -> dict[int, Decimal]:
    """By wallet, what a unit in it pays of its member in their tier of then, where that is not what
    it is worth; no query where no program says so."""
    kinds: defaultdict[int, list[WalletType]] = defaultdict(list)
    for wallet in wallets:
        kinds[wallet.account_id].append(wallet.wallet_type)
    found = values_of_holders(kinds, at)
    own = {wallet.pk: found.get((wallet.account_id, wallet.wallet_type_id)) for wallet in wallets}
    return {pk: value for pk, value in own.items() if value is not None}


def _balance(
    wallet: Wallet, held: Holding, lapse: Lapse | None, now: dt.datetime, own: Decimal | None
) -> Balance:
    exact = wallet.next_change_at if now < wallet.next_change_at < NEVER else None
    return Balance(
        wallet=wallet,
        wallet_type=wallet.wallet_type,
        spendable=held.spendable,
        balance=held.balance,
        pending=held.pending,
        owed=held.owed,
        blocked=held.blocked,
        worth=worth_of(held.spendable, wallet.wallet_type, own),
        exact_until=exact,
        next_lapse=lapse,
        value=wallet.wallet_type.unit_value if own is None else own,
    )
