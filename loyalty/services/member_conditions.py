"""Which conditions hold for a member now, where there is no order: the facts are looked up as for
rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loyalty.models import Membership, WalletType
from loyalty.rules.bodies import FixedBody
from loyalty.rules.engine import RuleVersion
from loyalty.rules.facts import NOTHING, Deed
from loyalty.selectors.rulebooks import fresh_terms
from loyalty.services.contexts import Wish, with_contexts
from members.conditions.moments import Moment
from members.conditions.predicate import Condition

# Facts are looked up for rules; what these would give is not asked.
_ASKING = FixedBody(kind="fixed", units=1)


@dataclass(frozen=True, slots=True)
class AskedOfMember:
    """A condition by a key of the caller's. `wallet_type`: the units whose balance it asks for."""

    key: int
    condition: Condition
    wallet_type: WalletType


def conditions_met(
    asked: Iterable[AskedOfMember], membership: Membership, now: dt.datetime
) -> set[int]:
    """The keys of those that hold. A constant number of queries, none where nothing is asked."""
    versions = [
        RuleVersion(
            item.key, "", 1, item.wallet_type.pk, item.wallet_type.scale, _ASKING,
            when=item.condition,
        )
        for item in asked
    ]  # fmt: skip
    if not versions:
        return set()
    terms = next(item for item in fresh_terms().programs if item.id == membership.program_id)
    day = Deed(NOTHING, Moment(now, terms.zone))
    [wish] = with_contexts([Wish(terms, versions, membership.pk, membership.customer_id, day)])
    return {
        version.id
        for version in versions
        if version.when is not None
        and version.when.holds(day, wish.context.answers.get(version.id, ""))
    }


def members_meeting(
    condition: Condition, memberships: Sequence[Membership], now: dt.datetime
) -> set[int]:
    """The keys of those members of one program for whom a condition holds. A constant number of
    queries."""
    if not memberships:
        return set()
    program = memberships[0].program_id
    unit = WalletType.objects.filter(program=program).order_by("pk").first()
    if unit is None:
        return set()
    terms = next(item for item in fresh_terms().programs if item.id == program)
    version = RuleVersion(1, "", 1, unit.pk, unit.scale, _ASKING, when=condition)
    day = Deed(NOTHING, Moment(now, terms.zone))
    wishes = [Wish(terms, [version], item.pk, item.customer_id, day) for item in memberships]
    return {
        item.pk
        for item, wish in zip(memberships, with_contexts(wishes), strict=True)
        if condition.holds(day, wish.context.answers.get(version.id, ""))
    }
