"""Pieces of work that change many rewards at once, and members who act in between: nobody holds
what the other needs."""

import datetime as dt
import uuid

import pytest

from loyalty.ledger.checks import check_rule
from loyalty.ledger.posting import lock_wallets
from loyalty.selectors.memberships import wallet_ids
from members.models import Customer, Segment
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled
from members.services.segments import add_to_list, create_segment
from rewards.checks import CHECKS
from rewards.models import Redemption, Reward
from rewards.services.event_jobs import cancel_event
from rewards.services.gift_days import KIND, start_gift_day
from rewards.services.gifts_for_many import run_gift_for_many, start_gift_for_many
from rewards.services.timeouts import end_timeouts
from tests.loyalty.factories import NOW, day, spendable
from tests.rewards.factories import make_member, offer, take
from tests.rewards.services.racing import in_the_way_of
from tests.rewards.services.test_events import give_up, plan

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def members():
    first = make_member(1000, "m0")
    return [first, make_member(1000, "m1", first.program)]


def at_once(piece, last, act):
    """The last of the piece's members has begun to spend."""
    return in_the_way_of(piece, lambda: lock_wallets(wallet_ids([last])), act)


def agrees():
    return [name for name in CHECKS if check_rule(name, NOW) is not None] == []


def loyal(members) -> Segment:
    segment = create_segment(name="Loyal", code="loyal", kind="static", actor=SYSTEM, now=NOW)
    for member in members:
        add_to_list(segment=segment, customer=member.customer, actor=SYSTEM, now=NOW)
    return segment


def test_a_gift_for_many_and_a_member_who_takes_one(members):
    reward = offer(members[0].program, stock=10)
    job = start_gift_for_many(
        reward=reward, segment=loyal(members), message="", reason="Thanks", key=uuid.uuid4(),
        actor=SYSTEM,
    )  # fmt: skip
    done = at_once(
        lambda: run_gift_for_many(job.pk), members[1], lambda: take(members[1], reward, at=NOW)
    )
    assert (done.result["given"], Reward.objects.get().taken, agrees()) == (2, 3, True)


def test_birthdays_and_a_member_who_takes_one(members):
    reward = offer(members[0].program, stock=10)
    Customer.objects.update(birthday="1990-03-20")
    start_gift_day(
        reward=reward, day="birthday", days_before=0, tiers=(), message="", actor=SYSTEM, now=NOW
    )
    at_once(
        lambda: run_scheduled(kind=KIND, now=day(5)), members[1],
        lambda: take(members[1], reward, at=NOW),
    )  # fmt: skip
    assert (Redemption.objects.filter(gift="birthday").count(), agrees()) == (2, True)


@pytest.mark.parametrize("price", [100, 0])
def test_an_event_that_is_called_off_and_a_member_who_gives_up(members, price):
    event = plan(members[0].program, seats=3, price=price)
    booked = [take(member, event.reward, f"k{member.pk}", at=NOW) for member in members]
    in_the_way_of(
        # With the job that it starts.
        lambda: cancel_event(event=event, reason="Storm", actor=SYSTEM, now=NOW),
        lambda: hold(booked[1]), lambda: give_up(booked[1]),
    )  # fmt: skip
    assert [spendable("m0"), spendable("m1")] == [1000, 1000]
    assert (Reward.objects.get().taken, agrees()) == (0, True)


@pytest.mark.parametrize("price", [100, 0])
def test_reservations_that_run_out_and_a_member_who_gives_up(members, price):
    reward = offer(members[0].program, kind="experience", stock=10, price=price)
    held = [take(member, reward, f"k{member.pk}", at=NOW, hold=HOUR) for member in members]
    in_the_way_of(
        lambda: end_timeouts(NOW + 2 * HOUR), lambda: hold(held[1]), lambda: give_up(held[1])
    )
    assert sorted(item.status for item in Redemption.objects.all()) == ["cancelled", "expired"]
    assert (Reward.objects.get().taken, agrees()) == (0, True)


def hold(taken: Redemption) -> None:
    """As whoever gives it up begins: their wallet, where it was paid, and then it."""
    if taken.units:
        lock_wallets(wallet_ids([taken.membership]))
    Redemption.objects.select_for_update().get(pk=taken.pk)
