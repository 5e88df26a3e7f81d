"""Short ways to members of whom something is suspicious. All go through the services."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from loyalty.models import Membership, Program, RiskCase, RiskScore
from loyalty.services.memberships import enroll_customer
from loyalty.services.redemptions import redeem_units
from loyalty.services.risk_policies import write_policy
from loyalty.services.risk_scores import score_member
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.outbox import deliver_waiting
from tests.factories import CustomerFactory
from tests.loyalty.factories import make_program, make_type, order, record, reward, wallet_of

DAY = dt.timedelta(days=1)
# What is suspicious of who joined twice: 20 for looking alike, 45 for the bonuses.
FARMED = 65


def bonus_club(code: str = "club") -> Program:
    """A program that gives 100 for joining."""
    make_type("sign-up", most=1, period="ever")
    return make_program(
        code, earning_rules=[{}, reward("sign-up", 100)], at=timezone.now() - 9 * DAY
    )


def join(
    program: Program, number: str, source: str = Membership.Source.LINK, **details: object
) -> Membership:
    customer = Customer.objects.filter(external_id=number).first() or CustomerFactory(
        external_id=number, **details
    )
    membership, _made = enroll_customer(
        customer=customer, program=program, source=source, at=timezone.now(),
        actor=SYSTEM,
    )  # fmt: skip
    return membership


def follow() -> None:
    while deliver_waiting():
        pass


def join_twice(program: Program, number: str = "f") -> tuple[Membership, Membership]:
    """One person with two accounts, each with the bonus."""
    name = {"given_name": "Fay", "family_name": f"Farmer{number}"}
    birthday = dt.date(1990, 2, 3)
    first = join(
        program, f"{number}1", email=f"fay.{number}@one.example", birthday=birthday, **name
    )
    second = join(
        program, f"{number}2", email=f"fay.{number}@two.example", birthday=birthday, **name
    )
    follow()
    return first, second


def look(membership: Membership) -> RiskScore:
    found = score_member(membership, now=timezone.now())
    assert found is not None
    return found


def open_case(program: Program, number: str = "f") -> RiskCase:
    """Of the second of two accounts of one person."""
    _first, second = join_twice(program, number)
    look(second)
    return RiskCase.objects.get(membership=second)


def rushed_case(program: Program) -> RiskCase:
    """Of "r", who makes ten orders in an hour, with all that is suspicious weighing enough."""
    write_policy(
        program=program, values={"signals": {"velocity": {"weight": 70}}}, actor=SYSTEM,
        now=timezone.now(),
    )  # fmt: skip
    member = join(program, "r")
    record(*[order(f"V{n}", "10", buyer="r", at=timezone.now()) for n in range(10)])
    follow()
    look(member)
    return RiskCase.objects.get(membership=member)


def redeem(number: str, units: int) -> None:
    member = Membership.objects.get(customer__external_id=number)
    redeem_units(
        wallet=wallet_of(member.account_id), units=units, key=f"spent:{number}:{units}",
        source="api", actor=SYSTEM, now=timezone.now(),
    )  # fmt: skip
