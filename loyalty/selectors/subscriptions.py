"""Who has which paid plan, and had it when."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from loyalty.models import Membership, Plan, PlanCharge, Subscription
from loyalty.rules.plans import PlanSpan
from members.errors import NotFoundError
from members.prepared import KeptQuery


def subscriptions() -> QuerySet[Subscription]:
    """With all that is read of one."""
    return Subscription.objects.select_related(
        "membership__customer", "membership__program", "membership__merged_into__customer",
        "plan", "version__credits_wallet_type", "next_plan",
    )  # fmt: skip


def of_members(memberships: Collection[int]) -> QuerySet[Subscription]:
    """Theirs, and of those who were merged into them."""
    return subscriptions().filter(
        Q(membership__in=memberships) | Q(membership__merged_into__in=memberships)
    )


def owner_of(subscription: Subscription) -> Membership:
    """The membership that counts."""
    return subscription.membership.merged_into or subscription.membership


def running(waiting: str = Subscription.State.WAITING.value) -> Q:
    """Plans that run or were asked for; not what is only to take the place of one."""
    return Q(ended_at=None) & (Q(follows=None) | ~Q(state=waiting))


_FOLLOWING: KeptQuery[Subscription] = KeptQuery(
    lambda follows, waiting: subscriptions().filter(follows=follows).filter(state=waiting)
)


def change_of(subscription: Subscription) -> Subscription | None:
    """What is to take its place once a provider has said what became of the money."""
    return _FOLLOWING.first(subscription.pk, Subscription.State.WAITING.value)


def became_of(subscription: Subscription, plan: Plan) -> Subscription | None:
    """What has taken its place, if it has become this plan."""
    if subscription.ended_why != Subscription.Why.CHANGED:
        return None
    return subscriptions().filter(follows=subscription, plan=plan).first()


_RUNNING: KeptQuery[Subscription] = KeptQuery(
    lambda members, again, waiting: (
        subscriptions()
        .filter(
            Q(membership__among=members) | Q(membership__merged_into__among=again),
            running(waiting),
        )
        .order_by("asked_at", "pk")
    )
)


def running_of(membership: Membership) -> Subscription | None:
    """The plan that they have, or have asked for; of two, which only a merge leaves, the longer
    one."""
    return _RUNNING.first([membership.pk], [membership.pk], Subscription.State.WAITING.value)


def had_a_plan(membership: Membership) -> bool:
    """Whether they ever had one in this program: a trial is given once."""
    return of_members([membership.pk]).exclude(benefits_from=None).exists()


def history_of(memberships: Iterable[Membership]) -> list[Subscription]:
    """All their plans, newest first, with what was charged."""
    charges = PlanCharge.objects.select_related("program", "version").order_by("-issued_at", "-pk")
    found = of_members([item.pk for item in memberships])
    return list(found.prefetch_related(Prefetch("charges", charges)).order_by("-asked_at", "-pk"))


_PAID: KeptQuery[PlanCharge] = KeptQuery(
    lambda subscription, paid, since, until: (
        PlanCharge.objects.select_related("version__credits_wallet_type")
        .filter(subscription=subscription)
        .filter(state=paid)
        .filter(period_start__lte=since)
        .filter(period_end__gt=until)
        .order_by("-period_number")
    )
)


def paid_charge(subscription: Subscription, now: dt.datetime) -> PlanCharge | None:
    """The payment for the period that is running."""
    found = _PAID.first(subscription.pk, PlanCharge.State.PAID.value, now, now)
    if found is not None:
        found.subscription = subscription
    return found


def get_subscription(public_id: UUID) -> Subscription:
    """Raises NotFoundError."""
    found = subscriptions().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError(_("There is no such subscription."))
    return found


def get_charge(public_id: UUID) -> PlanCharge:
    """Raises NotFoundError."""
    rows = PlanCharge.objects.select_related(
        "version__credits_wallet_type", "program", "subscription__membership__program",
        "subscription__membership__customer", "subscription__membership__merged_into__customer",
    )  # fmt: skip
    found = rows.filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError(_("There is no such invoice."))
    return found


def plan_spans(memberships: Collection[int]) -> dict[int, list[PlanSpan]]:
    """By membership when they had which plan; one query."""
    rows = of_members(memberships).exclude(benefits_from=None)
    found: defaultdict[int, list[PlanSpan]] = defaultdict(list)
    for since, until, code, own, merged in rows.values_list(
        "benefits_from", "benefits_until", "plan__code", "membership", "membership__merged_into"
    ):
        assert since is not None
        found[merged or own].append(PlanSpan(code, since, until))
    return found


def plans_now(membership: Membership, now: dt.datetime) -> set[str]:
    """The codes of the plans whose benefits they have."""
    return set(
        of_members([membership.pk]).filter(in_force(now)).values_list("plan__code", flat=True)
    )


def in_force(at: dt.datetime) -> Q:
    """Subscriptions whose benefits are there."""
    return Q(benefits_from__lte=at) & (Q(benefits_until=None) | Q(benefits_until__gt=at))
