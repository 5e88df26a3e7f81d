"""The locks of what members took: its wallets, its row, its voucher, always in this order."""

from __future__ import annotations

from collections.abc import Sequence

from loyalty.ledger.posting import lock_with_kept
from rewards.models import Redemption, Voucher
from rewards.selectors.redemptions import locked_row
from rewards.services.given_value import value_wallets


def lock_wallets_of(taken: Sequence[Redemption]) -> None:
    """The wallets that they were paid from or into, and those that these were merged into; of what
    was given, or cost nothing, only those that it gave something to."""
    own = [item.spent.wallet_id for item in taken if item.spent is not None]
    lock_with_kept([*own, *value_wallets(taken)])


def lock_taken(taken: Sequence[Redemption]) -> None:
    """All of a piece of work before any of it changes: wallets, then rows. From the first change
    on a reward is locked, and whoever waits for that has locked their own before."""
    lock_wallets_of(taken)
    rows = Redemption.objects.select_for_update().order_by("pk").values_list("pk")
    list(rows.filter(pk__in=[item.pk for item in taken]))


def lock_redemption(redemption: Redemption) -> Redemption:
    """The row as it is now, its wallet locked before it and its voucher after it."""
    lock_wallets_of([redemption])
    found = locked_row(redemption.pk)
    if found.voucher_id is not None:
        found.voucher = Voucher.objects.select_for_update().get(pk=found.voucher_id)
    return found
