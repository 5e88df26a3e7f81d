"""Many carts at once, and one told by many; processes that die between reserve and commit."""

import datetime as dt
import os
import signal
from multiprocessing import get_context
from typing import Any

import pytest
from django.db import connections

from loyalty.models import Transfer, UnitTender
from rewards.models import Checkout, Redemption, Reward
from rewards.services.timeouts import end_timeouts
from tests.loyalty.factories import NOW, order, record, spendable
from tests.rewards.factories import make_member, offer, take, voucher_of
from tests.rewards.services.carts import cancel, cart, commit, reserve, shopper
from tests.rewards.services.racing import TRIES, at_once

pytestmark = [
    pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("coherent_ledger"),
]  # fmt: skip
LATER = NOW + dt.timedelta(minutes=31)


def test_one_cart_is_paid_once_by_many() -> None:
    member = shopper()
    found = reserve(cart(member, rewards=[offer(member.program)], units=500))
    assert at_once(lambda _number: commit(found)) == {"done": TRIES}
    assert spendable() == 400
    assert (UnitTender.objects.count(), Redemption.objects.get().status) == (1, "used")


def test_of_many_carts_on_one_wallet_one_gets_what_there_is() -> None:
    member = shopper(700)
    found = at_once(lambda number: reserve(cart(member, f"C{number}", units=500)))
    assert found == {"done": 1, "insufficient_balance": TRIES - 1}
    assert (spendable(), Checkout.objects.count()) == (200, 1)


def test_of_many_carts_with_one_voucher_one_gets_it() -> None:
    member = shopper(200)
    voucher = voucher_of(take(member, offer(member.program), at=NOW))
    found = at_once(lambda number: reserve(cart(member, f"C{number}", vouchers=[voucher])))
    assert found == {"done": 1, "voucher_held": TRIES - 1}


def test_of_many_members_carts_with_the_last_in_stock_one_gets_it() -> None:
    first = shopper(500, "m0")
    tour = offer(first.program, "tour", kind="access", stock=1)
    members = [first, *(make_member(500, f"m{number}", first.program) for number in range(1, 8))]
    found = at_once(
        lambda number: reserve(cart(members[number % 8], f"C{number}", rewards=[tour], units=100))
    )
    assert found == {"done": 1, "sold_out": TRIES - 1}
    assert Reward.objects.get().taken == 1
    assert sum(spendable(f"m{number}") for number in range(8)) == 8 * 500 - 200


def test_one_cart_told_by_many_is_kept_once() -> None:
    member = shopper()
    assert at_once(lambda _number: reserve(cart(member, units=500))) == {"done": TRIES}
    assert (spendable(), Checkout.objects.get().round) == (500, 1)


def test_paid_or_given_up_it_is_one_of_both() -> None:
    member = shopper()
    carts = [reserve(cart(member, f"C{number}", units=100)) for number in range(8)]

    def act(number: int) -> None:
        found = carts[number % 8]
        cancel(found) if number < 8 else commit(found, f"A{number}")

    at_once(act, 16)
    paid = Checkout.objects.filter(status="committed").count()
    gone = Checkout.objects.filter(status="cancelled").count()
    assert paid + gone == 8
    assert spendable() == 1000 - 100 * UnitTender.objects.count()


def test_a_cart_and_its_order_that_come_in_one_moment_find_each_other() -> None:
    member = shopper(4000)
    carts = [reserve(cart(member, f"C{number}", units=100)) for number in range(8)]

    def act(number: int) -> None:
        if number % 2:
            record(order(f"A{number // 2}", "20"))
        else:
            commit(carts[number // 2], f"A{number // 2}")

    assert at_once(act, 16) == {"done": 16}
    assert UnitTender.objects.filter(order=None).count() == 0
    assert spendable() == 4000 - 8 * 100 + 8 * 19


def test_what_a_dead_process_had_reserved_comes_back_by_itself() -> None:
    member = shopper()
    tour = offer(member.program, "tour", kind="access", stock=5)
    connections.close_all()
    process = get_context("fork").Process(
        target=_reserve_and_die, args=(cart(member, rewards=[tour], units=300),)
    )
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert (spendable(), Checkout.objects.get().status) == (600, "reserved")
    assert at_once(lambda _number: end_timeouts(LATER), 4) == {"done": 4}
    assert (spendable(at=LATER), Reward.objects.get().taken) == (1000, 0)
    assert Transfer.objects.filter(kind="reversal").count() == 2


def _reserve_and_die(asked: Any) -> None:
    reserve(asked)
    os.kill(os.getpid(), signal.SIGKILL)
