"""Invitations and places in a launch follow a merge, and come back when it is undone."""

from decimal import Decimal

import pytest

from loyalty.launch_definitions import LaunchDefinition
from loyalty.models import Candidate, LaunchPlace, Membership, Program
from loyalty.services.invitations import invite_customer
from loyalty.services.launches import plan_launch
from loyalty.services.memberships import enroll_customer
from members.models import Customer, CustomerFacts, CustomerMerge
from members.services.audit import SYSTEM
from members.services.merging import merge_customers, undo_merge
from tests.loyalty.factories import NOW, day, make_program

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    return make_program(enrollment="explicit")


@pytest.fixture
def people(program: Program) -> tuple[Customer, Customer]:
    """The kept one, who spent little, and their second record, who spent much."""
    made = [
        Customer.objects.create(external_id=name, email=f"{name}@example.com")
        for name in ("kept", "merged")
    ]
    for customer, spent in zip(made, (10, 500), strict=True):
        CustomerFacts.objects.create(customer=customer, orders=1, ordered=Decimal(spent), as_of=NOW)
    return made[0], made[1]


def merge(people: tuple[Customer, Customer]) -> CustomerMerge:
    kept, merged = people
    return merge_customers(kept=kept, merged=merged, actor=SYSTEM, source="api", now=day(2))[0]


def test_an_invitation_is_that_of_who_is_kept(
    program: Program, people: tuple[Customer, Customer]
) -> None:
    invite_customer(customer=people[1], program=program, actor=SYSTEM, now=NOW)
    done = merge(people)
    assert Candidate.objects.get().customer == people[0]
    undo_merge(merge=done, actor=SYSTEM, source="api", now=day(3))
    assert Candidate.objects.get().customer == people[1]


def test_a_member_is_no_candidate_by_a_merge(
    program: Program, people: tuple[Customer, Customer]
) -> None:
    invite_customer(customer=people[1], program=program, actor=SYSTEM, now=NOW)
    enroll_customer(customer=people[0], program=program, source="staff", at=NOW, actor=SYSTEM)
    merge(people)
    assert Candidate.objects.get().customer == people[1]
    assert Membership.objects.get().customer == people[0]


def test_the_better_place_in_a_launch_counts(
    program: Program, people: tuple[Customer, Customer]
) -> None:
    launch = LaunchDefinition.model_validate(
        {
            "phases": [
                {"kind": "top", "percent": 50, "starts_on": "2024-04-01"},
                {"kind": "invited", "percent": 99, "starts_on": "2024-05-01"},
                {"kind": "everyone", "starts_on": "2024-06-01"},
            ]
        }
    )
    plan_launch(program=program, launch=launch, actor=SYSTEM, now=NOW)
    assert LaunchPlace.objects.get(customer=people[0]).position == 2
    done = merge(people)
    assert LaunchPlace.objects.get(customer=people[0]).position == 1
    undo_merge(merge=done, actor=SYSTEM, source="api", now=day(3))
    assert LaunchPlace.objects.get(customer=people[0]).position == 2
