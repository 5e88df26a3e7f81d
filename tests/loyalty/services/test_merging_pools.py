"""Who is merged while they, or who is kept, share a pool."""

import datetime as dt

import pytest
from django.db import transaction

from loyalty.models import Membership, Pool
from loyalty.selectors.pools import pool_balances
from loyalty.services.pool_leaving import leave_pool
from loyalty.services.pools import PoolTerms, create_pool
from members.errors import ConflictError
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.merging import preview_merge
from tests.loyalty.factories import NOW, day, give_back, make_program, make_wallet, refund
from tests.loyalty.services.merging import buy, customer, holds, membership, merge, part

HOW = {"actor": SYSTEM, "source": "backoffice"}
SPEND_100 = {"kind": "threshold_bonus", "reach": 100, "units": 10, "window": "month"}


def share(number: str, *, bring: bool = False, now: dt.datetime = NOW) -> Pool:
    """A pool of this member alone, into which all goes that they earn."""
    return create_pool(
        owner=membership(number), terms=PoolTerms(name="Home"), bring=bring, now=now, **HOW
    )


def in_pool(pool: Pool, at: dt.datetime = NOW) -> int:
    [balance] = pool_balances(pool, at)
    return balance.balance + balance.pending


@pytest.fixture
def both(program):
    for number in ("c1", "c2"):
        make_wallet(program, number)


def test_who_shares_a_pool_leaves_it_first(both):
    pool = share("c2")
    buy("B1", "40", "c2")
    preview = preview_merge(kept=customer("c1"), merged=customer("c2"), now=NOW)
    assert "Home" in preview.problem
    with pytest.raises(ConflictError, match="Home"), transaction.atomic():
        merge()
    leave_pool(member=pool.members.get(), now=NOW, **HOW)
    merge()
    assert (holds("c1"), in_pool(pool)) == ((40, 0, 0), 0)


def test_what_came_with_a_merge_is_nobody_elses_and_what_is_earned_since_is_shared(both):
    pool = share("c1")
    buy("B1", "40", "c2")
    done = merge()
    assert (holds("c1"), in_pool(pool)) == ((40, 0, 0), 0)
    buy("B2", "30", "c2", at=1)
    assert (holds("c1", day(1)), in_pool(pool, day(1))) == ((40, 0, 0), 30)
    give_back(refund("R1", "15", of="B1", at=day(2)))
    give_back(refund("R2", "10", of="B2", at=day(2)))
    assert (holds("c1", day(2)), in_pool(pool, day(2))) == ((25, 0, 0), 20)
    part(done, now=day(3))
    assert (holds("c1", day(3)), holds("c2", day(3)), in_pool(pool, day(3))) == (
        (0, 0, 0), (25, 0, 0), 20,
    )  # fmt: skip


def test_a_bonus_that_both_reach_together_is_shared_and_comes_back_from_the_pool(db):
    program = make_program(earning_rules=[SPEND_100])
    make_wallet(program, "c1")
    pool = share("c1", now=day(-1))
    buy("A1", "60", "c1")
    buy("B1", "50", "c2")
    done = merge(now=day(1))
    assert (holds("c1", day(1)), in_pool(pool, day(1))) == ((0, 0, 0), 10)
    part(done, now=day(2))
    assert (holds("c1", day(2)), holds("c2", day(2)), in_pool(pool, day(2))) == (
        (0, 0, 0), (0, 0, 0), 0,
    )  # fmt: skip


def test_who_joined_a_pool_since_takes_part_after_they_part(db):
    program = make_program(enrollment="explicit")
    Customer.objects.create(external_id="c1")
    make_wallet(program, "c2")
    done = merge()
    share("c1")
    part(done)
    assert membership("c1").status == Membership.Status.ACTIVE
