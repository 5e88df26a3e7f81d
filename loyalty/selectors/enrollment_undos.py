"""What undoing an enrollment from a file would do, as things stand now: counted, nothing is
written."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from loyalty.models import (
    Absence,
    Activity,
    EnrollmentBatch,
    Membership,
    Order,
    PoolMember,
    StandingGift,
    Subscription,
    Transfer,
)
from loyalty.own_signs import own_signs
from members.models import Customer, CustomerNote, CustomerTask, Job, PersonalPackage

AT_ONCE = 500


@dataclass(slots=True)
class EnrollmentUndoPreview:
    """`due`: members who would leave; `gone`: who left already; `stay`: why others stay, with how
    many. `made`: people who came with the file, `completed`: who were here, and got a detail that
    was missing. `known`: it is kept what the file brought."""

    known: bool = False
    due: int = 0
    gone: int = 0
    stay: Counter[str] = field(default_factory=Counter)
    made: int = 0
    completed: int = 0

    @property
    def kept(self) -> int:
        return self.stay.total()

    @property
    def reasons(self) -> list[tuple[str, int]]:
        return self.stay.most_common()


def preview_enrollment_undo(job: Job) -> EnrollmentUndoPreview:
    """By the same look that the work has."""
    found = EnrollmentUndoPreview()
    for batch in EnrollmentBatch.objects.filter(job=job).order_by("pk").iterator():
        found.known = True
        found.made += len(batch.customers)
        found.completed += len(batch.completed)
        for at in range(0, len(batch.members), AT_ONCE):
            members = Membership.objects.filter(pk__in=batch.members[at : at + AT_ONCE])
            _count(list(members), batch.at, found)
    return found


def _count(members: list[Membership], since: dt.datetime, found: EnrollmentUndoPreview) -> None:
    why = why_they_stay(members, since)
    found.stay.update(why.values())
    here = [member for member in members if member.pk not in why]
    gone = sum(member.status == Membership.Status.LEFT for member in here)
    found.gone += gone
    found.due += len(here) - gone


def why_they_stay(
    members: Sequence[Membership], since: dt.datetime, *, pooled: bool = True
) -> dict[int, str]:  # fmt: skip
    """By membership what they did since they were enrolled, or what was done with them; who is not
    in it may leave, or has left. A constant number of queries."""
    found: dict[int, str] = {}
    for reason, customers, memberships in _signs(members, since, pooled=pooled):
        for member in members:
            if member.customer_id in customers or member.pk in memberships:
                found.setdefault(member.pk, reason)
    return found


Sign = tuple[str, Collection[int], Collection[int]]


def _signs(
    members: Sequence[Membership], since: dt.datetime, *, pooled: bool
) -> Iterator[Sign]:  # fmt: skip
    """A reason with the customers, and the memberships, that it holds for; the first one counts."""
    people = {member.customer_id for member in members}
    yield from _of_people(people, since)
    keys = [member.pk for member in members]
    away = {
        member.pk for member in members
        if member.status not in (Membership.Status.ACTIVE, Membership.Status.LEFT)
    }  # fmt: skip
    yield _("The membership is not active."), (), away
    back = Absence.objects.filter(membership__in=keys, began_at__gt=since, ended_at__isnull=False)
    yield _("They were away since, and came back."), (), _set(back, "membership")
    pools = PoolMember.objects.filter(membership__in=keys if pooled else (), left_at=None)
    yield _("They share a pool with others."), (), _set(pools, "membership")
    plans = Subscription.objects.filter(membership__in=keys, asked_at__gte=since)
    yield _("They wanted a paid plan."), (), _set(plans, "membership")
    gifts = StandingGift.objects.filter(membership__in=keys, started_at__gte=since)
    yield _("They give units away regularly."), (), _set(gifts, "membership")
    accounts = {member.account_id: member.pk for member in members}
    moves = Transfer.objects.filter(wallet__account__in=accounts, recorded_at__gte=since)
    moved = _set(moves.exclude(kind=Transfer.Kind.EXPIRY), "wallet__account")
    yield _("Units were earned, spent, given or adjusted."), (), {accounts[pk] for pk in moved}


def _of_people(people: Collection[int], since: dt.datetime) -> Iterator[Sign]:
    customers = Customer.objects.filter(pk__in=people)
    merged = Customer.objects.filter(merged_into__in=people)
    yield (
        _("Merged with another customer since."),
        _set(customers.filter(merged_into__isnull=False), "pk") | _set(merged, "merged_into"), (),
    )  # fmt: skip
    signed_in = customers.filter(Q(user__last_login__gte=since) | Q(user__date_joined__gte=since))
    yield _("They have signed in."), _set(signed_in, "pk"), ()
    noted = _set(
        CustomerNote.objects.filter(customer__in=people, created_at__gte=since), "customer"
    ) | _set(CustomerTask.objects.filter(customer__in=people, created_at__gte=since), "customer")
    yield _("Staff have noted something about them."), noted, ()
    asked = PersonalPackage.objects.filter(customer__in=people, asked_at__gte=since)
    yield _("What is known of them was asked for."), _set(asked, "customer"), ()
    bought = Order.objects.filter(customer__in=people, recorded_at__gte=since)
    yield (
        _("They have bought something."),
        _set(bought.exclude(status__in=Order.VOID), "customer"),
        (),
    )
    done = Activity.objects.filter(customer__in=people, recorded_at__gte=since)
    yield _("They did something else that is rewarded."), _set(done, "customer"), ()
    for words, found in own_signs(people, since):
        yield words, found, ()


def _set(found: QuerySet[Any], name: str) -> set[int]:
    return set(found.values_list(name, flat=True))
