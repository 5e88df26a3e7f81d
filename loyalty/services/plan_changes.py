"""A member's other plan: at once, where it costs more and the merchant lets it, or when the one
that they have renews; and what that costs, before it is done."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.models import Plan, PlanCharge, Subscription
from loyalty.selectors.plan_changes import PlanChange, preview_change
from loyalty.selectors.subscriptions import owner_of, paid_charge
from loyalty.services.plan_charges import collect_charge, issue_charge
from loyalty.services.subscription_states import end, settle
from loyalty.services.subscriptions import (
    change_plan,
    hold_running,
)
from members.errors import ConflictError
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically

State, Why = Subscription.State, Subscription.Why


def change_as_offered(
    *,
    subscription: Subscription,
    plan: Plan,
    actor: Actor,
    now: dt.datetime,
    pays_now: Decimal | None = None,
) -> Subscription:
    """The other plan, at once or at the renewal as its terms say. `pays_now` is what was agreed
    to: if it has become another sum since, nothing is done. Returns the subscription that goes on.

    Raises ConflictError, also when the payment is refused: nothing has happened then.
    """

    def change() -> Subscription:
        held = hold_running(subscription)
        if plan == held.plan:
            return change_plan(subscription=held, plan=plan, actor=actor, now=now)
        wanted = preview_change(held, plan, now=now)
        if pays_now is not None and pays_now != wanted.pays_now:
            raise ConflictError(
                _("It costs something else by now. Look at it again."), code="price_changed"
            )
        if not wanted.at_once:
            return change_plan(subscription=held, plan=plan, actor=actor, now=now)
        # A payment that is refused leaves nothing behind, also within somebody else's transaction.
        with transaction.atomic():
            return _replace(held, wanted, actor, now)

    return run_atomically(change)


def _replace(
    held: Subscription, wanted: PlanChange, actor: Actor, now: dt.datetime
) -> Subscription:  # fmt: skip
    before, zone = paid_charge(held, now), owner_of(held).program.zone
    assert before is not None
    version, today = wanted.version, now.astimezone(zone).date()
    end(held, State.CANCELED, Why.CHANGED, at=now, now=now, actor=actor)
    follower = Subscription.objects.create(
        # The same try has the same number, so that nobody is asked for its money twice.
        public_id=uuid.uuid5(held.public_id, f"{version.pk}:{today}:{held.provider_method}"),
        membership=held.membership, plan=version.plan, version=version, state=State.ACTIVE,
        source=Subscription.Source.CHANGE, provider=held.provider,
        provider_customer=held.provider_customer, provider_method=held.provider_method,
        asked_at=now, anchor=today, period_number=1, period_start=now,
        period_end=wanted.period_end, benefits_from=now, follows=held,
    )  # fmt: skip
    if wanted.taken_off:
        before.carried = wanted.taken_off
        before.save(update_fields=["carried"])
    charge = issue_charge(follower, now=now, before=before if wanted.taken_off else None)
    collect_charge(charge, now=now)
    if charge.state == PlanCharge.State.FAILED:
        raise ConflictError(
            _("The payment was refused, so your plan stays as it is."), code="payment_refused"
        )
    settle(follower, now=now)
    record_audit(
        actor=actor,
        action="plan.changed",
        target=owner_of(held).customer,
        after={
            "plan": held.version.name, "to": version.name, "amount": str(charge.amount.normalize()),
            "currency": charge.currency,
        },
    )  # fmt: skip
    return follower
