"""Many at once: real threads with connections of their own."""

import random

import pytest

from loyalty.errors import GiftRefusedError, InsufficientBalanceError
from loyalty.models import Lot, Membership, Order, Pool, PoolMember, Refund, Transfer, Wallet
from loyalty.services.gifts import give_units
from loyalty.services.pool_leaving import leave_pool
from loyalty.services.pool_moves import take_from_pool
from loyalty.services.pools import PoolTerms, add_pool_member, create_pool
from loyalty.services.refunds import link_parked_refunds
from members.models import Customer
from members.services import transactions
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    give_back,
    held,
    make_program,
    make_wallet,
    moves,
    order,
    record,
    refund,
    spendable,
)
from tests.loyalty.ledger.racing import THREADS, at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_eight_threads_spending_one_wallet_never_overdraw():
    wallet = make_wallet(make_program())
    for number in range(4):
        adjust(wallet, 10, f"gift{number}")

    def spend(number: int) -> int:
        spent = 0
        for attempt in range(5):
            try:
                adjust(wallet, -3, f"spend{number}-{attempt}")
                spent += 1
            except InsufficientBalanceError:
                pass
        return spent

    assert sum(at_once(spend)) == 13
    assert spendable() == 1


def test_opposite_work_on_the_same_wallets_ends_where_it_must_without_deadlock():
    program = make_program()
    wallets = [make_wallet(program, f"c{number}") for number in range(3)]
    for wallet in wallets:
        adjust(wallet, 100, f"start{wallet.pk}")

    def work(number: int) -> None:
        chance = random.Random(number)
        for step in range(6):
            names = [f"c{index}" for index in chance.sample(range(3), 2)]
            record(*(order(f"{number}-{step}-{name}", "5", buyer=name) for name in names))
            for name in reversed(names):
                adjust(wallets[int(name[1])], -5, f"s{number}-{step}-{name}")

    assert at_once(work) == [None] * THREADS
    assert [spendable(f"c{number}") for number in range(3)] == [100, 100, 100]


def test_eight_threads_sending_the_same_order_record_it_once():
    make_program()
    found = at_once(lambda _number: record(order(total="12"))[0].outcome)
    assert sorted(found) == ["created", *["unchanged"] * 7]
    assert moves() == [("accrual", 12)]


def test_orders_whose_refunds_came_first_take_from_one_budget_without_deadlock(monkeypatch):
    monkeypatch.setattr(transactions, "ATTEMPTS", 1)
    program = make_program(earning_rules=[{"caps": {"budget": 1_000}}])
    for number in range(THREADS):
        make_wallet(program, f"c{number}")
        record(order(f"first{number}", "1", buyer=f"c{number}"))
    for turn in range(3):
        names = [f"{turn}-{number}" for number in range(THREADS)]
        give_back(*(refund(f"R{name}", "5", of=name) for name in names))
        found = at_once(
            lambda number, names=names: record(order(names[number], "20", buyer=f"c{number}"))
        )
        assert not [error for error in found if isinstance(error, Exception)]
    assert [spendable(f"c{number}") for number in range(THREADS)] == [46] * THREADS


def test_first_orders_of_a_new_customer_make_one_membership():
    make_program()
    found = at_once(lambda number: record(order(f"A{number}", "10"))[0].outcome)
    assert found == ["created"] * THREADS
    assert [kind.objects.count() for kind in (Customer, Membership, Wallet)] == [1, 1, 1]
    assert spendable() == 80


def test_the_same_refund_from_eight_threads_takes_back_once():
    make_program()
    record(order(total="20"))
    found = at_once(lambda _number: give_back(refund(total="5", of="A1"))[0].outcome)
    assert sorted(found) == ["created", *["unchanged"] * 7]
    assert spendable() == 15


def test_different_refunds_of_one_order_at_once_add_up():
    make_program()
    record(order(total="20"))
    at_once(lambda number: give_back(refund(f"R{number}", "2.50", of="A1")))
    assert spendable() == 0
    assert held().owed == 0
    assert Refund.objects.count() == THREADS


