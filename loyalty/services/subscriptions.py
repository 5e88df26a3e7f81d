"""A member's paid plan: asked for, changed, canceled, taken up again."""

from __future__ import annotations

import datetime as dt
import uuid

from django.utils.translation import gettext as _

from loyalty.models import Membership, Plan, Program, Subscription
from loyalty.payments.base import PaymentProvider
from loyalty.payments.providers import provider_named, usual_provider
from loyalty.selectors.erased_holders import refuse_erased_member
from loyalty.selectors.plan_changes import refuse_change, refuse_plan
from loyalty.selectors.plans import current_version
from loyalty.selectors.subscriptions import (
    became_of,
    change_of,
    had_a_plan,
    of_members,
    owner_of,
    running_of,
    subscriptions,
)
from loyalty.services.subscription_states import begin, collect_due, end, settle
from members.errors import ConflictError
from members.prepared import KeptQuery
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically, run_committed

State, Why = Subscription.State, Subscription.Why


def subscribe(
    *,
    membership: Membership,
    plan: Plan,
    source: str,
    actor: Actor,
    now: dt.datetime,
    provider: str = "",
    number: uuid.UUID | None = None,
) -> Subscription:
    """The member has the plan from now on, or once it is paid. A trial is given once. Raises
    ConflictError where they have one, or it is not offered. `number`: what was made under it before
    goes on.

    That they have it is committed before any money is asked for: where a card is charged, this is
    no part of another transaction."""
    payer = provider_named(provider) if provider else usual_provider()
    write = run_committed if payer.collects else run_atomically
    found = write(lambda: _subscribe(membership, plan, source, actor, now, payer, number))

    def collect() -> Subscription:
        held = hold(found)
        # It may have been canceled before its card was asked.
        if held.running:
            collect_due(held, now=now)
            settle(held, now=now)
        return held

    asks = found.state == State.WAITING and found.provider_method
    return run_atomically(collect) if asks else found


def permit_collecting(
    *, subscription: Subscription, customer: str, method: str, now: dt.datetime
) -> Subscription:
    """The payer gave leave to collect: what waited for it begins. Another method is for what comes
    from now on, and for what has failed."""

    def permit() -> Subscription:
        held = hold(subscription)
        held.provider_customer, held.provider_method = customer, method
        held.save(update_fields=["provider_customer", "provider_method"])
        if held.state == State.WAITING and not held.charges.exists():
            begin(held, trial_days=trial_days_for(held), now=now)
            collect_due(held, now=now)
        if held.running:
            settle(held, now=now)
        return held

    return run_atomically(permit)


def cancel_at_period_end(
    *, subscription: Subscription, actor: Actor, now: dt.datetime, note: str = ""
) -> Subscription:
    """It is not renewed; what is paid for lasts. One that waits for its first payment ends at once.
    Again changes nothing."""

    def cancel() -> Subscription:
        held = hold(subscription)
        if held.ended_why == Why.AT_ONCE and held.benefits_from is None:
            return held
        held = hold_running(held)
        if held.state == State.WAITING:
            end(held, State.CANCELED, Why.AT_ONCE, at=now, now=now, actor=actor, note=note)
            return held
        if held.cancel_at_period_end:
            return held
        held.cancel_at_period_end, held.cancel_asked_at, held.next_plan = True, now, None
        settle(held, now=now)
        _audit(held, "plan.canceled", actor, note)
        return held

    return run_atomically(cancel)


def resume(*, subscription: Subscription, actor: Actor, now: dt.datetime) -> Subscription:
    """It renews after all. Again changes nothing."""

    def take_up() -> Subscription:
        held = hold_running(subscription)
        if not held.cancel_at_period_end:
            return held
        if held.period_end is not None and held.period_end <= now:
            raise ConflictError(_("It has ended already: join again."), code="plan_ended")
        held.cancel_at_period_end, held.cancel_asked_at = False, None
        settle(held, now=now)
        _audit(held, "plan.resumed", actor)
        return held

    return run_atomically(take_up)


