"""What members save for, and rewards that are taken by itself: once each time they come to it."""

import datetime as dt

import pytest
from django.db import connection, transaction

from loyalty.ledger.checks import check_rule
from loyalty.services.expiry import confirm_matured, write_down_expired
from loyalty.services.gifts import give_units
from members.errors import DomainError
from members.models import AuditEntry, Customer
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details
from members.services.job_runs import run_scheduled
from rewards.checks import CHECKS
from rewards.errors import RewardRefusedError
from rewards.models import AutoTake, Redemption, Reward, RewardGoal
from rewards.services.auto_takes import KIND, find_auto_takes, take_due
from rewards.services.auto_takes import _take as take_found
from rewards.services.redemptions import cancel_redemption
from rewards.services.wishes import choose_goal, drop_goal, end_auto_take, set_auto_take
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    give_back,
    make_program,
    make_wallet,
    order,
    record,
    refund,
    spendable,
)
from tests.loyalty.services.merging import merge, owe
from tests.loyalty.services.pooling import add, found_pool, leave, place, put_in
from tests.loyalty.services.pooling import take as take_out
from tests.rewards.factories import make_member, offer, take
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]


_made_once, member = of_each_test(
    lambda: make_member(50, program=make_program(unit={"gifts": {"to_members": True}}))
)


@pytest.fixture
def reward(member):
    return offer(member.program, price=100)


def give(member, units, key):
    adjust(make_wallet(member.program), units, key=key, now=NOW)


def auto(member, reward, balance=None):
    return set_auto_take(membership=member, reward=reward, balance=balance, actor=SYSTEM, now=NOW)


def look(at=NOW):
    return take_due(at)[1]


def test_it_is_taken_when_the_balance_comes_to_its_price_and_once(member, reward):
    auto(member, reward)
    assert (find_auto_takes(NOW), look()) == (None, 0)
    give(member, 60, "a")
    assert find_auto_takes(NOW) is not None
    assert [look(), look(), look()] == [1, 0, 0]
    taken = Redemption.objects.get()
    assert (taken.status, taken.source, spendable()) == ("issued", "job", 10)
    assert taken.key == f"auto:{AutoTake.objects.get().pk}:1"
    give(member, 95, "b")
    assert (look(), Redemption.objects.count(), spendable()) == (1, 2, 5)
    actions = AuditEntry.objects.filter(action="reward.taken").count()
    assert actions == 2
    assert all(check_rule(name, NOW) is None for name in CHECKS)


def test_a_crossing_counts_once_also_while_more_than_enough_is_left(member, reward):
    auto(member, reward)
    give(member, 950, "a")
    assert [look(), look()] == [1, 0]
    assert (Redemption.objects.count(), spendable()) == (1, 900)
    cancel_redemption(
        redemption=Redemption.objects.get(), reason="", source="api", actor=SYSTEM, now=NOW
    )
    assert look() == 0


def test_who_has_enough_already_waits_for_the_next_time(member, reward):
    give(member, 100, "a")
    assert not auto(member, reward).armed
    assert look() == 0
    take(member, reward, at=NOW)
    assert look() == 0
    give(member, 60, "b")
    assert look() == 1


def test_a_balance_above_the_price_can_be_chosen_and_none_below(member, reward):
    with pytest.raises(DomainError, match="At least its price, 100"):
        auto(member, reward, 99)
    auto(member, reward, 300)
    give(member, 200, "a")
    assert look() == 0
    give(member, 60, "b")
    assert (look(), spendable()) == (1, 210)


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"per_member": 1}, "limit_reached"), ({"stock": 0}, "sold_out"),
     ({"ends_at": NOW - dt.timedelta(days=1)}, "over"), ({"status": "archived"}, "not_offered"),
     ({"price": 500}, "insufficient_balance")],
)  # fmt: skip
def test_what_is_refused_is_not_taken_and_not_tried_again_until_the_next_time(
    member, reward, changes, why
):
    give(member, 100, "a")
    take(member, reward, at=NOW)
    auto(member, reward)
    Reward.objects.filter(pk=reward.pk).update(**changes)
    give(member, 60, "b")
    assert [look(), look()] == [0, 0]
    assert (AutoTake.objects.get().refusal, spendable()) == (why, 110)
    refused = AuditEntry.objects.filter(action="reward.auto_refused")
    assert [entry.after["why"] for entry in refused] == [why]


