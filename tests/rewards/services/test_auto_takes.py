"""What members save for, and rewards that are taken by itself: once each time they come to it."""

import datetime as dt

import pytest

from loyalty.ledger.checks import check_rule
from members.errors import DomainError
from members.models import AuditEntry
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled
from rewards.checks import CHECKS
from rewards.errors import RewardRefusedError
from rewards.models import AutoTake, Redemption, Reward, RewardGoal
from rewards.services.auto_takes import KIND, find_auto_takes, take_due
from rewards.services.redemptions import cancel_redemption
from rewards.services.wishes import choose_goal, drop_goal, end_auto_take, set_auto_take
from tests.loyalty.factories import NOW, adjust, day, make_program, make_wallet, spendable
from tests.rewards.factories import make_member, offer, take

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def member():
    return make_member(50)


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
