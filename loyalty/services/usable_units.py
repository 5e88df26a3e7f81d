"""How many of their units members can use for a basket, by the terms of their kind."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from loyalty.ledger.balances import holdings
from loyalty.models import Wallet
from loyalty.rules.spending import SpendingTerms
from loyalty.selectors.rulebooks import ProgramTerms
from loyalty.selectors.tier_worth import in_tier


@dataclass(frozen=True, slots=True)
class UsableUnits:
    """Of one kind of units. `most`: how many can be used for the basket; 0: none. `tier`: the name
    of the buyer's tier, where they pay another worth in it."""

    wallet_type_id: int
    terms: SpendingTerms
    spendable: int
    most: int
    tier: str = ""


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
    program: ProgramTerms, spendable: Mapping[int, int], total: Decimal,
    tier: Callable[[], tuple[int, str]],
) -> tuple[UsableUnits, ...]:  # fmt: skip
    """Of each kind of units of some worth, for a basket of so much. `tier`: finds the ladder and
    tier that the buyer has before it, where that makes a difference."""
    units = [unit for unit in program.units.values() if unit.spending.unit_value]
    asked = any(unit.spending.by_tier for unit in units)
    ladder, code = tier() if asked else (0, "")
    found = []
    for unit in units:
        payer, held = in_tier(program, unit.spending, ladder, code), spendable.get(
            unit.wallet_type_id, 0
        )  # fmt: skip
        most = payer.terms.most(held, payer.terms.room(total))
        found.append(UsableUnits(unit.wallet_type_id, payer.terms, held, most, payer.tier))
    return tuple(found)