def test_whoever_ends_it_has_nothing_taken(member, reward):
    auto(member, reward)
    end_auto_take(membership=member, reward=reward, actor=SYSTEM)
    end_auto_take(membership=member, reward=reward, actor=SYSTEM)
    give(member, 500, "a")
    assert (look(), Redemption.objects.count()) == (0, 0)


def test_the_schedule_takes_it(member, reward):
    auto(member, reward)
    give(member, 60, "a")
    assert run_scheduled(kind=KIND, now=NOW).result == {"taken": 1}
    assert run_scheduled(kind=KIND, now=NOW).result.get("taken", 0) == 0
    assert run_scheduled(kind=KIND, now=day(1)) is None
    assert Redemption.objects.count() == 1


def test_a_member_saves_for_one_reward_at_a_time(member, reward):
    other = offer(member.program, "other")
    for wanted in (reward, reward, other):
        choose_goal(membership=member, reward=wanted, actor=SYSTEM, now=NOW)
    assert RewardGoal.objects.get().reward == other
    assert AuditEntry.objects.filter(action="reward.goal_chosen").count() == 2
    drop_goal(membership=member, actor=SYSTEM)
    drop_goal(membership=member, actor=SYSTEM)
    assert not RewardGoal.objects.exists()


def test_only_what_is_offered_can_be_wished_for(member, reward):
    strange = offer(make_program(code="other"), "x")
    draft = offer(member.program, "d", status="draft")
    for wanted in (strange, draft):
        with pytest.raises(RewardRefusedError):
            choose_goal(membership=member, reward=wanted, actor=SYSTEM, now=NOW)
        with pytest.raises(RewardRefusedError):
            auto(member, wanted)


def test_what_costs_nothing_is_not_waited_for(member):
    free = offer(member.program, "sticker", kind="gift", price=0)
    with pytest.raises(DomainError) as error:
        set_auto_take(membership=member, reward=free, balance=None, actor=SYSTEM, now=NOW)
    assert [wrong.field for wrong in error.value.errors] == ["balance"]


IN_TEN_DAYS = day(10)


def by_order(member):
    record(order("W1", "60", at=NOW))


def by_order_of_a_batch(member):
    record(*[order(f"W{number}", "20", at=NOW, buyer=f"c{number % 2}") for number in range(1, 7)])


def by_hand(member):
    give(member, 60, "hand")


def by_gift(member):
    giver = make_wallet(member.program, "giver")
    adjust(giver, 60, key="giver", now=NOW)
    give_units(
        wallet=giver, to=member, units=60, key="g1", message="", source="api", actor=SYSTEM, now=NOW
    )


def out_of_a_pool(member):
    friend = make_member(60, "friend", member.program)
    add(found_pool(member, contribution="by_hand"), friend)
    put_in("friend", 60)
    take_out("c1", 60)


def by_leaving_a_pool(member):
    add(found_pool(member, bring=True), make_member(0, "friend", member.program))
    record(order("W1", "60", at=NOW))
    assert spendable() == 0
    leave(place("c1"))


def by_giving_up(member):
    give(member, 60, "before")
    taken = take(member, offer(member.program, "other", price=60), at=NOW)
    assert look() == 0
    cancel_redemption(redemption=taken, reason="", source="api", actor=SYSTEM, now=NOW)


def by_merge(member):
    make_member(60, "c2", member.program)
    merge()


def by_repaid_debt(member):
    owe("c1", 50)
    record(order("W1", "60", at=NOW))
    assert (look(), spendable()) == (0, 60)
    record(order("W2", "60", at=NOW))


