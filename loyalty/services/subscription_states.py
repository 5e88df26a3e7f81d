"""What a subscription is in, worked out from its time and its charges, and what is to be done
next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from loyalty.models import PlanCharge, Subscription
from loyalty.plan_times import period_end
from loyalty.rules.calendar import add_days, start_of_day
from loyalty.selectors.subscriptions import owner_of
from loyalty.services.plan_charges import collect_charge, issue_charge, void_unpaid
from loyalty.services.plan_credits import give_credits
from members.models.changes import CHANGED
from members.prepared import KeptQuery
from members.services.audit import SYSTEM, Actor, record_audit
from members.services.outbox import record_event

State, Why = Subscription.State, Subscription.Why
# The outbox event of whatever may have changed about a plan or its invoices.
WENT_ON = "plan.went_on"
# Whoever asked for a plan and never gave leave to collect is asked no more.
PATIENCE = dt.timedelta(days=7)


def begin(subscription: Subscription, *, trial_days: int, now: dt.datetime) -> None:
    """The trial, or the first period with its charge: as soon as one knows how it will be paid. The
    caller settles it."""
    zone = owner_of(subscription).program.zone
    today = now.astimezone(zone).date()
    if trial_days:
        anchor = today + dt.timedelta(days=trial_days)
        subscription.anchor, subscription.period_start = anchor, now
        subscription.period_end = subscription.trial_ends_at = start_of_day(anchor, zone)
        subscription.state, subscription.benefits_from = State.TRIALING, now
    else:
        _first_period(subscription, now)
        subscription.save()
        issue_charge(subscription, now=now)


def collect_due(subscription: Subscription, *, now: dt.datetime) -> None:
    """Ask the provider for all that it is time to ask for."""
    for charge in _unpaid(subscription):
        if charge.next_attempt_at is not None and charge.next_attempt_at <= now:
            collect_charge(charge, now=now)


def _first_period(subscription: Subscription, now: dt.datetime) -> None:
    zone = owner_of(subscription).program.zone
    anchor = now.astimezone(zone).date()
    subscription.anchor, subscription.period_number = anchor, 1
    subscription.period_start = now
    subscription.period_end = period_end(anchor, subscription.version.months, 1, zone)


def settle(subscription: Subscription, *, now: dt.datetime) -> None:
    """Bring its state, its benefits and its next date to what its charges say; give the units that
    are due. Again changes nothing."""
    unpaid = _unpaid(subscription)
    if subscription.state == State.WAITING and not unpaid and _has_paid(subscription):
        if subscription.takes_over:
            take_over(subscription, now=now)
        else:
            _open_up(subscription, now)
    limit = _limit(subscription, unpaid)
    if limit is not None and limit <= now:
        end(subscription, State.LAPSED, Why.NOT_PAID, at=limit, now=now)
        return
    units_come = None
    if subscription.state != State.WAITING:
        _set_state(subscription, unpaid, now)
        units_come = give_credits(subscription, now=now)
    ends = [limit if subscription.benefits_from is not None else None]
    if subscription.cancel_at_period_end:
        ends.append(subscription.period_end)
    subscription.benefits_until = _earliest(ends)
    subscription.next_at = _next(subscription, unpaid, [limit, units_come], now)
    subscription.save()
    tell(subscription)


_UNPAID: KeptQuery[PlanCharge] = KeptQuery(
    lambda subscription, states: (
        PlanCharge.objects.select_related("version")
        .filter(subscription=subscription)
        .filter(state__among=states)
        .order_by("due_at", "pk")
    )
)


def _unpaid(subscription: Subscription) -> list[PlanCharge]:
    found = _UNPAID.rows(subscription.pk, [state.value for state in PlanCharge.UNPAID])
    for charge in found:
        charge.subscription = subscription
    return found


def _has_paid(subscription: Subscription) -> bool:
    return subscription.charges.filter(state=PlanCharge.State.PAID).exists()


def _open_up(subscription: Subscription, now: dt.datetime) -> None:
    """The first payment has come: the first period begins now, so that nothing of it is lost."""
    _first_period(subscription, now)
    subscription.state, subscription.benefits_from = State.ACTIVE, now
    subscription.save()
    subscription.charges.filter(period_number=1).update(
        period_start=subscription.period_start, period_end=subscription.period_end
    )


def take_over(subscription: Subscription, *, now: dt.datetime, actor: Actor = SYSTEM) -> None:
    """It is there instead of the one that it follows, from when it was asked for."""
    assert subscription.period_start is not None
    before = Subscription.objects.select_for_update().get(followed_by=subscription)
    # A merge may have stopped it meanwhile.
    subscription.cancel_at_period_end = before.cancel_at_period_end
    subscription.cancel_asked_at = before.cancel_asked_at
    at = subscription.period_start
    end(before, State.CANCELED, Why.CHANGED, at=at, now=now, actor=actor)
    subscription.state, subscription.benefits_from = State.ACTIVE, at
    subscription.save()
    charge = subscription.charges.get(period_number=1)
    record_audit(
        actor=actor,
        action="plan.changed",
        target=owner_of(subscription).customer,
        after={
            "plan": before.version.name, "to": subscription.version.name,
            "amount": f"{charge.amount.normalize():f}", "currency": charge.currency,
        },
    )  # fmt: skip


def _limit(subscription: Subscription, unpaid: list[PlanCharge]) -> dt.datetime | None:
    """When it ends unless something is paid."""
    if unpaid:
        first = unpaid[0]
        return add_days(first.due_at, first.version.grace_days, owner_of(subscription).program.zone)
    return subscription.asked_at + PATIENCE if subscription.state == State.WAITING else None


def _set_state(subscription: Subscription, unpaid: list[PlanCharge], now: dt.datetime) -> None:
    overdue = next((charge for charge in unpaid if charge.due_at <= now), None)
    subscription.past_due_since = overdue.due_at if overdue else None
    if overdue is not None:
        subscription.state = State.PAST_DUE
    elif subscription.period_number == 0:
        subscription.state = State.TRIALING
    else:
        subscription.state = State.ACTIVE


def _next(
    subscription: Subscription,
    unpaid: list[PlanCharge],
    known: list[dt.datetime | None],
    now: dt.datetime,
) -> dt.datetime | None:
    times = list(known)
    if subscription.state != State.WAITING:
        times.append(subscription.period_end)
    for charge in unpaid:
        times.append(charge.next_attempt_at if subscription.provider_method else None)
        times.append(charge.due_at if charge.due_at > now else None)
    return _earliest(times)


def _earliest(times: Iterable[dt.datetime | None]) -> dt.datetime | None:
    return min((at for at in times if at is not None), default=None)


def end(
    subscription: Subscription,
    state: Subscription.State,
    why: Subscription.Why,
    *,
    at: dt.datetime,
    now: dt.datetime,
    actor: Actor = SYSTEM,
    note: str = "",
) -> None:
    """It is over, from `at` on. Who stops in the middle of what was not paid owes nothing for it;
    what was had to its end is owed all the same."""
    if why in (Why.NOT_PAID, Why.AT_ONCE):
        void_unpaid(subscription)
    subscription.state, subscription.ended_why, subscription.ended_at = state, why, at
    if subscription.benefits_from is not None:
        ends = [subscription.benefits_until, max(at, subscription.benefits_from)]
        subscription.benefits_until = _earliest(ends)
    subscription.past_due_since, subscription.next_at, subscription.next_plan = None, None, None
    subscription.save()
    record_audit(
        actor=actor,
        action="plan.ended",
        target=owner_of(subscription).customer,
        reason=note,
        after={"plan": subscription.version.name, "why": why.value},
    )
    tell(subscription)


def tell(subscription: Subscription) -> None:
    """Segments may ask for it, and members are told."""
    people = [owner_of(subscription).customer_id]
    record_event(kind=CHANGED, payload={"customers": people})
    record_event(kind=WENT_ON, payload={"subscription": subscription.pk})
