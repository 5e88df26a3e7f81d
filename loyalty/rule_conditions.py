"""The conditions of rules: what they may ask, read and made ready."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from members.conditions.fields import (
    ACTIVITY,
    CODES,
    COMPANY,
    JOINED,
    LINE,
    OFFERS,
    ORDER,
)
from members.conditions.predicate import Condition
from members.conditions.scopes import OF_CUSTOMERS
from members.conditions.tree import Node, parse

# What all rules may ask about a member, as they are before what is judged.
_MEMBER_SCOPES = OF_CUSTOMERS | {JOINED, COMPANY}
# Rules for orders ask about the order, and what its buyer is offered, too.
RULE_SCOPES = _MEMBER_SCOPES | {ORDER, LINE, CODES, OFFERS}
# Rules for activities ask about the activity instead.
ACTIVITY_SCOPES = _MEMBER_SCOPES | {ACTIVITY}
# Rules for days of the year know nothing but the member.
OCCASION_SCOPES = _MEMBER_SCOPES


def scopes_for(kind: str) -> frozenset[str]:
    """What rules of a kind may ask about."""
    others = {"activity": ACTIVITY_SCOPES, "occasion": OCCASION_SCOPES}
    return others.get(kind, RULE_SCOPES)


def read_condition(when: Mapping[str, Any], kind: str = "rate") -> Node:
    """What somebody wrote for a rule of this kind. Raises ConditionError naming each node that is
    wrong."""
    return parse(when, scopes=scopes_for(kind), path="when")


def stored_condition(when: Mapping[str, Any]) -> Condition | None:
    """A published condition ready to be asked; None where there is none. What it names may be gone
    meanwhile: it was there when it was published."""
    if not when:
        return None
    scopes = RULE_SCOPES | ACTIVITY_SCOPES
    return Condition(parse(when, scopes=scopes, path="when", choices_known=False))
