"""How many of their units members can use for a basket, by the terms of their kind."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from loyalty.ledger.balances import holdings
from loyalty.models import Wallet
from loyalty.rules.spending import SpendingTerms
from loyalty.selectors.rulebooks import ProgramTerms


@dataclass(frozen=True, slots=True)
class UsableUnits:
    """Of one kind of units. `most`: how many can be used for the basket; 0: none."""

    wallet_type_id: int
    terms: SpendingTerms
    spendable: int
    most: int


def spendable_units(membership_ids: Iterable[int], at: dt.datetime) -> dict[int, dict[int, int]]:
    """What members can spend, by membership and wallet type; two queries at most."""
    ids = list(membership_ids)
    if not ids:
        return {}
    wallets = list(
        Wallet.objects.filter(account__membership__in=ids).select_related("account__membership")
    )
    held = holdings(wallets, at)
    found: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for wallet in wallets:
        found[wallet.account.membership.pk][wallet.wallet_type_id] = held[wallet.pk].spendable
    return found


def usable_for(
    program: ProgramTerms, spendable: Mapping[int, int], total: Decimal
) -> tuple[UsableUnits, ...]:
    """Of each kind of units of some worth, for a basket of so much."""
    return tuple(
        UsableUnits(
            unit.wallet_type_id,
            unit.spending,
            spendable.get(unit.wallet_type_id, 0),
            unit.spending.most(spendable.get(unit.wallet_type_id, 0), unit.spending.room(total)),
        )
        for unit in program.units.values()
        if unit.spending.unit_value
    )
