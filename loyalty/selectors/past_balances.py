"""What a member held at an instant, ready to be shown: balances, and the lots that made them up."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet

from loyalty.descriptions import describe_expiry, describe_pending
from loyalty.ledger.balances import Holding, Lapse
from loyalty.ledger.past import LotThen, held_lots_then, holdings_then
from loyalty.models import NEVER, LotPolicy, Membership, Transfer, Wallet, WalletType
from loyalty.selectors.balances import values_of_wallets, worth_of
from loyalty.selectors.lot_policies import expiry_of, pending_of


@dataclass(frozen=True, slots=True)
class PastLot:
    """A lot with where its units came from (`origin`) and its terms in words."""

    lot: LotThen
    origin: Transfer
    terms: str


@dataclass(frozen=True, slots=True)
class PastBalance:
    """One wallet as it was, with its lots, those that expired first first. Units are integers at
    `wallet_type.scale`; `worth` is money in the program's currency, at what a unit is worth
    today, or pays in the tier of then; `value` is that of a whole one."""

    wallet: Wallet
    wallet_type: WalletType
    held: Holding
    worth: Decimal
    value: Decimal
    lots: Sequence[LotThen]
    at: dt.datetime

    @property
    def next_lapse(self) -> Lapse | None:
        """What would expire first, and when."""
        ends = [lot.expires_at for lot in self.lots if lot.expires_at is not None]
        if not ends:
            return None
        first = min(ends)
        return Lapse(sum(lot.remaining for lot in self.lots if lot.expires_at == first), first)

    @property
    def exact_until(self) -> dt.datetime | None:
        """The first instant after it at which a lot would mature or expire; None: ever."""
        times = [lot.spendable_at for lot in self.lots]
        times += [lot.expires_at for lot in self.lots if lot.expires_at is not None]
        return min((time for time in times if self.at < time < NEVER), default=None)


def past_balances(membership: Membership, at: dt.datetime) -> list[PastBalance]:
    """The membership's wallets in the program's order; three queries."""
    return balances_then(Wallet.objects.filter(account=membership.account_id), at)


def balances_then(wallets: QuerySet[Wallet], at: dt.datetime) -> list[PastBalance]:
    """What these wallets held, in the order of their wallet types."""
    chosen = list(wallets.select_related("wallet_type__program").order_by("wallet_type_id"))
    ids = [wallet.pk for wallet in chosen]
    held, values = holdings_then(ids, at), values_of_wallets(chosen, at)
    lots: defaultdict[int, list[LotThen]] = defaultdict(list)
    for lot in held_lots_then(ids, at):
        lots[lot.wallet_id].append(lot)
    return [
        PastBalance(
            wallet=wallet,
            wallet_type=wallet.wallet_type,
            held=held[wallet.pk],
            worth=worth_of(held[wallet.pk].spendable, wallet.wallet_type, values.get(wallet.pk)),
            value=values.get(wallet.pk, wallet.wallet_type.unit_value),
            lots=lots[wallet.pk],
            at=at,
        )
        for wallet in chosen
    ]


def with_origins(lots: Sequence[LotThen]) -> list[PastLot]:
    """The lots with where they came from and their terms in words; two queries."""
    policies = {
        policy.pk: f"{describe_pending(pending_of(policy))} {describe_expiry(expiry_of(policy))}"
        for policy in LotPolicy.objects.filter(pk__in={lot.policy_id for lot in lots})
    }
    origins = Transfer.objects.select_related("order").in_bulk({lot.origin_id for lot in lots})
    return [PastLot(lot, origins[lot.origin_id], policies[lot.policy_id]) for lot in lots]
