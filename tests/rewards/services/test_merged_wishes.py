"""What duplicates save for, and want taken by itself: carried over, the newest of two, and back."""

import datetime as dt

import pytest

from members.models import Customer
from members.services.audit import SYSTEM
from members.services.merging import merge_customers, undo_merge
from rewards.models import AutoTake, RewardGoal
from rewards.services.auto_takes import take_due
from rewards.services.merged_wishes import preview_wishes
from rewards.services.wishes import choose_goal, set_auto_take
from tests.loyalty.factories import NOW, day
from tests.rewards.factories import make_member, offer
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]


def make_pair():
    kept = make_member(60, "c1")
    return kept, make_member(60, "c2", kept.program)


_made_once, pair = of_each_test(make_pair)


def merge(pair):
    kept, merged = (member.customer for member in pair)
    found, _replayed = merge_customers(
        kept=kept, merged=merged, source="api", actor=SYSTEM, now=day(2)
    )
    return found


def goal(member, reward, at=NOW):
    choose_goal(membership=member, reward=reward, actor=SYSTEM, now=at)


def auto(member, reward, balance, at=NOW):
    set_auto_take(membership=member, reward=reward, balance=balance, actor=SYSTEM, now=at)


def goals():
    return dict(RewardGoal.objects.values_list("membership__customer__external_id", "reward__code"))


def autos():
    rows = AutoTake.objects.order_by("reward__code").values_list(
        "membership__customer__external_id", "reward__code", "balance"
    )
    return [row for row in rows if row[0] == "c1"]


@pytest.mark.parametrize(("later", "wins"), [(1, "bag"), (-1, "cup")])
def test_of_two_goals_the_newest_is_kept_and_each_has_their_own_after_undoing(pair, later, wins):
    cup, bag = (offer(pair[0].program, code, price=90) for code in ("cup", "bag"))
    goal(pair[0], cup)
    goal(pair[1], bag, at=NOW + dt.timedelta(hours=later))
    merging = merge(pair)
    assert goals()["c1"] == wins
    undo_merge(merge=merging, actor=SYSTEM, source="api", now=day(3))
    assert goals() == {"c1": "cup", "c2": "bag"}


def test_what_only_the_duplicate_wants_is_carried_over_and_goes_on_to_wait(pair):
    cup, bag = (offer(pair[0].program, code, price=100) for code in ("cup", "bag"))
    goal(pair[1], bag)
    auto(pair[1], cup, 110)
    merging = merge(pair)
    assert (goals()["c1"], autos()) == ("bag", [("c1", "cup", 110)])
    # 60 and 60 make 120.
    assert take_due(day(2))[1] == 1
    undo_merge(merge=merging, actor=SYSTEM, source="api", now=day(3))
    assert (goals(), autos()) == ({"c2": "bag"}, [])


def test_of_two_balances_for_one_reward_the_newest_counts_and_there_is_one(pair):
    cup = offer(pair[0].program, "cup", price=100)
    auto(pair[0], cup, 300)
    auto(pair[1], cup, 200, at=day(1))
    merging = merge(pair)
    assert autos() == [("c1", "cup", 200)]
    undo_merge(merge=merging, actor=SYSTEM, source="api", now=day(3))
    assert autos() == [("c1", "cup", 300)]


def test_what_was_chosen_after_the_merge_stays_when_it_is_undone(pair):
    cup, bag = (offer(pair[0].program, code, price=90) for code in ("cup", "bag"))
    goal(pair[1], bag)
    merging = merge(pair)
    goal(pair[0], cup, at=day(3))
    undo_merge(merge=merging, actor=SYSTEM, source="api", now=day(4))
    assert goals() == {"c1": "cup", "c2": "bag"}


def test_the_preview_says_what_is_carried_over(pair):
    cup = offer(pair[0].program, "cup", price=90)
    auto(pair[0], cup, 300)
    auto(pair[1], cup, 200)
    kept, merged = Customer.objects.order_by("external_id")
    [section] = preview_wishes(kept, merged, NOW)
    assert [(row.kept, row.merged, row.after) for row in section.rows] == [("1", "1", "1")]
    AutoTake.objects.filter(membership=pair[1]).delete()
    assert preview_wishes(kept, merged, NOW) == ()
