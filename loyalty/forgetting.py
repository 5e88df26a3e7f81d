"""What becomes of what this application knows of a customer who is erased, and what of it is
labeled with their name in the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from loyalty.models import Membership, RiskCase, RiskScore, Subscription
from loyalty.selectors.balances import balances_of
from loyalty.services.risk_lookalikes import forget_lookalikes
from members.audit import target_of
from members.forgetting import register_erased, register_forgetting, register_warning
from members.formatting import format_units
from members.models import Customer

ERASED = {
    "memberships": _("They stay, by their numbers alone."),
    "risk": _("Deleted."),
    "passes": _("It becomes void. Which phones have it is forgotten 30 days later."),
    "units": _("Every movement stays, and names nobody: the books must agree."),
    "orders": _("They stay as sales under their order numbers, and name nobody."),
    "activities": _("That it happened stays, without a name."),
    "plans": _("What was paid stays: invoices must be kept."),
    "giving": _("What charities were given stays, and names nobody."),
    "pools": _("Their place in it stays, without a name."),
}


def labeled(customers: Sequence[Customer]) -> list[str]:
    return [target_of(row) for row in Membership.objects.filter(customer__in=customers)]


def forget_risk(customers: Sequence[Customer]) -> list[str]:
    scores = RiskScore.objects.filter(membership__customer__in=customers)
    # Whoever works them out or decides a case takes these locks before the customer's, which is
    # locked here already: one of the two may have to begin anew.
    list(scores.select_for_update(of=("self",)).order_by("pk"))
    RiskCase.objects.filter(membership__customer__in=customers).delete()
    scores.delete()
    forget_lookalikes([customer.pk for customer in customers])
    return []


def units_held(customer: Customer, now: datetime) -> list[str]:
    members = Membership.objects.filter(customer=customer)
    held = [
        format_units(one.balance, one.wallet_type)
        for found in balances_of(members, now).values()
        for one in found
        if one.balance
    ]
    if not held:
        return []
    words = gettext(
        "They hold %s. That stays in the books until it expires, and nobody can spend it."
    )
    return [words % ", ".join(held)]


def plans_running(customer: Customer, now: datetime) -> list[str]:
    plans = Subscription.objects.filter(
        membership__customer=customer, ended_at=None, cancel_at_period_end=False
    )
    words = gettext("%s is a paid plan that goes on to be charged. Cancel it first.")
    return [words % plan.version.name for plan in plans.select_related("version")]


def register() -> None:
    """Called once, when the application is ready."""
    register_forgetting("memberships", labeled)
    register_forgetting("risk", forget_risk)
    register_erased(ERASED)
    register_warning("units", units_held)
    register_warning("plans", plans_running)
