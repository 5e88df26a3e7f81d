"""A member's other plan: at once, where it costs more and the merchant lets it, or when the one
that they have renews; and what that costs, before it is done.

Where a card is charged, the other plan and its charge are committed before any money is asked for,
and wait: whoever is killed in between leaves what the work on plans finishes, under the same key.
"""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

from django.utils.translation import gettext as _

from loyalty.models import PaymentEvent, Plan, PlanCharge, Subscription
from loyalty.payments.providers import provider_named
from loyalty.selectors.plan_changes import PlanChange, When, preview_change
from loyalty.selectors.subscriptions import became_of, change_of, owner_of, paid_charge
from loyalty.services.plan_charges import collect_charge, issue_charge, note_paid
from loyalty.services.plan_refunds import By, begin_refund, finish_refund
from loyalty.services.subscription_states import settle, take_over
from loyalty.services.subscriptions import change_plan, hold, hold_running
from members.errors import ConflictError
from members.services.audit import SYSTEM, Actor, record_audit
from members.services.transactions import run_atomically, run_committed

State = Subscription.State


def change_as_offered(
    *,
    subscription: Subscription,
    plan: Plan,
    actor: Actor,
    now: dt.datetime,
    pays_now: Decimal | None = None,
    gives_back: Decimal | None = None,
    when: When = "offered",
) -> Subscription:
    """The other plan, at once or at the renewal as its terms say, or at once whatever they say
    (`when`). `pays_now` and `gives_back` are what was agreed to: if it has become another sum
    since, nothing is done. Returns the subscription that goes on, also where it had become that
    plan before.

    Raises ConflictError, also when the payment is refused: nothing has happened then. Where a card
    is charged, this is no part of another transaction.
    """

    def begin() -> Subscription:
        now_held = hold(subscription)
        begun = change_of(now_held) or became_of(now_held, plan)
        if begun is not None and begun.plan == plan:
            return begun
        held = hold_running(subscription)
        if plan == held.plan:
            return change_plan(subscription=held, plan=plan, actor=actor, now=now)
        wanted = preview_change(held, plan, now=now, when=when)
        _refuse_other_sums(wanted, pays_now, gives_back)
        if not wanted.at_once:
            return change_plan(subscription=held, plan=plan, actor=actor, now=now)
        return _begin(held, wanted, actor, now)

    write = run_committed if provider_named(subscription.provider).collects else run_atomically
    found = write(begin)
    if not found.takes_over:
        return found

    finished = run_atomically(lambda: _finish(found, actor, now))
    if finished is None:
        raise ConflictError(
            _("The payment was refused, so your plan stays as it is."), code="payment_refused"
        )
    _give_rest_back(subscription, actor, now)
    return finished


def _finish(found: Subscription, actor: Actor, now: dt.datetime) -> Subscription | None:
    try:
        held = hold(found)
    except Subscription.DoesNotExist:
        # Somebody else asked for the money at the same time, and it was refused.
        return None
    return finish_change(held, actor=actor, now=now)


def finish_change(
    held: Subscription, *, now: dt.datetime, actor: Actor = SYSTEM
) -> Subscription | None:
    """Ask for the money of a change that has begun, and put the other plan in the place of the one
    before, also where the provider does not know yet. None where it says no: nothing is left of it
    then. Again changes nothing."""
    if not held.takes_over:
        return held
    charge = held.charges.select_related("version").get()
    collect_charge(charge, now=now)
    if charge.state == PlanCharge.State.FAILED:
        _forget(held, charge, actor)
        return None
    take_over(held, now=now, actor=actor)
    settle(held, now=now)
    return held


def _begin(held: Subscription, wanted: PlanChange, actor: Actor, now: dt.datetime) -> Subscription:
    """The other plan with its charge, waiting; by hand there is nothing to wait for."""
    before, zone = paid_charge(held, now), owner_of(held).program.zone
    assert before is not None
    version = wanted.version
    follower = Subscription.objects.create(
        # Whoever is undone by another transaction and tries again comes to the same number.
        public_id=uuid.uuid5(held.public_id, f"{version.pk}:{now.isoformat()}"),
        membership=held.membership, plan=version.plan, version=version, state=State.WAITING,
        source=Subscription.Source.CHANGE, provider=held.provider,
        provider_customer=held.provider_customer, provider_method=held.provider_method,
        asked_at=now, anchor=now.astimezone(zone).date(), period_number=1, period_start=now,
        period_end=wanted.period_end, follows=held, next_at=now,
    )  # fmt: skip
    if wanted.taken_off:
        before.carried = wanted.taken_off
        before.save(update_fields=["carried"])
    charge = issue_charge(follower, now=now, before=before if wanted.taken_off else None)
    if not charge.amount:
        # All of it is paid for by what was left.
        note_paid(charge, at=now, now=now, actor=actor)
    if wanted.gives_back:
        before.refresh_from_db()
        begin_refund(before, wanted.gives_back, By(actor), now)
    if provider_named(held.provider).collects:
        _audit(held, follower, "plan.change_asked", actor)
    return follower


def _refuse_other_sums(
    wanted: PlanChange, pays_now: Decimal | None, gives_back: Decimal | None
) -> None:
    agreed = {(pays_now, wanted.pays_now), (gives_back, wanted.gives_back)}
    if any(said is not None and said != found for said, found in agreed):
        raise ConflictError(
            _("It costs something else by now. Look at it again."), code="price_changed"
        )


def _give_rest_back(before: Subscription, actor: Actor, now: dt.datetime) -> None:
    """What was left beyond the price of the other plan. If the provider does not answer, the work
    on plans asks again; if it says no, the payment can be given back by itself."""

    def ask() -> None:
        held = hold(before)
        for charge in held.charges.filter(giving_back__gt=0):
            finish_refund(charge, now=now, by=By(actor))

    if before.charges.filter(giving_back__gt=0).exists():
        run_atomically(ask)


def _forget(held: Subscription, charge: PlanCharge, actor: Actor) -> None:
    """The plan before stays as it is; what was to be taken off its payment is there again."""
    before = Subscription.objects.select_for_update().get(followed_by=held)
    before.charges.filter(carried_to=charge).update(carried=0)
    _audit(before, held, "plan.change_refused", actor, failure=charge.failure)
    PaymentEvent.objects.filter(charge=charge).update(charge=None)
    charge.delete()
    held.delete()


def _audit(
    before: Subscription, held: Subscription, action: str, actor: Actor, **said: str
) -> None:
    record_audit(
        actor=actor,
        action=action,
        target=owner_of(before).customer,
        after={"plan": before.version.name, "to": held.version.name, **said},
    )
