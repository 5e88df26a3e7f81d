"""Terms of units, as a program file says them."""

from __future__ import annotations

from loyalty.models import LotPolicy
from loyalty.unit_definitions import ExpiryDefinition, PendingDefinition


def pending_of(policy: LotPolicy) -> PendingDefinition:
    """When units mature, as a program file says it."""
    return PendingDefinition(pending_from=policy.pending_from, pending_days=policy.pending_days)


def expiry_of(policy: LotPolicy) -> ExpiryDefinition:
    """When units expire, as a program file says it."""
    usual = policy.renewed_by == ["accrual", "redemption"]
    return ExpiryDefinition(
        kind=policy.kind,
        length=policy.length,
        period=policy.period,
        month_day=policy.month_day,
        counted_from=policy.counted_from,
        last_day=policy.last_day,
        renewed_by=() if usual else tuple(policy.renewed_by),
        restored_days=policy.restored_days,
        warned_days=policy.warned_days,
    )
