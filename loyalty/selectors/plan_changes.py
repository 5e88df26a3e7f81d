"""What another plan would mean for a member: what it costs now, and from when on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from django.utils.translation import gettext as _

from loyalty.models import Membership, Plan, PlanCharge, PlanVersion, Program, Subscription
from loyalty.payments.providers import provider_named
from loyalty.plan_times import period_end, unused_part
from loyalty.selectors.plan_credits import Unused, unused_credits
from loyalty.selectors.plans import current_version
from loyalty.selectors.subscriptions import owner_of, paid_charge
from members.errors import ConflictError

State = Subscription.State
# At once or at the renewal, as the terms of the other plan say; or now, whatever they say.
When = Literal["offered", "now"]


@dataclass(frozen=True, slots=True)
class PlanChange:
    """What another plan would mean. `begins`: now, or when the present one renews; `pays_now` is
    its price, less what is left of the present payment (`taken_off`); `gives_back`: what is left
    beyond the price; `unused`: the units of that payment, which go with it."""

    version: PlanVersion
    at_once: bool
    begins: dt.datetime | None
    period_end: dt.datetime | None
    pays_now: Decimal
    taken_off: Decimal
    gives_back: Decimal = Decimal(0)
    unused: list[Unused] = field(default_factory=list)


def preview_change(
    subscription: Subscription, plan: Plan, *, now: dt.datetime, when: When = "offered"
) -> PlanChange:
    """What it would cost now, and from when on. Raises ConflictError where it cannot be."""
    if not subscription.running:
        raise ConflictError(_("This plan has ended."), code="plan_ended")
    refuse_change(subscription, plan)
    version, charge = current_version(plan), paid_charge(subscription, now)
    left = _left_of(subscription, charge, now)
    if when == "now":
        charge = _refuse_now(subscription, charge, plan, left - version.price)
    elif charge is None or not _at_once(subscription, version, left):
        later = subscription.period_end
        return PlanChange(version, False, later, None, Decimal(0), Decimal(0))
    zone = owner_of(subscription).program.zone
    ends = period_end(now.astimezone(zone).date(), version.months, 1, zone)
    assert charge is not None
    unused = unused_credits(charge, now=now) if left else []
    taken_off = min(left, version.price)
    return PlanChange(
        version, True, now, ends, version.price - taken_off, taken_off, left - taken_off, unused
    )


def refuse_change(subscription: Subscription, plan: Plan) -> None:
    """Raise ConflictError where a running plan cannot become that one."""
    if subscription.state == State.WAITING or subscription.cancel_at_period_end:
        raise ConflictError(
            _("It does not renew: cancel it, or take it up again, first."), code="no_renewal"
        )
    owner = owner_of(subscription)
    if plan == subscription.plan:
        return
    refuse_plan(plan, owner.program)
    if owner.status != Membership.Status.ACTIVE or owner.program.status != Program.Status.LIVE:
        raise ConflictError(_("Only active members of a live program can join."), code="inactive")


def refuse_plan(plan: Plan, program: Program) -> None:
    """Raise ConflictError where nobody can take the plan."""
    if plan.program_id != program.pk or not plan.offered:
        raise ConflictError(_("This plan is not offered."), code="plan_not_offered")


def _left_of(
    subscription: Subscription, charge: PlanCharge | None, now: dt.datetime
) -> Decimal:  # fmt: skip
    """What the days that are left have cost."""
    if charge is None:
        return Decimal(0)
    part = unused_part(
        charge.amount + charge.taken_off, charge.currency, start=charge.period_start,
        end=charge.period_end, at=now, zone=owner_of(subscription).program.zone,
    )  # fmt: skip
    return min(part, charge.remaining)


def _refuse_now(
    subscription: Subscription, charge: PlanCharge | None, plan: Plan, surplus: Decimal
) -> PlanCharge:
    """The payment for the present period; raises ConflictError where there is none to reckon with,
    or not enough of it came as money to give the rest of it back."""
    provider = provider_named(subscription.provider)
    if plan == subscription.plan:
        raise ConflictError(_("They have this plan already."), code="same_plan")
    if charge is None or subscription.state != State.ACTIVE:
        raise ConflictError(
            _("It changes at once only where the present period is paid for."), code="not_paid"
        )
    if surplus < 0 and provider.collects and not subscription.provider_method:
        raise ConflictError(_("There is no card to charge."), code="no_card")
    if surplus > charge.refundable:
        raise ConflictError(
            _(
                "What is left of the plan is worth more than was paid for this period. "
                "Change it at the renewal."
            ),
            code="not_refundable",
        )
    return charge


def _at_once(subscription: Subscription, wanted: PlanVersion, left: Decimal) -> bool:
    """Only where there is something to pay: whoever would get money back waits for the renewal."""
    old = subscription.version
    costs_more = wanted.price * old.months > old.price * wanted.months
    provider = provider_named(subscription.provider)
    return (
        wanted.upgrade == PlanVersion.Upgrade.AT_ONCE
        and subscription.state == State.ACTIVE
        and costs_more
        and wanted.price > left
        and bool(subscription.provider_method or not provider.collects)
    )
