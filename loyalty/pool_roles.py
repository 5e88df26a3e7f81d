"""What members are in a pool, and what that lets them do: the one table of it."""

from __future__ import annotations

from enum import StrEnum, auto


class Right(StrEnum):
    # Without limit and without asking anybody.
    SPEND_FREELY = auto()
    # Decides what others ask for.
    DECIDE = auto()


OWNER, MEMBER, BUYER, APPROVER = "owner", "member", "buyer", "approver"
HOUSEHOLD, COMPANY = "household", "company"

# Whoever has no right of these spends as the pool says, and in a company up to its limits.
RIGHTS: dict[str, frozenset[Right]] = {
    OWNER: frozenset(Right),
    APPROVER: frozenset(Right),
    BUYER: frozenset(),
    MEMBER: frozenset(),
}
# The last is what somebody is who joins.
ROLES_OF: dict[str, tuple[str, ...]] = {
    HOUSEHOLD: (OWNER, MEMBER),
    COMPANY: (OWNER, APPROVER, BUYER),
}


def has_right(role: str, right: Right) -> bool:
    return right in RIGHTS[role]


def fitting_role(kind: str, role: str) -> str:
    """The role in a pool of this kind: who is a plain member of a company buys for it."""
    plain = ROLES_OF[kind][-1]
    return plain if role in (MEMBER, BUYER) else role
