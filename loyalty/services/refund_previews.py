"""What a refund would take back, before it is made: it is recorded, looked at, and undone again.

So the preview is what will happen, and not a second calculation of it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from loyalty.ledger.balances import Holding, holdings
from loyalty.models import Refund, Transfer, Wallet
from loyalty.selectors.given_back import GivenBack, given_back
from loyalty.services.order_inputs import RefundInput
from loyalty.services.refunds import record_refunds
from members.services.transactions import run_atomically

# What a clawback brings along: expiries that it offsets, debts that are written off, what a pool
# gives back to whoever earned it.
_BROUGHT_ALONG = {
    Transfer.Kind.REINSTATEMENT, Transfer.Kind.WRITE_OFF, Transfer.Kind.POOL
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class WalletEffect:
    """One wallet before and after, and the movements between, with all that explains them."""

    wallet: Wallet
    before: Holding
    after: Holding
    movements: tuple[Transfer, ...]


@dataclass(frozen=True, slots=True)
class RefundPreview:
    """`known`: a refund with this number was recorded already, and would change nothing.
    `parked`: its order has not come yet, so it would wait."""

    known: bool
    parked: bool
    effects: tuple[WalletEffect, ...]
    given_back: GivenBack


def preview_refund(refund: RefundInput, *, now: dt.datetime) -> RefundPreview:
    """The effect of a refund that is not recorded. Raises what recording it would raise."""
    return run_atomically(lambda: _rehearse(refund, now))


def _rehearse(refund: RefundInput, now: dt.datetime) -> RefundPreview:
    before = Transfer.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    with transaction.atomic():
        [result] = record_refunds([refund], now=now, transfer_source=Transfer.Source.API)
        made = list(_made(result.refund_id, before))
        divides = given_back(Refund.objects.select_related("order").get(pk=result.refund_id))
        wallet_ids = {transfer.wallet_id for transfer in made}
        after = _held(wallet_ids, now)
        transaction.set_rollback(True)
    held = _held(wallet_ids, now)
    effects = tuple(
        WalletEffect(
            wallet,
            holding,
            after[pk][1],
            tuple(transfer for transfer in made if transfer.wallet_id == pk),
        )
        for pk, (wallet, holding) in sorted(held.items())
    )
    return RefundPreview(result.outcome == "unchanged", result.parked, effects, divides)


def _made(refund_id: int, before: int) -> list[Transfer]:
    """The movements that followed from the refund: its own, and those of its order."""
    refund = Refund.objects.get(pk=refund_id)
    found = Transfer.objects.filter(pk__gt=before).select_related(
        "wallet", "wallet_type__program", "order", "refund", "actor"
    )
    mine = [transfer for transfer in found if transfer.refund_id == refund_id]
    if refund.order_id:
        mine += [
            transfer
            for transfer in found
            if transfer.refund_id != refund_id and transfer.order_id == refund.order_id
        ]
    wallets = {transfer.wallet_id for transfer in mine}
    keys = {transfer.pk for transfer in mine}
    mine += [
        transfer
        for transfer in found
        if transfer.pk not in keys
        and transfer.wallet_id in wallets
        and transfer.kind in _BROUGHT_ALONG
    ]
    return sorted(mine, key=lambda transfer: transfer.pk)


def _held(wallet_ids: set[int], now: dt.datetime) -> dict[int, tuple[Wallet, Holding]]:
    wallets = list(Wallet.objects.filter(pk__in=wallet_ids).select_related("wallet_type__program"))
    found = holdings(wallets, now)
    return {wallet.pk: (wallet, found[wallet.pk]) for wallet in wallets}
