"""What this application tells outside; registered when it is ready."""

from __future__ import annotations

from members.public_events import register_event_source


def register() -> None:
    """Called once, when the application is ready."""
    from loyalty.selectors.telling import memberships, movements, orders, plans, risk

    for kind, teller, types in (
        ("told.memberships", memberships.tell_memberships, memberships.MEMBERSHIP_TYPES),
        ("tier.changed", memberships.tell_tiers, memberships.TIER_TYPES),
        ("told.transfers", movements.tell_movements, movements.TYPES),
        ("told.orders", orders.tell_orders, orders.ORDER_TYPES),
        ("told.refunds", orders.tell_refunds, orders.REFUND_TYPES),
        ("told.activities", orders.tell_activities, orders.ACTIVITY_TYPES),
        ("told.subscriptions", plans.tell_plans, plans.PLAN_TYPES),
        ("told.risk_cases", risk.tell_cases, risk.CASE_TYPES),
        ("told.goals", plans.tell_goals, plans.GOAL_TYPES),
    ):
        register_event_source(kind, teller, types)
