"""What always earns something for a member, beside what is on for a while."""

from __future__ import annotations

import datetime as dt

from loyalty.models import Membership, Program
from loyalty.selectors.program_terms import RuleTerms, rules_in_force


def can_earn(membership: Membership) -> bool:
    live = membership.program.status == Program.Status.LIVE
    return live and membership.status == Membership.Status.ACTIVE


def standing_rules(membership: Membership, now: dt.datetime) -> list[RuleTerms]:
    """The rules that count now, in words. What a promotion or a challenge brings is said there."""
    if not can_earn(membership):
        return []
    return [rule for rule in rules_in_force(membership.program, now) if not rule.of_campaign]
