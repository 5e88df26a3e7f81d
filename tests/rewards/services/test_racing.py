"""Many at once: a limit, the last one in stock, a balance for one, and one voucher."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from loyalty.services.redemptions import redeem_units  # noqa: F401  (loaded before threads race)
from members.services.audit import SYSTEM
from rewards.errors import RewardRefusedError
from rewards.models import Redemption, Reward
from rewards.selectors.rewards import definition_of, get_reward
from rewards.services.eligibility import offers_for
from rewards.services.rewards import change_reward
from rewards.services.vouchers import use_voucher
from tests.loyalty.factories import NOW, spendable
from tests.rewards.factories import make_member, offer, take, voucher_of
from tests.rewards.services.racing import TRIES, at_once, in_the_way_of, until_it_waits
from tests.rewards.services.test_events import accept, give_up, plan, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_limit_of_three_lets_three_through():
    member = make_member(100_000)
    reward = offer(member.program, per_member=3)
    found = at_once(lambda number: take(member, reward, f"k{number}", at=NOW))
    assert found == {"done": 3, "limit_reached": TRIES - 3}
    assert spendable() == 100_000 - 300


def test_the_last_one_in_stock_is_taken_once():
    program = make_member(1000, "m0").program
    members = [make_member(1000, f"m{number}", program) for number in range(10)]
    reward = offer(program, stock=1)
    found = at_once(lambda number: take(members[number % 10], reward, f"k{number}", at=NOW))
    assert found == {"done": 1, "sold_out": TRIES - 1}
    assert Reward.objects.get().taken == 1
    assert sum(spendable(f"m{number}") for number in range(10)) == 10_000 - 100


def test_a_balance_for_one_is_spent_once():
    member = make_member(150)
    reward = offer(member.program)
    found = at_once(lambda number: take(member, reward, f"k{number}", at=NOW))
    assert found == {"done": 1, "insufficient_balance": TRIES - 1}
    assert (spendable(), Redemption.objects.count()) == (50, 1)


def test_one_key_takes_one_whoever_repeats_it():
    member = make_member(1000)
    reward = offer(member.program)
    assert at_once(lambda _number: take(member, reward, "same", at=NOW)) == {"done": TRIES}
    assert (spendable(), Redemption.objects.count()) == (900, 1)


def test_one_voucher_is_used_at_one_checkout():
    member = make_member(1000)
    voucher = voucher_of(take(member, offer(member.program), at=NOW))
    found = at_once(
        lambda number: use_voucher(
            voucher=voucher, checkout=f"A{number}", occasion=None, actor=SYSTEM, now=NOW
        )
    )
    assert found == {"done": 1, "voucher_used": TRIES - 1}


def test_the_last_seat_of_an_event_is_booked_once():
    program = make_member(1000, "m0").program
    members = [make_member(1000, f"m{number}", program) for number in range(10)]
    event = plan(program, seats=1)
    found = at_once(lambda number: take(members[number % 10], event.reward, f"k{number}", at=NOW))
    assert found == {"done": 1, "sold_out": TRIES - 1}
    assert Reward.objects.get().taken == 1
    assert sum(spendable(f"m{number}") for number in range(10)) == 10_000 - 100


def test_a_seat_that_comes_free_while_all_want_it_goes_to_who_waited():
    program = make_member(1000, "m0").program
    members = [make_member(1000, f"m{number}", program) for number in range(10)]
    event = plan(program, seats=1)
    booked = take(members[0], event.reward, "first", at=NOW)
    first = wait_for(event, members[1])

    def act(number):
        if number == 7:
            give_up(booked)
        else:
            take(members[2 + number % 8], event.reward, f"k{number}", at=NOW)

    assert at_once(act) == {"done": 1, "sold_out": TRIES - 1}
    reward = Reward.objects.get()
    assert (reward.taken, reward.kept) == (0, 1)
    assert at_once(lambda _number: accept(first)) == {"done": TRIES}
    assert (spendable("m1"), spendable("m2")) == (900, 1000)


def give_stock(reward):
    told = definition_of(get_reward(reward.public_id))
    change_reward(
        reward=reward, definition=told.model_copy(update={"stock": 1}), actor=SYSTEM
    )  # fmt: skip


def stock_of():
    found = Reward.objects.get()
    return found.stock, found.taken, Redemption.objects.filter(stocked=True).count()


def test_who_gives_a_reward_its_first_stock_waits_for_who_is_taking_one(monkeypatch):
    member = make_member(1000)
    reward = offer(member.program)
    begun = []

    def change():
        try:
            give_stock(reward)
        finally:
            connections.close_all()

    def look(*asked):
        # The reward was read, and has no stock.
        begun.append(other.submit(change))
        until_it_waits(begun[0])
        return offers_for(*asked)

    with ThreadPoolExecutor(1) as other:
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr("rewards.services.redemptions.offers_for", look)
            take(member, reward, "before", at=NOW)
        begun[0].result()
    assert stock_of() == (1, 0, 0)
    take(member, reward, "one", at=NOW)
    assert stock_of() == (1, 1, 1)


def test_who_takes_a_reward_that_just_gets_its_first_stock_takes_of_it():
    member = make_member(1000)
    reward = offer(member.program)
    in_the_way_of(
        lambda: take(member, reward, "one", at=NOW), lambda: give_stock(reward), lambda: None
    )
    assert stock_of() == (1, 1, 1)
    with pytest.raises(RewardRefusedError):
        take(member, reward, "two", at=NOW)
    assert spendable() == 900
