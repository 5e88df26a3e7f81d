"""What units pay of members in a tier, where a program says that they pay more there."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from loyalty.models import Membership, WalletType
from loyalty.rules.spending import SpendingTerms, by_tier
from loyalty.selectors.member_tiers import standing_of, standings
from loyalty.selectors.rulebooks import ProgramTerms, fresh_terms


@dataclass(frozen=True, slots=True)
class Payer:
    """The terms of one kind of units as they are for a member. `tier`: the name of their tier,
    where it makes a difference; `base`: the terms of who has none, there."""

    terms: SpendingTerms
    tier: str = ""
    base: SpendingTerms | None = None


def terms_in(
    program: ProgramTerms, terms: SpendingTerms, membership: Membership | None, at: dt.datetime
) -> Payer:
    """Of units of a member, by the tier that they have then; of nobody's what a unit is worth."""
    if not terms.by_tier or membership is None or program.tiers is None:
        return Payer(terms)
    stands = standing_of(program, membership, at)
    return in_tier(program, terms, stands.ladder.id if stands else 0, stands.tier if stands else "")


def in_tier(program: ProgramTerms, terms: SpendingTerms, ladder: int, code: str) -> Payer:
    """The same, where the tier is known."""
    own = terms.in_tier(code)
    if own is terms or program.tiers is None:
        return Payer(own)
    return Payer(own, program.tiers.names.get((ladder, code), ""), terms)


def values_of_holders(
    kinds: Mapping[int, Iterable[WalletType]], at: dt.datetime
) -> dict[tuple[int, int], Decimal]:
    """By account and wallet type, what a unit pays of who holds it, where that is not what it is
    worth. `kinds`: of each account the kinds of units in it. No query where no program says so."""
    asked = {
        account: {kind.pk: kind for kind in held if kind.tier_values}
        for account, held in kinds.items()
    }
    accounts = [account for account, held in asked.items() if held]
    if not accounts:
        return {}
    by_program: defaultdict[int, list[Membership]] = defaultdict(list)
    for membership in Membership.objects.filter(account__in=accounts):
        by_program[membership.program_id].append(membership)
    found: dict[tuple[int, int], Decimal] = {}
    for program in fresh_terms().programs:
        stands = standings(program, by_program.get(program.id, []), at=at)
        for membership in by_program.get(program.id, []):
            tier = stands[membership.pk].tier if membership.pk in stands else ""
            for pk, kind in asked[membership.account_id].items():
                own = dict(by_tier(kind.tier_values)).get(tier)
                if own is not None:
                    found[membership.account_id, pk] = own
    return found
