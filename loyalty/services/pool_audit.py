"""What is written down about members of pools: with the pool by their card, with the customer by
the pool's name. So no record names anybody but whom it is about."""

from __future__ import annotations

from typing import Any

from loyalty.models import PoolMember
from members.services.audit import Actor, record_audit


def record_pool_audit(
    *,
    actor: Actor,
    action: str,
    member: PoolMember,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """One entry for the pool and one for the member's customer."""
    pool, membership = member.pool, member.membership
    for target, named in (
        (pool, {"card_number": membership.card_number}), (membership.customer, {"pool": pool.name})
    ):  # fmt: skip
        record_audit(
            actor=actor,
            action=action,
            target=target,
            before=before,
            after=named | (after or {}),
        )