def test_a_spend_and_a_refund_at_once_end_the_same_whichever_comes_first():
    wallet = make_wallet(make_program())
    record(order(total="10"))
    at_once(lambda number: give_back(refund(of="A1")) if number else _try_spend(wallet), threads=2)
    spent = Transfer.objects.filter(kind="adjustment").exists()
    assert (held().spendable, held().owed) == (0, 10 if spent else 0)
    assert sum(Lot.objects.values_list("remaining", flat=True)) == 0


def _try_spend(wallet: Wallet) -> None:
    try:
        adjust(wallet, -10, "spend")
    except InsufficientBalanceError:
        pass


@pytest.mark.parametrize("buyer", ["c1", None], ids=["refund names the buyer", "order only"])
def test_an_order_and_its_refund_at_once_find_each_other(buyer):
    make_wallet(make_program())
    for number in range(6):
        name = f"A{number}"
        at_once(
            lambda which, name=name: (
                give_back(refund(f"R{name}", of=name, buyer=buyer, at=day(1)))
                if which
                else record(order(name))
            ),
            threads=2,
        )
    # Each may have missed the other; what runs every minute brings them together.
    link_parked_refunds(now=day(1))
    assert link_parked_refunds(now=day(1)) == 0
    assert Order.objects.count() == 6
    assert not Refund.objects.filter(order=None).exists()
    assert spendable(at=day(1)) == 0


def test_posting_while_time_passes_a_maturity_stays_exact():
    wallet = make_wallet(make_program(unit={"pending_days": 1}))
    record(*(order(f"A{number}", "10") for number in range(THREADS)), now=NOW)
    at_once(lambda number: adjust(wallet, -10, f"s{number}", now=day(1 + number / 24)))
    assert held(at=day(2)).spendable == 0
    assert held(at=day(2)).balance == 0


def _give(wallet: Wallet, to: str, units: int, key: str) -> bool:
    """Whether it was allowed."""
    member = Membership.objects.select_related("customer").get(customer__external_id=to)
    try:
        give_units(
            wallet=wallet, to=member, units=units, message="", actor=SYSTEM, key=key, source="api",
            now=NOW,
        )  # fmt: skip
    except GiftRefusedError:
        return False
    return True


def test_gifts_at_once_never_exceed_the_days_limit():
    program = make_program(unit={"gifts": {"to_members": True, "most_per_day": 50}})
    giver = make_wallet(program)
    for number in range(THREADS):
        make_wallet(program, f"r{number}")
    adjust(giver, 1_000, "start")
    allowed = at_once(lambda number: _give(giver, f"r{number}", 10, f"g{number}"))
    assert sorted(allowed, key=str) == [False] * 3 + [True] * 5
    assert spendable() == 950


def test_gifts_at_once_never_exceed_what_one_may_be_given():
    gifts = {"to_members": True, "most_received_per_day": 30}
    program = make_program(unit={"gifts": gifts})
    make_wallet(program, "lucky")
    wallets = [make_wallet(program, f"g{number}") for number in range(THREADS)]
    for wallet in wallets:
        adjust(wallet, 10, f"start{wallet.pk}")
    allowed = at_once(lambda number: _give(wallets[number], "lucky", 10, f"k{number}"))
    assert allowed.count(True) == 3
    assert spendable("lucky") == 30


def test_members_who_give_to_each_other_at_once_end_where_they_must():
    program = make_program(unit={"gifts": {"to_members": True}})
    wallets = {name: make_wallet(program, name) for name in ("a", "b")}
    for name, wallet in wallets.items():
        adjust(wallet, 100, f"start-{name}")

    def work(number: int) -> None:
        giver, taker = ("a", "b") if number % 2 else ("b", "a")
        for step in range(5):
            assert _give(wallets[giver], taker, 3, f"{number}-{step}")

    assert at_once(work) == [None] * THREADS
    assert (spendable("a"), spendable("b")) == (100, 100)


