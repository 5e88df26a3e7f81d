"""Short ways to paid plans. All go through the services."""

import datetime as dt
from decimal import Decimal
from typing import Any

from loyalty.models import Membership, Plan, PlanCharge, Program, Subscription
from loyalty.services.plan_payments import mark_paid
from loyalty.services.plan_renewals import renew_plans
from loyalty.services.subscriptions import subscribe
from members.services.audit import SYSTEM
from tests.loyalty.factories import NOW, make_program, make_wallet


def plan(code: str = "plus", **changes: Any) -> dict[str, Any]:
    """A plan of 9.90 a month, as a program file says it."""
    return {"code": code, "name": code.capitalize(), "price": "9.90"} | changes


def make_club(*plans: dict[str, Any], **changes: Any) -> Program:
    return make_program(plans=list(plans or (plan(),)), **changes)


def member(program: Program, number: str = "c1", at: dt.datetime = NOW) -> Membership:
    wallet = make_wallet(program, number, at)
    return Membership.objects.select_related("program", "customer").get(account=wallet.account_id)


def join(
    membership: Membership, code: str = "plus", *, at: dt.datetime = NOW, **how: Any
) -> Subscription:
    plan = Plan.objects.get(program=membership.program, code=code)
    return subscribe(
        membership=membership, plan=plan, source="backoffice", actor=SYSTEM, now=at, **how
    )


def pay(subscription: Subscription, at: dt.datetime, *, all_of_it: bool = False) -> list[str]:
    """Pay what is open, as somebody would who has seen the money. Returns the amounts."""
    paid = []
    unpaid = subscription.charges.filter(state__in=PlanCharge.UNPAID).order_by("pk")
    for charge in unpaid if all_of_it else unpaid[:1]:
        mark_paid(charge=charge, actor=SYSTEM, now=at)
        paid.append(str(round(charge.amount, 2)))
    return paid


def pass_time(to: dt.datetime) -> None:
    """The schedule runs every day, as far as it matters."""
    while Subscription.objects.filter(next_at__lte=to).exists():
        at = Subscription.objects.filter(next_at__lte=to).order_by("next_at")[0].next_at
        renew_plans(at)


def charges(subscription: Subscription) -> list[tuple[str, str]]:
    """What was charged, oldest first, as (state, amount)."""
    return [
        (charge.state, str(round(charge.amount, 2)))
        for charge in subscription.charges.order_by("pk")
    ]


def money(text: str) -> Decimal:
    return Decimal(text)