def change_plan(
    *, subscription: Subscription, plan: Plan, actor: Actor, now: dt.datetime
) -> Subscription:
    """It becomes another plan when it renews; the plan that it is now calls that off. What has
    become that plan already is answered with what it became."""

    def change() -> Subscription:
        became = became_of(hold(subscription), plan)
        if became is not None:
            return became
        held = hold_running(subscription)
        wanted = None if plan == held.plan else plan
        refuse_change(held, plan)
        if held.next_plan != wanted:
            held.next_plan = wanted
            held.save(update_fields=["next_plan"])
            _audit(held, "plan.change_asked", actor, to=current_version(plan).name)
        return held

    return run_atomically(change)


_HELD: KeptQuery[Subscription] = KeptQuery(
    lambda pk: subscriptions().filter(pk=pk), ending=' FOR UPDATE OF "loyalty_subscription"'
)


def hold(subscription: Subscription) -> Subscription:
    """Its row as it is now; whoever else changes it waits."""
    return _HELD.one(subscription.pk)


def trial_days_for(subscription: Subscription) -> int:
    """Once for a member: those of the plan, where they had none in this program before."""
    return 0 if had_a_plan(owner_of(subscription)) else subscription.version.trial_days


_MEMBER: KeptQuery[Membership] = KeptQuery(
    lambda pk: Membership.objects.select_related("program", "customer").filter(pk=pk),
    ending=' FOR UPDATE OF "loyalty_membership"',
)


def _subscribe(
    membership: Membership, plan: Plan, source: str, actor: Actor, now: dt.datetime,
    payer: PaymentProvider, number: uuid.UUID | None,
) -> Subscription:  # fmt: skip
    # Two at once take turns.
    membership = _MEMBER.one(membership.pk)
    known = subscriptions().filter(public_id=number).first() if number else None
    if known is not None:
        return known
    refuse_erased_member(membership)
    program = membership.program
    if membership.status != Membership.Status.ACTIVE or program.status != Program.Status.LIVE:
        raise ConflictError(_("Only active members of a live program can join."), code="inactive")
    refuse_plan(plan, program)
    if running_of(membership) is not None:
        raise ConflictError(_("There is a plan already: change or cancel it."), code="plan_running")
    found = Subscription.objects.create(
        public_id=number or uuid.uuid4(), membership=membership, plan=plan,
        version=current_version(plan), state=State.WAITING, source=source, provider=payer.code,
        asked_at=now, **_permission(membership, payer.code),
    )  # fmt: skip
    _audit(found, "plan.subscribed", actor)
    if not payer.collects or found.provider_method:
        begin(found, trial_days=trial_days_for(found), now=now)
    settle(found, now=now)
    return found


def _permission(membership: Membership, provider: str) -> dict[str, str]:
    """Leave to collect that they gave before."""
    before = of_members([membership.pk]).filter(provider=provider).exclude(provider_method="")
    last = before.order_by("-asked_at", "-pk").first()
    if last is None:
        return {}
    return {
        "provider_customer": last.provider_customer,
        "provider_method": last.provider_method,
    }


def hold_running(subscription: Subscription) -> Subscription:
    """As `hold`. Raises ConflictError where it has ended, or where money for it is on its way."""
    held = hold(subscription)
    if not held.running:
        raise ConflictError(_("This plan has ended."), code="plan_ended")
    refuse_unsettled(held)
    return held


def refuse_unsettled(held: Subscription) -> None:
    """Raise ConflictError while nobody knows whether another plan that was asked for is paid, or
    whether a payment was given back."""
    if held.takes_over or change_of(held) is not None:
        raise ConflictError(
            _("A payment for another plan is being asked for. Look again in a few minutes."),
            code="change_unsettled",
        )
    if held.charges.filter(giving_back__gt=0).exists():
        raise ConflictError(
            _("A payment for it is being given back. Look again in a few minutes."),
            code="refund_unsettled",
        )


def _audit(
    subscription: Subscription, action: str, actor: Actor, note: str = "", **said: str
) -> None:
    record_audit(
        actor=actor,
        action=action,
        target=owner_of(subscription).customer,
        reason=note,
        after={"plan": subscription.version.name, **said},
    )
