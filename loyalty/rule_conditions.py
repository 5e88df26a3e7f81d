"""The conditions of rules: what they may ask, read and made ready."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from members.conditions.fields import BEHAVIOR, CUSTOMER, LINE, MEMBER, ORDER, SEGMENTS
from members.conditions.predicate import Condition
from members.conditions.tree import Node, parse

# Rules for orders ask about the order, and about its buyer as they are before it.
RULE_SCOPES = frozenset({ORDER, LINE, CUSTOMER, BEHAVIOR, MEMBER, SEGMENTS})


def read_condition(when: Mapping[str, Any]) -> Node:
    """What somebody wrote. Raises ConditionError naming each node that is wrong."""
    return parse(when, scopes=RULE_SCOPES, path="when")


def stored_condition(when: Mapping[str, Any]) -> Condition | None:
    """A published condition ready to be asked; None where there is none. What it names may be gone
    meanwhile: it was there when it was published."""
    if not when:
        return None
    return Condition(parse(when, scopes=RULE_SCOPES, path="when", choices_known=False))
