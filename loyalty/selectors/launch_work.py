"""Whom a launch has to write to: those whom the phase in force takes in, and who waited for it."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, OuterRef, QuerySet

from loyalty.models import Candidate, LaunchPhase, LaunchPlace, Membership, Program
from loyalty.selectors.launches import get_launch, phase_at
from members.models import Customer


def to_invite(program: Program, now: dt.datetime) -> QuerySet[Customer]:
    """Customers on the list of the phase in force who were never asked, the best first."""
    launch = get_launch(program)
    phase = phase_at(launch, now) if launch else None
    if launch is None or phase is None or phase.kind == LaunchPhase.Kind.EVERYONE:
        return Customer.objects.none()
    place = LaunchPlace.objects.filter(launch=launch, position__lte=phase.position)
    known = Candidate.objects.filter(program=program, customer=OuterRef("pk"))
    member = Membership.objects.filter(program=program, customer=OuterRef("pk"))
    return (
        Customer.objects.filter(pk__in=place.values("customer"), merged_into=None)
        .exclude(email="")
        .exclude(Exists(known))
        .exclude(Exists(member))
        .order_by("pk")
    )


def to_let_in(program: Program, now: dt.datetime) -> QuerySet[Candidate]:
    """Who waits and is admitted by now, the longest waiting first."""
    waiting = Candidate.objects.select_related("customer", "program").filter(
        program=program, state=Candidate.State.WAITING, customer__merged_into=None
    )
    launch = get_launch(program)
    if launch is not None and launch.phases.all():
        phase = phase_at(launch, now)
        if phase is None:
            return waiting.none()
        if phase.kind != LaunchPhase.Kind.EVERYONE:
            place = LaunchPlace.objects.filter(launch=launch, position__lte=phase.position)
            waiting = waiting.filter(customer__in=place.values("customer"))
    return waiting.order_by("waiting_since", "pk")


def programs_with_work(now: dt.datetime) -> list[Program]:
    """Live programs that have somebody to write to."""
    live = Program.objects.filter(status=Program.Status.LIVE).order_by("pk")
    return [
        program
        for program in live
        if to_let_in(program, now).exists() or to_invite(program, now).exists()
    ]
