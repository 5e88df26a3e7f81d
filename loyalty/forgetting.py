"""What of this application is labeled with a customer's name in the audit log."""

from __future__ import annotations

from collections.abc import Sequence

from loyalty.models import Membership
from members.audit import target_of
from members.forgetting import register_forgetting
from members.models import Customer


def labeled(customers: Sequence[Customer]) -> list[str]:
    return [target_of(row) for row in Membership.objects.filter(customer__in=customers)]


def register() -> None:
    """Called once, when the application is ready."""
    register_forgetting("memberships", labeled)
