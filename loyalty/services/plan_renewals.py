"""What time does to paid plans: trials end, periods renew, payments are tried again, units come,
and what is not paid lapses.

One subscription after the other, each in one transaction; a charge is one for a period, and asked
for under its own key. So the work can be killed anywhere, and run twice.
"""

from __future__ import annotations

import datetime as dt
import uuid

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.models import Membership, PlanCharge, Program, Subscription
from loyalty.plan_times import period_end
from loyalty.selectors.plans import current_version
from loyalty.selectors.subscriptions import change_of, owner_of
from loyalty.services.failed_refunds import finish_retry
from loyalty.services.plan_changes import finish_change
from loyalty.services.plan_charges import collect_charge, issue_charge
from loyalty.services.plan_refunds import finish_refund
from loyalty.services.subscription_states import collect_due, end, settle
from loyalty.services.subscriptions import hold
from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.services.job_runs import Step, run_in_chunks
from members.services.transactions import run_atomically

KIND = "plans"
State, Why = Subscription.State, Subscription.Why
# A provider may take a second for each.
PIECE = 5


def find_renewals(now: dt.datetime) -> Work | None:
    """Whose turn it is; nobody's, in most hours."""
    due = _due(now).count()
    if not due:
        return None
    return Work(_("Paid plans"), params={"now": now.isoformat()}, total=due)


def run_renewals(job_id: int) -> Job | None:
    """Do what is due; None when another run has it."""
    return run_in_chunks(job_id, _piece)


def renewal_words(job: Job) -> str:
    done = job.result.get("looked_at", 0)
    words = ngettext("%s plan was looked at.", "%s plans were looked at.", done)
    return words % format_number(done)


def renew_plans(now: dt.datetime) -> int:
    """Do everything that is due. Returns how many subscriptions that were."""
    done, after = 0, 0
    while found := list(_due(now).filter(pk__gt=after).order_by("pk")[:100]):
        for subscription in found:
            advance(subscription, now=now)
        done, after = done + len(found), found[-1].pk
    return done


def advance(subscription: Subscription, *, now: dt.datetime) -> Subscription:
    """Bring one to this moment: every period that has begun since, and what is unpaid. Again
    changes nothing."""
    return run_atomically(lambda: _advance(subscription, now))


def _due(now: dt.datetime) -> QuerySet[Subscription]:
    """Whose turn it is, or whose provider is to be asked to give something back."""
    asked = PlanCharge.objects.filter(
        Q(giving_back__gt=0) | Q(refund_failed_at__isnull=False), next_attempt_at__lte=now
    )
    # Read first, so that each is found by an index of its own.
    owed = list(asked.values_list("subscription", flat=True))
    return Subscription.objects.filter(Q(next_at__lte=now) | Q(pk__in=owed))


def _piece(job: Job) -> Step | None:
    now, after = dt.datetime.fromisoformat(job.params["now"]), job.checkpoint.get("after", 0)
    found = list(_due(now).filter(pk__gt=after).order_by("pk")[:PIECE])
    if not found:
        return None
    for subscription in found:
        advance(subscription, now=now)
    looked_at = job.result.get("looked_at", 0) + len(found)
    return Step(checkpoint={"after": found[-1].pk}, done=looked_at, result={"looked_at": looked_at})


def _advance(subscription: Subscription, now: dt.datetime) -> Subscription:
    try:
        held: Subscription | None = hold(subscription)
    except Subscription.DoesNotExist:
        # A change whose payment was refused since it was looked for.
        return subscription
    assert held is not None
    if change_of(held) is not None:
        # Whether it goes on is seen to first, when it is the other one's turn.
        return held
    if held.takes_over:
        held = finish_change(held, now=now)
    else:
        held = _finish_refunds(held, now)
    while held is not None:
        subscription = held
        if not held.running:
            break
        collect_due(held, now=now)
        settle(held, now=now)
        held = _turn(held, now) if _period_is_over(held, now) else None
    return subscription


def _finish_refunds(held: Subscription, now: dt.datetime) -> Subscription | None:
    """None while nobody knows: nothing else is done meanwhile, and nothing charged."""
    asked = Q(giving_back__gt=0) | Q(refund_failed_at__isnull=False, next_attempt_at__lte=now)
    unknown = False
    for refund in held.charges.filter(asked).order_by("pk"):
        if refund.refund_failed_at is not None:
            finish_retry(refund, now=now)
            continue
        if refund.next_attempt_at is not None and refund.next_attempt_at <= now:
            finish_refund(refund, now=now)
        unknown = unknown or refund.giving_back > 0
    return None if unknown else held


def _period_is_over(held: Subscription, now: dt.datetime) -> bool:
    return (
        held.running
        and held.state != State.WAITING
        and held.period_end is not None
        and held.period_end <= now
    )


def _turn(held: Subscription, now: dt.datetime) -> Subscription | None:
    """The period is over: it ends, renews, or another plan follows. The one that goes on."""
    at = held.period_end
    assert at is not None
    owner = owner_of(held)
    if held.cancel_at_period_end:
        end(held, State.CANCELED, Why.PERIOD_END, at=at, now=now)
        return None
    if owner.status != Membership.Status.ACTIVE or owner.program.status != Program.Status.LIVE:
        end(held, State.CANCELED, Why.LEFT, at=at, now=now)
        return None
    # First things first: while something is overdue it stays what it is.
    if held.next_plan is not None and held.state != State.PAST_DUE:
        return _follow(held, at, now)
    version = current_version(held.plan)
    if version.months != held.version.months:
        held.anchor = at.astimezone(owner.program.zone).date()
        held.anchor_number = held.period_number + 1
    held.version, held.period_number = version, held.period_number + 1
    _begin_period(held, at, now)
    return held


def _follow(held: Subscription, at: dt.datetime, now: dt.datetime) -> Subscription:
    plan, zone = held.next_plan, owner_of(held).program.zone
    assert plan is not None
    end(held, State.CANCELED, Why.CHANGED, at=at, now=now)
    follower = Subscription(
        # Whoever is killed in between comes to the same number, and so to the same charge.
        public_id=uuid.uuid5(held.public_id, f"{plan.pk}:{held.period_number + 1}"),
        membership=held.membership, plan=plan, version=current_version(plan), state=State.ACTIVE,
        source=Subscription.Source.RENEWAL, provider=held.provider,
        provider_customer=held.provider_customer, provider_method=held.provider_method,
        asked_at=at, anchor=at.astimezone(zone).date(), period_number=1,
        benefits_from=at, follows=held,
    )  # fmt: skip
    _begin_period(follower, at, now)
    return follower


def _begin_period(held: Subscription, at: dt.datetime, now: dt.datetime) -> None:
    zone, anchor = owner_of(held).program.zone, held.anchor
    assert anchor is not None
    number = held.period_number - held.anchor_number + 1
    held.period_start = at
    held.period_end = period_end(anchor, held.version.months, number, zone)
    if held.state == State.TRIALING:
        held.state = State.ACTIVE
    held.save()
    collect_charge(issue_charge(held, now=now), now=now)
    settle(held, now=now)