def test_the_same_gift_from_eight_threads_is_made_once():
    program = make_program(unit={"gifts": {"to_members": True, "most_per_day": 10}})
    giver = make_wallet(program)
    make_wallet(program, "r")
    adjust(giver, 100, "start")
    assert at_once(lambda _number: _give(giver, "r", 10, "once")) == [True] * THREADS
    assert spendable("r") == 10


def _pool_of(numbers: list[str]) -> Pool:
    """A pool of new members, the first its owner."""
    program = make_program()
    members = []
    for number in numbers:
        account = make_wallet(program, number).account_id
        members.append(Membership.objects.select_related("customer").get(account=account))
    how = {"actor": SYSTEM, "source": "api", "now": NOW}
    pool = create_pool(owner=members[0], terms=PoolTerms(name="All"), bring=False, **how)
    for member in members[1:]:
        add_pool_member(pool=pool, membership=member, **how)
    return pool


def test_members_who_earn_and_take_out_of_one_pool_at_once_end_where_they_must():
    names = [f"c{number}" for number in range(THREADS)]
    pool = _pool_of(names)
    points = pool.program.wallet_types.get()

    def work(number: int) -> int:
        member = PoolMember.objects.select_related("pool", "membership__customer").get(
            membership__customer__external_id=names[number]
        )
        taken = 0
        for step in range(5):
            others = [names[(number + step) % THREADS], names[number]]
            record(*(order(f"{number}-{step}-{index}", "5", buyer=name)
                     for index, name in enumerate(others)))  # fmt: skip
            try:
                take_from_pool(
                    member=member, wallet_type=points, units=3, key=f"t{number}-{step}",
                    actor=SYSTEM, source="api", now=NOW,
                )  # fmt: skip
                taken += 3
            except InsufficientBalanceError:
                pass
            give_back(refund(f"R{number}-{step}", "2", of=f"{number}-{step}-1", at=NOW))
        return taken

    taken = at_once(work)
    assert all(isinstance(found, int) for found in taken), taken
    earned = THREADS * 5 * (5 + 5 - 2)
    wallet = Wallet.objects.get(account=pool.account_id)
    own = sum(held(name).spendable - held(name).owed for name in names)
    assert wallet.balance + own == earned
    assert wallet.balance >= 0


def test_an_order_that_comes_while_its_buyer_leaves_is_shared_or_not():
    pool = _pool_of(["ann", "ben"])
    for number in range(4):
        place = PoolMember.objects.select_related("pool", "membership__customer").get(
            membership__customer__external_id="ben", left_at=None
        )
        at_once(
            lambda which, place=place, number=number: (
                leave_pool(member=place, actor=SYSTEM, source="api", now=NOW)
                if which
                else record(order(f"B{number}", "10", buyer="ben"))
            ),
            threads=2,
        )
        assert spendable("ben") == 10 * (number + 1)
        add_pool_member(pool=pool, membership=place.membership, actor=SYSTEM, source="api", now=NOW)
    assert Wallet.objects.get(account=pool.account_id).balance == 0


def test_a_member_who_joins_two_pools_at_once_is_in_one():
    pool = _pool_of(["ann", "ben"])
    eve = make_wallet(pool.program, "eve").account_id
    member = Membership.objects.select_related("customer").get(account=eve)
    found = at_once(
        lambda number: (
            add_pool_member(pool=pool, membership=member, actor=SYSTEM, source="api", now=NOW)
            if number % 2
            else create_pool(
                owner=member, terms=PoolTerms(name="Own"), bring=False, actor=SYSTEM,
                source="api", now=NOW,
            )
        ),
        threads=4,
    )  # fmt: skip
    assert sum(not isinstance(item, Exception) for item in found) == 1
    assert PoolMember.objects.filter(membership=member, left_at=None).count() == 1