WAYS = (
    by_order, by_order_of_a_batch, by_hand, by_gift, out_of_a_pool, by_leaving_a_pool,
    by_giving_up, by_merge, by_repaid_debt,
)  # fmt: skip


@pytest.mark.parametrize("grow", WAYS)
def test_however_a_balance_grows_who_waits_for_it_is_looked_at(member, reward, grow):
    auto(member, reward)
    assert find_auto_takes(day(3)) is None
    grow(member)
    assert spendable() >= 100
    assert find_auto_takes(NOW) is not None
    assert [look(), look()] == [1, 0]
    assert find_auto_takes(NOW) is None
    assert all(check_rule(name, NOW) is None for name in CHECKS)


def test_what_matures_is_looked_at_on_its_day_whether_or_not_it_is_written_down():
    for write_down in (False, True):
        program = make_program(code=f"p-{write_down}".lower(), unit={"pending_days": 10})
        member = make_member(0, f"c-{write_down}", program)
        auto(member, offer(program))
        record(order(f"W{write_down}", "120", at=NOW, buyer=f"c-{write_down}"))
        assert find_auto_takes(IN_TEN_DAYS - dt.timedelta(seconds=1)) is None
        if write_down:
            confirm_matured(IN_TEN_DAYS)
        assert find_auto_takes(IN_TEN_DAYS) is not None
        assert [look(IN_TEN_DAYS), look(IN_TEN_DAYS)] == [1, 0]
        assert find_auto_takes(IN_TEN_DAYS) is None


def test_what_expires_is_looked_at_and_the_next_time_counts():
    program = make_program("short", unit={"expiry": {"kind": "days", "length": 10}})
    member = make_member(150, program=program)
    assert not auto(member, offer(program)).armed
    gone, later = day(11), day(12)
    assert find_auto_takes(day(9)) is None
    assert find_auto_takes(gone) is not None
    assert look(gone) == 0
    assert AutoTake.objects.get().armed
    assert find_auto_takes(gone) is None
    write_down_expired(gone)
    adjust(make_wallet(program), 100, key="again", now=later)
    assert look(later) == 1


def test_who_is_not_a_member_now_is_looked_at_when_they_are_again(member, reward):
    auto(member, reward)
    type(member).objects.filter(pk=member.pk).update(status="suspended")
    give(member, 60, "a")
    assert (find_auto_takes(NOW), look()) == (None, 0)
    type(member).objects.filter(pk=member.pk).update(status="active")
    assert look() == 1


def test_what_comes_back_before_it_was_looked_at_takes_nothing(member, reward):
    auto(member, reward)
    record(order("W1", "60", at=NOW))
    give_back(refund("W1", "60", of="W1", at=NOW))
    assert (find_auto_takes(NOW), look()) == (None, 0)


def test_the_self_check_finds_who_would_be_missed(member, reward):
    auto(member, reward)
    give(member, 60, "a")
    [rule] = [name for name in CHECKS if name.startswith("who waits for a balance")]
    assert check_rule(rule, NOW) is None
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE rewards_autotake SET look_at = NULL")
    assert check_rule(rule, NOW) is not None
    AutoTake.objects.get().save(update_fields=["armed"])
    assert check_rule(rule, NOW) is None
    assert look() == 1


def test_who_is_erased_while_it_is_looked_at_takes_nothing_and_holds_nobody_up(member, reward):
    auto(member, reward)
    give(member, 60, "a")
    rows = AutoTake.objects.select_related("membership__customer", "membership__program")
    found = rows.select_related("reward__wallet_type").get()
    Customer.objects.filter(pk=member.customer_id).update(given_name="Ana")
    found.membership.customer.given_name = "Ana"  # as it was read before
    erase_customer_details(customer=member.customer, actor=SYSTEM)
    assert take_found(found, 110, NOW) == "customer_erased"
    assert (Redemption.objects.count(), spendable()) == (0, 110)
