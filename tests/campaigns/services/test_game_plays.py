"""Games: how members come to plays, and how often they play."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import pytest
from django.db import transaction

from campaigns.models import GameDraw, GamePlay
from campaigns.selectors.games import draws_of, plays_left, shown_to
from campaigns.services.game_clock import find_changes, move_on
from campaigns.services.game_plays import buy_play
from campaigns.services.game_turns import GameClosedError
from loyalty.errors import InsufficientBalanceError
from loyalty.models import Order, Program, TierChange, Transfer
from loyalty.services.member_tiers import rebuild_tiers
from loyalty.services.programs import apply_definition
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.merging import merge_customers
from members.services.outbox import deliver_waiting
from tests.campaigns.games import live_game, member, play, sure
from tests.loyalty.factories import (
    NOW,
    day,
    define,
    give_back,
    make_program,
    make_wallet,
    moves,
    order,
    record,
    refund,
    spendable,
)
from tests.sharing import anew, shared

pytestmark = pytest.mark.usefixtures("coherent_ledger")
ACCOUNT = Transfer.Source.ACCOUNT.value
Instead = GameDraw.Instead


made_once = shared(lambda: make_program(time_zone="Europe/Athens", unit={"unit_value": "0.01"}))


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


def test_free_plays_come_back_with_each_day_of_the_program(program: Program) -> None:
    game, maya = live_game(program, free_plays=2, prizes=sure()), member()
    assert plays_left(game, maya, NOW).free == 2
    play(game, maya)
    play(game, maya, "2")
    with pytest.raises(GameClosedError) as caught:
        play(game, maya, "3")
    assert caught.value.code == "no_play_left"
    midnight = NOW.replace(hour=22)  # in Athens
    assert plays_left(game, maya, midnight - dt.timedelta(seconds=1)).free == 0
    assert plays_left(game, maya, midnight).free == 2


def test_free_plays_of_a_week_come_back_on_monday(program: Program) -> None:
    game, maya = live_game(program, free_plays=1, free_each="week", prizes=sure()), member()
    play(game, maya)  # a Friday
    assert [plays_left(game, maya, day(n)).free for n in (0, 1, 2, 3)] == [0, 0, 0, 1]


def test_bought_plays_cost_once_and_what_nobody_used_is_given_back(program: Program) -> None:
    game = live_game(program, price=30, free_plays=0, free_each="", prizes=sure(), ends_at=day(5))
    maya = member()
    record(order(total="100"))
    first, again = (buy_play(game=game, membership=maya, key="b", source=ACCOUNT, actor=SYSTEM,
                             now=NOW) for _ in range(2))  # fmt: skip
    assert (first[0], again[1], spendable()) == (again[0], True, 70)
    buy_play(game=game, membership=maya, key="c", source=ACCOUNT, actor=SYSTEM, now=NOW)
    buy_play(game=game, membership=maya, key="d", source=ACCOUNT, actor=SYSTEM, now=NOW)
    with pytest.raises(InsufficientBalanceError), transaction.atomic():
        buy_play(game=game, membership=maya, key="e", source=ACCOUNT, actor=SYSTEM, now=NOW)
    assert plays_left(game, maya, day(4)).granted == 3
    used = play(game, maya)
    won = int(used.units)
    left = spendable()
    move_on(game, day(6))
    bought = GamePlay.objects.filter(source=GamePlay.Source.BOUGHT)
    assert bought.filter(used_at=None).count() == 2
    assert spendable(at=day(6)) == left + 60
    assert won == sum(n for kind, n in moves() if kind == "adjustment")
    assert not bought.filter(used_at=None, returned=None).exists()
    assert find_changes(day(6)) is None


def test_an_order_of_so_much_earns_a_play_once_and_it_goes_with_the_order(
    program: Program, django_capture_on_commit_callbacks: Any
) -> None:
    now = dt.datetime.now(dt.UTC)
    game = live_game(
        program, at=now - dt.timedelta(minutes=5), free_plays=0, free_each="", play_days=3,
        prizes=sure(), earning=[{"on": "order", "least": "50", "plays": 2}],
    )  # fmt: skip
    maya = member()
    record(order("A1", "50", at=now), order("A2", "49", at=now))
    for _ in range(2):
        deliver_waiting()
        record(order("A1", "50", at=now))
    left = plays_left(game, maya, now)
    assert left.granted == 2
    athens = program.zone
    last = now.astimezone(athens).date() + dt.timedelta(days=3)
    assert left.ends_at is not None
    assert left.ends_at.astimezone(athens).date() == last + dt.timedelta(days=1)
    assert plays_left(game, maya, left.ends_at).granted == 0
    play(game, maya, at=now)
    give_back(refund("R1", "10", of="A1", at=now))
    deliver_waiting()
    assert plays_left(game, maya, now).granted == 0
    withdrawn = GamePlay.objects.get(withdrawn_at__isnull=False)
    assert withdrawn.order == Order.objects.get(external_id="A1")


def test_an_order_keeps_what_any_of_several_ways_earns_with_what_is_left_of_it(
    program: Program,
) -> None:
    now = dt.datetime.now(dt.UTC)
    game = live_game(
        program, at=now - dt.timedelta(minutes=5), free_plays=0, free_each="", prizes=sure(),
        earning=[{"on": "order"}, {"on": "order", "least": "100", "plays": 3}],
    )  # fmt: skip
    small, large = member("c1"), member("c2")
    record(order("A1", "50", at=now), order("A2", "100", at=now, buyer="c2"))
    deliver_waiting()
    assert [plays_left(game, buyer, now).granted for buyer in (small, large)] == [1, 3]
    give_back(refund("R1", "10", of="A2", at=now))
    deliver_waiting()
    assert [plays_left(game, buyer, now).granted for buyer in (small, large)] == [1, 1]


def test_joining_an_activity_and_a_higher_tier_earn_plays(db: None) -> None:
    from loyalty.services.activities import ActivityInput, record_activities
    from loyalty.services.order_inputs import CustomerRef

    now = dt.datetime.now(dt.UTC)
    program = apply_definition(
        define(
            "steps", activity_types=[{"code": "review", "name": "Review"}],
            tiers={"metric": "spend", "window": "lifetime",
                   "tiers": [{"code": "base", "name": "Base"},
                             {"code": "gold", "name": "Gold", "threshold": "40"}]},
        ), actor=SYSTEM, now=now,
    ).program  # fmt: skip
    game = live_game(
        program, at=now - dt.timedelta(minutes=5), free_plays=0, free_each="",
        earning=[{"on": "joined"}, {"on": "activity", "activity": "review", "plays": 2},
                 {"on": "tier_up", "plays": 3}],
    )  # fmt: skip
    make_wallet(program, "c1", at=now)
    done = ActivityInput("r1", CustomerRef("c1"), "review", now)
    record_activities([done], now=now, transfer_source=Transfer.Source.API)
    record(order("A1", "50", at=now))
    for _ in range(3):
        deliver_waiting()
    sources = Counter(GamePlay.objects.filter(game=game).values_list("source", flat=True))
    assert sources == {"joined": 1, "activity": 2, "tier_up": 3}


def test_who_loses_a_tier_earns_no_plays(db: None) -> None:
    now = dt.datetime.now(dt.UTC)
    ago = now - dt.timedelta(days=400)
    tiers = {"metric": "spend", "window": "rolling_12_months", "downgrade": "immediate",
             "tiers": [{"code": "base", "name": "Base"},
                       {"code": "gold", "name": "Gold", "threshold": "40"}]}  # fmt: skip
    program = make_program("steps", at=ago, tiers=tiers)
    make_wallet(program, "c1", at=ago)
    bought = now - dt.timedelta(days=370)
    record(order("A1", "50", at=bought), now=bought)
    while deliver_waiting():
        pass
    game = live_game(
        program, at=now - dt.timedelta(minutes=5), free_plays=0, free_each="",
        earning=[{"on": "tier_up", "plays": 3}],
    )  # fmt: skip
    rebuild_tiers(now=now)
    while deliver_waiting():
        pass
    assert TierChange.objects.filter(why="dropped_out", became="base").count() == 1
    assert GamePlay.objects.filter(game=game).count() == 0


def test_a_game_for_some_shows_itself_to_them_alone(program: Program) -> None:
    audience = {"field": "customer.country", "op": "is", "value": "GR"}
    game = live_game(program, audience=audience)
    maya, ben = member("c1"), member("c2")
    Customer.objects.filter(pk=maya.customer_id).update(country="GR")
    maya, ben = member("c1"), member("c2")
    assert [[item.pk for item, _left in shown_to(one, NOW)] for one in (maya, ben)] == [
        [game.pk], []
    ]  # fmt: skip
    with pytest.raises(GameClosedError):
        play(game, ben)


def test_one_member_plays_only_so_often_in_a_day(program: Program) -> None:
    game, maya = live_game(program, daily_plays=2, prizes=sure()), member()
    play(game, maya)
    assert plays_left(game, maya, NOW).now == 1
    play(game, maya, "2")
    with pytest.raises(GameClosedError) as caught:
        play(game, maya, "3")
    assert caught.value.code == "enough_today"
    assert play(game, maya, "3", at=day(1)).turn == 3


def test_whoever_was_merged_goes_on_with_what_both_had(program: Program) -> None:
    game = live_game(program, free_plays=2, prizes=sure())
    maya, twin = member("c1"), member("c2")
    play(game, twin, "t")
    merge_customers(
        kept=maya.customer, merged=twin.customer, actor=SYSTEM, source="api", now=NOW, reason="one"
    )  # fmt: skip
    assert plays_left(game, member("c1"), NOW).free == 1
    assert play(game, twin, "t").membership.pk == twin.pk  # told again, it is the same
    made = play(game, twin, "u")
    assert made.membership == maya
    assert draws_of(member("c1")).count() == 2
    assert spendable() == 20
