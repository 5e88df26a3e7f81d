"""Who of the demonstration's people has a paid plan, in every state that one can be in."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from loyalty.demo.people import GUIDE_HOUSEHOLD, person_of
from loyalty.models import Membership, Plan, PlanCharge, Program, Subscription
from loyalty.services.plan_payments import mark_paid
from loyalty.services.plan_renewals import advance
from loyalty.services.subscriptions import cancel_at_period_end, subscribe
from members.services.audit import SYSTEM

# Days ago on which they took it, which plan, and whether they pay their invoices.
PEOPLE = (
    (75, "plus", True), (12, "plus", True), (51, "plus", False), (140, "plus-year", True),
    (96, "plus", True), (58, "plus", True),
)  # fmt: skip
GUIDE, LEAVES = 0, 4


def people_have_plans(program: Program) -> None:
    """Made once, however often the demonstration is loaded."""
    if Subscription.objects.filter(plan__program=program).exists():
        return
    members = Membership.objects.filter(program=program).select_related("customer", "program")
    number = person_of(GUIDE_HOUSEHOLD).number
    guide = members.filter(customer__external_id=number).first()
    if guide is None:
        return
    others = members.exclude(pk=guide.pk).order_by("customer__external_id")
    people = [guide, *others[: len(PEOPLE) - 1]]
    now = timezone.now()
    for place, (member, (days, code, pays)) in enumerate(zip(people, PEOPLE, strict=False)):
        plan = Plan.objects.get(program=program, code=code)
        found = _live(member, plan, now - dt.timedelta(days=days), now, pays=pays)
        if place == LEAVES:
            cancel_at_period_end(subscription=found, actor=SYSTEM, now=now)


def _live(
    member: Membership, plan: Plan, since: dt.datetime, now: dt.datetime, *, pays: bool
) -> Subscription:
    """What the schedule would have done since then, and the invoices they paid a day later."""
    found = subscribe(
        membership=member, plan=plan, source=Subscription.Source.ACCOUNT.value, actor=SYSTEM,
        now=since, provider="by_hand",
    )  # fmt: skip
    while found.next_at is not None and found.next_at <= now:
        at = found.next_at
        found = advance(found, now=at)
        paid_at = min(at + dt.timedelta(days=1), now)
        for charge in found.charges.filter(state=PlanCharge.State.OPEN) if pays else ():
            mark_paid(charge=charge, actor=SYSTEM, now=paid_at)
        found.refresh_from_db()
    return found
