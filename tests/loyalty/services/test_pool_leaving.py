"""Whoever leaves a pool gets back what its rule says, and so does everybody when it is closed."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from loyalty.errors import PoolRefusedError
from loyalty.models import Pool, PoolMember
from loyalty.selectors.pools import (
    current_members,
)
from loyalty.services.pool_leaving import (
    close_pool,
    leave_pool,
    returns_of_closing,
    returns_of_leaving,
    summed,
)
from loyalty.services.pools import (
    change_pool,
    change_pool_member,
)
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    adjust,
    day,
    held,
    make_program,
    order,
    record,
    spendable,
    wallet_of,
)
from tests.loyalty.services.pooling import HOW, add, found_pool, in_pool, join, leave, place, take


def fill(pool: Pool) -> None:
    """Ann puts in 30, Ben 21; 9 of it, what expires first, are spent."""
    record(order("A1", "30", buyer="ann"))
    record(order("B1", "21", buyer="ben", at=day(0.1)))
    take("ann", 9, now=day(0.2))
    adjust(wallet_of(place("ann").membership.account_id), -9, "spend", now=day(0.2))


@pytest.mark.parametrize(("leaving", "back"), [("own", 21), ("stays", 0), ("equal_share", 21)])
def test_whoever_leaves_gets_back_what_the_rule_says(ann, ben, leaving, back):
    pool = found_pool(ann, leaving=leaving)
    add(pool, ben)
    fill(pool)
    at = day(1)
    assert sum(item.units for item in returns_of_leaving(place("ben"), at)) == back
    leave(place("ben"), now=at)
    assert (spendable("ben", at), in_pool(pool, at)) == (back, (42 - back, 0))
    record(order("B2", "10", buyer="ben", at=day(2)))
    assert spendable("ben", day(2)) == back + 10
    with pytest.raises(PoolRefusedError), transaction.atomic():
        leave_pool(member=PoolMember.objects.get(membership=ben), now=day(2), **HOW)


def test_what_was_spent_of_what_one_put_in_does_not_come_back(pool):
    fill(pool)
    # The oldest were spent: Ann's.
    (back,) = returns_of_leaving(place("ann"), day(1))
    assert back.units == 21


def test_what_was_put_in_comes_back_with_its_times(db):
    expiry = {"kind": "months", "length": 1, "last_day": "start_of_day"}
    program = make_program(unit={"pending_days": 5, "expiry": expiry})
    pool = found_pool(join(program, "ann"))
    add(pool, join(program, "ben"))
    record(order("B1", "20", buyer="ben"))
    leave(place("ben"), now=day(1))
    assert (held("ben", day(1)).pending, spendable("ben", day(30))) == (20, 20)
    assert spendable("ben", day(31)) == 0


def test_the_last_owner_is_followed_by_whoever_is_there_longest(pool, ann):
    with pytest.raises(PoolRefusedError), transaction.atomic():
        change_pool_member(member=place("ann"), changes={"role": "member"}, actor=SYSTEM)
    leave(place("ann"), now=day(1))
    assert [(member.role, str(member.membership.customer)) for member in current_members(pool)] == [
        ("owner", "Ben")
    ]


@pytest.mark.parametrize("leaving", ["own", "stays", "equal_share"])
def test_the_last_to_leave_gets_everything_and_the_pool_is_closed(ann, ben, leaving):
    pool = found_pool(ann, leaving=leaving)
    add(pool, ben)
    fill(pool)
    for number in ("ann", "ben"):
        leave(place(number), now=day(1))
    assert spendable("ann", day(1)) + spendable("ben", day(1)) == 42
    pool.refresh_from_db()
    assert (pool.status, pool.closed_at, in_pool(pool, day(1))) == ("closed", day(1), (0, 0))
    with pytest.raises(PoolRefusedError), transaction.atomic():
        add(pool, ann)


@pytest.mark.parametrize(
    ("leaving", "backs"), [("own", (21, 21)), ("stays", (21, 21)), ("equal_share", (21, 21))]
)
def test_closing_gives_everything_back(ann, ben, leaving, backs):
    pool = found_pool(ann, leaving=leaving)
    add(pool, ben)
    fill(pool)
    shown = {str(item.member.membership.customer): item.units
             for item in summed(returns_of_closing(pool, day(1)))}  # fmt: skip
    close_pool(pool=pool, now=day(1), **HOW)
    assert (spendable("ann", day(1)), spendable("ben", day(1))) == backs
    assert tuple(shown.values()) == backs
    assert in_pool(pool, day(1)) == (0, 0)
    assert not PoolMember.objects.filter(left_at=None).exists()
    with pytest.raises(PoolRefusedError), transaction.atomic():
        close_pool(pool=pool, now=day(2), **HOW)


def test_what_those_who_left_it_left_is_shared_on_closing(program, ann, ben):
    pool = found_pool(ann, leaving="stays")
    for member in (ben, join(program, "cleo")):
        add(pool, member)
    record(order("A1", "10", buyer="ann"), order("C1", "25", buyer="cleo"))
    leave(place("cleo"), now=day(1))
    change_pool(pool=pool, changes={"leaving": "own"}, actor=SYSTEM)
    close_pool(pool=pool, now=day(1), **HOW)
    # Ann's own 10 and 13 of the 25, Ben the other 12.
    assert (spendable("ann", day(1)), spendable("ben", day(1))) == (23, 12)


def test_closing_asks_as_often_for_many_members_as_for_two(program, pool):
    fill(pool)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert returns_of_closing(pool, day(1))
        return len(queries)

    two = asked()
    for number in ("cleo", "dora", "emil"):
        add(pool, join(program, number))
        record(order(number, "10", buyer=number, at=day(0.3)))
    assert asked() == two
