"""Counting what pledges are about: each order, activity or new member once, as long as the budget
lasts; given back when it is undone, counted again when that is taken back.

What has happened is read anew whenever something tells that a customer's orders or activities have
changed, so that it does not matter how often, when, or by whom that is told. The pledge's row is
the lock of its budget and of its events.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, Func, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.models import (
    Activity,
    Charity,
    Membership,
    Order,
    OrderConversion,
    Pledge,
    PledgeEvent,
    Program,
    Refund,
)
from loyalty.models.orders import MoneyField
from loyalty.rule_conditions import stored_condition
from loyalty.rules.facts import ZERO
from loyalty.selectors.charities import Worth, pledges, worth_of_money, worth_of_things
from loyalty.services.charity_entries import enter_pledge, withdraw_pledge
from loyalty.services.member_conditions import AskedOfMember, conditions_met
from members.formatting import format_number
from members.jobs import Work
from members.models import Job, OutboxEvent
from members.services.job_runs import Step, run_in_chunks

KIND = "pledge_counts"
PIECE = 200
State = PledgeEvent.State
Event = Pledge.Event


def follow_events(events: Sequence[OutboxEvent]) -> None:
    """Count what the customers named in these events have done, or undone."""
    if not Pledge.objects.exclude(status=Pledge.Status.DRAFT).exists():
        return
    customers = {pk for event in events for pk in event.payload["customers"]}
    count_events(customers=customers, now=timezone.now())


def follow_members(events: Sequence[OutboxEvent]) -> None:
    """Count who has joined the programs that these events name."""
    programs = {event.payload["program"] for event in events}
    for pledge in _asked(Q(charity__account__program__in=programs, event=Event.MEMBER)):
        _count(pledge, None, timezone.now())


@transaction.atomic
def count_events(*, customers: Iterable[int], now: dt.datetime) -> None:
    """Bring what pledges have counted of these customers to what has happened."""
    people = sorted(customers)
    for pledge in _asked(Q()):
        _count(pledge, people, now)


def find_uncounted(now: dt.datetime) -> Work | None:
    """A pledge that was put live or changed, and has not looked back yet."""
    if not _to_count().exists():
        return None
    return Work(_("Pledges"), params={"now": now.isoformat()})


def run_uncounted(job_id: int) -> Job | None:
    """Look at what has happened before; None when another run has it."""
    return run_in_chunks(job_id, _look_back)


def uncounted_words(job: Job) -> str:
    looked_at = job.result.get("looked_at", 0)
    return ngettext("%s was looked at.", "%s were looked at.", looked_at) % format_number(looked_at)


def _look_back(job: Job) -> Step | None:
    some = look_back(dt.datetime.fromisoformat(job.params["now"]))
    if some is None:
        return None
    looked_at = job.result.get("looked_at", 0) + some
    return Step(checkpoint={}, done=looked_at, total=looked_at, result={"looked_at": looked_at})


@transaction.atomic
def look_back(now: dt.datetime, *, most: int = PIECE) -> int | None:
    """Some of what has happened in the days of a pledge before it counted. Returns how many there
    were; None: no pledge looks back."""
    pledge = _to_count().select_for_update(of=("self",), no_key=True).first()
    if pledge is None:
        return None
    found = list(_fresh(pledge, None).order_by("pk")[:most])
    for happened in found:
        _take(pledge, happened, now)
    if len(found) < most:
        pledge.to_count = False
        pledge.save(update_fields=["to_count"])
    return len(found)


def _to_count() -> QuerySet[Pledge]:
    live = pledges().filter(
        status=Pledge.Status.LIVE, to_count=True, charity__status=Charity.Status.LIVE
    )
    return live.order_by("pk")


def _asked(which: Q) -> list[int]:
    """In the order in which all lock them."""
    found = Pledge.objects.exclude(status=Pledge.Status.DRAFT).filter(which)
    return list(found.order_by("pk").values_list("pk", flat=True))


def _count(pk: int, customers: Sequence[int] | None, now: dt.datetime) -> None:
    """Nothing is locked where nothing is to be done."""
    pledge = pledges().get(pk=pk)
    counts = pledge.status == Pledge.Status.LIVE and pledge.charity.status == Charity.Status.LIVE
    fresh = _fresh(pledge, customers)
    changed = _changed(pledge, customers)
    if not ((counts and fresh.exists()) or changed.exists()):
        return
    with transaction.atomic():
        pledge = pledges().select_for_update(of=("self",), no_key=True).get(pk=pk)
        for event in changed.select_related("membership").order_by("pk"):
            _turn(pledge, event, now)
        if counts:
            for happened in fresh.order_by("pk"):
                _take(pledge, happened, now)


def _fresh(pledge: Pledge, customers: Sequence[int] | None) -> QuerySet[Any]:
    """What has happened in its time and was not looked at yet."""
    model: Any = {
        Event.ORDER: Order, Event.ACTIVITY: Activity, Event.MEMBER: Membership
    }[Event(pledge.event)]  # fmt: skip
    at = {
        Event.ORDER: "placed_at", Event.ACTIVITY: "occurred_at", Event.MEMBER: "enrolled_at"
    }[Event(pledge.event)]  # fmt: skip
    program = pledge.charity.account.program
    found: QuerySet[Any] = model.objects.filter(**{f"{at}__gte": pledge.starts_at}).annotate(
        happened_at=F(at)
    )
    if pledge.ends_at is not None:
        found = found.filter(**{f"{at}__lt": pledge.ends_at})
    if customers is not None:
        found = found.filter(customer__in=customers)
    if pledge.event == Event.MEMBER:
        seen = PledgeEvent.objects.filter(pledge=pledge, membership=OuterRef("pk"))
        return found.filter(~Exists(seen), program=program, status=Membership.Status.ACTIVE)
    own = Membership.objects.filter(
        customer=OuterRef("customer"), program=program, status=Membership.Status.ACTIVE
    )
    seen = PledgeEvent.objects.filter(pledge=pledge, **{pledge.event: OuterRef("pk")})
    found = found.filter(Exists(own), ~Exists(seen))
    if pledge.event == Event.ACTIVITY:
        found = found.filter(state=Activity.State.APPROVED)
        return found.filter(type=pledge.activity_type) if pledge.activity_type else found
    found = found.annotate(given_back=_given_back("pk")).exclude(_came_to_nothing(""))
    if pledge.least is not None:
        found = found.filter(_comes_to(pledge.least, program))
    return found


def _comes_to(least: Decimal, program: Program) -> Q:
    """Orders of this much as the program counts them, those in other currencies at their rate."""
    worth = Func(F("order__total") * F("rate"), F("digits"), function="round",
                 output_field=MoneyField())  # fmt: skip
    converted = OrderConversion.objects.filter(program=program, order=OuterRef("pk"))
    return Q(total__gte=least, currency=program.currency) | Q(
        Exists(converted.annotate(worth=worth).filter(worth__gte=least))
    )


def _changed(pledge: Pledge, customers: Sequence[int] | None) -> QuerySet[PledgeEvent]:
    """What was counted and has been undone, or the other way round."""
    undone = {
        Event.ORDER: _came_to_nothing("order__"),
        Event.ACTIVITY: ~Q(activity__state=Activity.State.APPROVED),
        # Who turned out to be somebody else is one member.
        Event.MEMBER: Q(membership__status=Membership.Status.MERGED),
    }[Event(pledge.event)]
    found = PledgeEvent.objects.filter(pledge=pledge)
    if pledge.event == Event.ORDER:
        found = found.annotate(given_back=_given_back("order"))
    if customers is not None:
        whose = {Event.ORDER: "order__", Event.ACTIVITY: "activity__"}.get(
            Event(pledge.event), "membership__"
        )
        found = found.filter(**{f"{whose}customer__in": customers})
    return found.filter(Q(undone, state=State.COUNTED) | Q(~undone, state=State.UNDONE))


def _given_back(order: str) -> Coalesce:
    """Money that came back of an order."""
    sums = Refund.objects.filter(order=OuterRef(order)).order_by().values("order")
    total = sums.annotate(given_back=Sum("total")).values("given_back")
    return Coalesce(Subquery(total), Value(ZERO), output_field=MoneyField())


def _came_to_nothing(path: str) -> Q:
    """Canceled, or all of it came back."""
    return Q(**{f"{path}status__in": Order.VOID}) | Q(
        **{f"{path}total__gt": 0, "given_back__gte": F(f"{path}total")}
    )


def _take(pledge: Pledge, happened: Order | Activity | Membership, now: dt.datetime) -> None:
    """Look at something for the first time."""
    member = _member(pledge, happened)
    event = PledgeEvent(
        pledge=pledge, membership=member, occurred_at=happened.happened_at,  # type: ignore[union-attr]
        order=happened if isinstance(happened, Order) else None,
        activity=happened if isinstance(happened, Activity) else None,
    )  # fmt: skip
    if not _holds(pledge, member, event.occurred_at):
        event.state = State.NOT_MET
    else:
        event.state = State.COUNTED if pledge.left else State.NO_BUDGET
    event.save()
    if event.state == State.COUNTED:
        _give(pledge, event, event.occurred_at, now)


def _turn(pledge: Pledge, event: PledgeEvent, now: dt.datetime) -> None:
    """Give back what was counted, or count again what was given back, if it still may be."""
    if event.state == State.COUNTED:
        withdraw_pledge(event=event, now=now)
        pledge.given = F("given") - _of(pledge, event)
        event.state = State.UNDONE
        event.turns += 1
        event.save()
        pledge.save(update_fields=["given"])
        pledge.refresh_from_db(fields=["given"])
    elif pledge.left and pledge.status == Pledge.Status.LIVE:
        event.state = State.COUNTED
        event.save()
        _give(pledge, event, now, now)


def _give(pledge: Pledge, event: PledgeEvent, at: dt.datetime, now: dt.datetime) -> None:
    enter_pledge(event=event, charity=pledge.charity, worth=_worth(pledge), at=at, now=now)
    event.turns += 1
    event.save(update_fields=["turns"])
    pledge.given += pledge.amount
    pledge.save(update_fields=["given"])


def _worth(pledge: Pledge) -> Worth:
    if pledge.unit == Pledge.Unit.MONEY:
        return worth_of_money(pledge.charity, pledge.amount)
    return worth_of_things(pledge.charity, pledge.amount)


def _of(pledge: Pledge, event: PledgeEvent) -> Any:
    """How much of the budget it had taken: what the pledge gave then, not what it gives now."""
    entry = event.entries.filter(reverses=None).latest("pk")
    return entry.money if pledge.unit == Pledge.Unit.MONEY else entry.things


def _member(pledge: Pledge, happened: Order | Activity | Membership) -> Membership:
    if isinstance(happened, Membership):
        return happened
    return Membership.objects.get(
        customer=happened.customer_id, program=pledge.charity.account.program
    )


def _holds(pledge: Pledge, member: Membership, at: dt.datetime) -> bool:
    condition = stored_condition(pledge.when)
    if condition is None:
        return True
    wallet_type = pledge.charity.account.program.wallet_types.order_by("pk").first()
    if wallet_type is None:
        return False
    return bool(conditions_met([AskedOfMember(pledge.pk, condition, wallet_type)], member, at))
