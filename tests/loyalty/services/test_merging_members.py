"""What a merge does to memberships, in each program by itself."""

import pytest

from loyalty.models import (
    Membership,
)
from loyalty.services.memberships import enroll_customer
from members.models import Customer
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    day,
    held,
    make_program,
    make_wallet,
    spendable,
)
from tests.loyalty.services.merging import buy, customer, holds, membership, merge, part, wallet


@pytest.fixture
def both(program):
    """Two records of one person: 100 units and 40."""
    buy("A1", "100", "c1")
    buy("B1", "40", "c2")


def test_who_was_no_member_becomes_one_with_what_came(program):
    Customer.objects.create(external_id="c1")
    buy("B1", "40", "c2", at=-5)
    done = merge()
    assert (membership("c1").enrolled_at, spendable("c1")) == (day(-5), 40)
    part(done)
    assert (spendable("c2"), holds("c1")) == (40, (0, 0, 0))
    assert membership("c1").status == "active"


def test_who_was_no_member_of_a_program_that_asks_is_none_after_it(db):
    program = make_program(enrollment="explicit")
    Customer.objects.create(external_id="c1")
    make_wallet(program, "c2")
    buy("B1", "40", "c2")
    part(merge())
    assert (membership("c1").status, membership("c2").status, spendable("c2")) == (
        "left", "active", 40,
    )  # fmt: skip
    enroll_customer(customer=customer("c1"), program=program, source="staff", at=NOW, actor=SYSTEM)
    assert membership("c1").status == "active"


@pytest.mark.parametrize(
    ("kept", "merged", "status"),
    [
        ("active", "active", "active"),
        ("suspended", "active", "suspended"),
        ("active", "suspended", "suspended"),
        ("left", "active", "active"),
        ("left", "left", "left"),
    ],
)
def test_the_stricter_status_counts_until_they_part(both, kept, merged, status):
    Membership.objects.filter(pk=membership("c1").pk).update(status=kept)
    Membership.objects.filter(pk=membership("c2").pk).update(status=merged)
    done = merge()
    assert membership("c1").status == status
    part(done)
    assert (membership("c1").status, membership("c2").status) == (kept, merged)


def test_who_joined_first_counts_until_they_part(program):
    buy("B1", "40", "c2", at=-90)
    buy("A1", "40", "c1", at=-10)
    done = merge()
    assert membership("c1").enrolled_at == day(-90)
    part(done)
    assert (membership("c1").enrolled_at, membership("c2").enrolled_at) == (day(-10), day(-90))


def test_duplicates_of_a_duplicate_follow_and_come_back(program):
    for number in ("c1", "c2", "c3"):
        buy(f"{number}-1", "10", number)
    first = merge("c2", "c3")
    second = merge("c1", "c2")
    assert (spendable("c1"), membership("c3").merged_into) == (30, membership("c1"))
    assert (wallet("c3").merged_into, customer("c3").merged_into) == (wallet("c1"), customer("c1"))
    buy("c3-2", "5", "c3", at=1)
    assert spendable("c1", day(1)) == 35
    part(second, now=day(2))
    assert (wallet("c3").merged_into, customer("c3").merged_into) == (wallet("c2"), customer("c2"))
    assert (spendable("c1", day(2)), spendable("c2", day(2))) == (15, 20)
    part(first, now=day(3))
    assert [spendable(number, day(3)) for number in ("c1", "c2", "c3")] == [15, 10, 10]


def test_each_program_and_unit_is_merged_by_itself(db):
    double = make_program("double", earning_rules=[{"units": 2}], unit={"decimals": 2})
    single = make_program("single")
    buy("A1", "100", "c1")
    buy("B1", "40", "c2")
    done = merge()
    assert held("c1", program=single).balance == 140
    assert held("c1", program=double).balance == 28000
    part(done)
    assert [held(c, program=double).balance for c in ("c1", "c2")] == [20000, 8000]
