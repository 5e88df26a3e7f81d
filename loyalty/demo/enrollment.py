"""How the demonstration's program began: in phases, with something for those who joined first, and
people who came on every way there is."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.utils import timezone

from loyalty.launch_definitions import FoundingDefinition, LaunchDefinition, PhaseDefinition
from loyalty.models import Candidate, Membership, Program, ProgramReading
from loyalty.services.founding import give_founding_bonus
from loyalty.services.invitations import decline_invitation, invite_customer
from loyalty.services.joining import join_program
from loyalty.services.launches import plan_launch
from loyalty.services.program_readings import confirm_reading
from members.models import Customer, User
from members.services.audit import SYSTEM
from members.services.customers import create_customer

# Days since the first phase began, and the bonus of the first two months.
BEGAN = 40
BONUS = 250
# Name, source, detail, days ago.
NEWCOMERS = (
    ("Noah Bright", Membership.Source.LINK, "spring-flyer", 35),
    ("Ella Park", Membership.Source.LINK, "spring-flyer", 33),
    ("Ivan Petrov", Membership.Source.TILL, "Orchard Street", 31),
    ("Grace Hill", Membership.Source.CHECKOUT, "", 26),
    ("Omar Haddad", Membership.Source.LINK, "shop-window", 19),
    ("Lucy Stone", Membership.Source.TILL, "Harbor Road", 14),
    ("Ben Carter", Membership.Source.CHECKOUT, "", 8),
    ("Rosa Diaz", Membership.Source.LINK, "spring-flyer", 5),
    ("Emil Novak", Membership.Source.TILL, "Orchard Street", 2),
)


def people_join(program: Program) -> None:
    """Once, however often the demonstration is loaded."""
    now = timezone.now()
    if Candidate.objects.filter(program=program).exists():
        return
    _plan(program, now)
    # Few among few households, so that they stay the exception that they are in the whole.
    some = Membership.objects.filter(program=program).count() // 20
    for name, source, detail, days in NEWCOMERS[:some]:
        join_program(
            customer=_newcomer(name), program=program, source=source, detail=detail,
            at=now - dt.timedelta(days=days), actor=SYSTEM,
        )  # fmt: skip
    _invite(program, now)
    while give_founding_bonus(program=program, now=now):
        pass
    _read(program, now)


def _plan(program: Program, now: dt.datetime) -> None:
    first = now.astimezone(program.zone).date() - dt.timedelta(days=BEGAN)
    launch = LaunchDefinition(
        phases=(
            PhaseDefinition(kind="top", percent=10, starts_on=first),
            PhaseDefinition(kind="invited", percent=50, starts_on=first + dt.timedelta(days=2)),
            PhaseDefinition(kind="everyone", starts_on=first + dt.timedelta(days=4)),
        ),
        founding=FoundingDefinition(
            wallet_type="acorns", units=Decimal(BONUS), days=60, most_members=500
        ),
    )
    plan_launch(program=program, launch=launch, actor=SYSTEM, now=now)


def _newcomer(name: str) -> Customer:
    given, family = name.split()
    email = f"{given}.{family}@example.com".lower()
    found = Customer.objects.filter(email=email).first()
    return found or create_customer(
        actor=SYSTEM, email=email, given_name=given, family_name=family, locale="en"
    )


def _invite(program: Program, now: dt.datetime) -> None:
    """One has not answered yet, one said no."""
    for name, declines in (("Mina Sato", False), ("Paul Weber", True)):
        customer = _newcomer(name)
        at = now - dt.timedelta(days=3)
        invited = invite_customer(
            customer=customer, program=program, detail="friends", actor=SYSTEM, now=at
        )
        if declines:
            decline_invitation(candidate=invited, actor=SYSTEM, now=now - dt.timedelta(days=1))


def _read(program: Program, now: dt.datetime) -> None:
    """Two of the team know the program already."""
    program.refresh_from_db()
    if ProgramReading.objects.filter(program=program).exists():
        return
    for user in User.objects.filter(email__in=["mia@setia.example", "sam@setia.example"]):
        confirm_reading(program=program, reader=user, revision=program.revision, now=now)
