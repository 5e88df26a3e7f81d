"""Games: what a play brings, once, and no more than there is."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test.utils import override_settings

from campaigns.models import Game, GameDraw, GamePlay, GamePrize, GameSeed
from campaigns.selectors.game_proofs import drawn, proof_of
from campaigns.selectors.games import odds_of, plays_left
from campaigns.services.game_draws import play_game
from campaigns.services.game_plays import buy_play
from campaigns.services.game_seeds import rotate_seed
from campaigns.services.games import (
    publish_game,
)
from loyalty.explanations import explain_transfer
from loyalty.models import Program, Transfer
from members.errors import DomainError
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled
from rewards.models import Redemption, Reward
from tests.campaigns.games import draft_game, fresh, live_game, member, play, reward, sure
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import (
    NOW,
    day,
    make_program,
    order,
    record,
    spendable,
)
from tests.rewards.services.racing import at_once
from tests.sharing import anew, shared

pytestmark = pytest.mark.usefixtures("coherent_ledger")
ACCOUNT = Transfer.Source.ACCOUNT.value
Instead = GameDraw.Instead


made_once = shared(lambda: make_program(time_zone="Europe/Athens", unit={"unit_value": "0.01"}))


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


# What a play brings


def test_units_that_are_won_are_in_the_wallet_and_say_where_they_come_from(
    program: Program,
) -> None:
    game, maya = live_game(program, prizes=sure()), member()
    made = play(game, maya)
    assert (made.prize.code, made.units, made.cost) == ("prize", 10, Decimal("0.1"))
    assert spendable() == 10
    transfer = made.transfer
    assert transfer is not None
    assert (transfer.reason, transfer.explanation["reason"]) == ("game", "Won in a game")
    assert explain_transfer(transfer).title == "Won in a game: Spin for points"


def test_a_reward_that_is_won_is_given_with_its_voucher(program: Program) -> None:
    coffee = reward(program, stock=1)
    prize = {"kind": "reward", "units": None, "reward": "coffee"}
    game, maya = live_game(program, prizes=sure(**prize)), member()
    made = play(game, maya)
    given = made.redemption
    assert given is not None
    assert (given.gift, given.voucher is not None) == (Redemption.Gift.GAME, True)
    assert made.cost == 2  # its price of 200 points
    coffee.refresh_from_db()
    assert coffee.taken == 1
    again = play(game, maya, "2")
    assert (again.prize.code, again.drawn.code, again.instead) == ("none", "prize", Instead.STOCK)


def test_a_reward_that_is_put_away_is_not_given_and_another_prize_is(program: Program) -> None:
    coffee = reward(program)
    prize = {"kind": "reward", "units": None, "reward": "coffee"}
    game = live_game(program, prizes=sure(**prize))
    Reward.objects.filter(pk=coffee.pk).update(status=Reward.Status.ARCHIVED)
    assert play(game, member()).instead == Instead.REFUSED


def test_a_further_play_can_be_used_and_its_draw_is_another_one(program: Program) -> None:
    game = live_game(program, free_plays=1, prizes=sure(kind="play", units=None))
    maya = member()
    assert play(game, maya).prize.code == "prize"
    left = plays_left(game, maya, NOW)
    assert (left.granted, left.free, left.now) == (1, 0, 1)
    assert play(game, maya, "2").play.source == GamePlay.Source.WON


def test_the_same_key_is_the_same_draw(program: Program) -> None:
    game, maya = live_game(program), member()
    first = play_game(game=game, membership=maya, nonce="7", key="k", source=ACCOUNT, now=NOW)
    again = play_game(game=game, membership=maya, nonce="8", key="k", source=ACCOUNT, now=day(1))
    assert (first.again, again.again, first.draw) == (False, True, again.draw)
    assert GameDraw.objects.count() == 1


@pytest.mark.parametrize("nonce", ["a", "1" * 19, "-1", "٣"])
def test_a_members_number_has_digits_alone(program: Program, nonce: str) -> None:
    with pytest.raises(DomainError) as caught:
        play(live_game(program), member(), nonce=nonce)
    assert caught.value.errors[0].field == "nonce"


# Stock, days and budgets


def test_when_all_are_won_the_prize_that_catches_is_given(program: Program) -> None:
    game, maya = live_game(program, prizes=sure(stock=2)), member()
    assert [play(game, maya, str(n)).instead for n in range(3)] == ["", "", "stock"]
    assert [odd.gone for odd in odds_of(fresh(game), NOW)] == ["stock", ""]
    assert spendable() == 20


def test_the_limit_of_a_day_begins_anew_with_the_programs_day(program: Program) -> None:
    game, maya = live_game(program, prizes=sure(per_day=1)), member()
    late = NOW.replace(hour=21, minute=59)  # 23:59 in Athens
    found = [play(game, maya, str(n), at=late) for n in range(2)]
    assert [item.instead for item in found] == ["", "day"]
    assert play(game, maya, "next", at=late + dt.timedelta(minutes=2)).instead == ""


@pytest.mark.parametrize(
    ("budget", "wins"), [({"budget_units": 25}, 2), ({"budget_money": "0.3"}, 3)]
)
def test_a_budget_is_a_hard_stop(program: Program, budget: dict[str, Any], wins: int) -> None:
    game, maya = live_game(program, prizes=sure(), **budget), member()
    found = [play(game, maya, str(n)).instead for n in range(4)]
    assert found == [""] * wins + [Instead.BUDGET] * (4 - wins)
    game = fresh(game)
    assert (game.won_units, game.won_money) == (10 * wins, Decimal("0.1") * wins)


def test_no_hand_brings_a_game_beyond_its_budget_or_a_prize_beyond_its_stock(
    program: Program,
) -> None:
    game = live_game(program, prizes=sure(stock=1), budget_units=10)
    with pytest.raises(IntegrityError), transaction.atomic():
        Game.objects.filter(pk=game.pk).update(won_units=11)
    with pytest.raises(IntegrityError), transaction.atomic():
        GamePrize.objects.filter(game=game, code="prize").update(taken=2)


@pytest.mark.parametrize(
    ("said", "field"),
    [({"prizes": sure(units="2.5")}, "prizes[0].units"), ({"price": "0.5"}, "price")],
)
def test_no_game_promises_or_takes_parts_of_units_that_there_are_not(
    program: Program, said: dict[str, Any], field: str
) -> None:
    game = draft_game(program, **said)
    with pytest.raises(DomainError) as caught:
        publish_game(game=game, actor=SYSTEM, now=NOW)
    assert [(error.field, error.code) for error in caught.value.errors] == [(field, "too_fine")]
    program.wallet_types.update(scale=1)
    publish_game(game=game, actor=SYSTEM, now=NOW)


# Many at once


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_win_no_more_than_there_is() -> None:
    program, budget = make_program(unit={"unit_value": "0.01"}), 330
    free, within = (
        crowded_game(program, name=name, budget_units=most)
        for name, most in (("Free", None), ("Within", budget))
    )
    people = [member(f"c{number}", program) for number in range(50)]

    def take_turns(number: int) -> None:
        one = people[number]
        for game, key in ((free, "0"), (within, "1"), (free, "2"), (within, "3")):
            play(game, one, key)
        # The last ones again, while others play.
        play(free, one, "2")
        play(within, one, "3")

    assert at_once(take_turns, len(people), threads=20) == {"done": 50}
    draws = GameDraw.objects.values_list("game", "prize__code")
    won = {game: Counter(code for of, code in draws if of == game.pk) for game in (free, within)}
    assert [sum(found.values()) for found in won.values()] == [100, 100]
    assert [won[free][code] for code in ("few", "day", "cup")] == [7, 5, 4]
    found = won[within]
    given = 10 * found["few"] + 20 * found["day"] + 50 * found["dear"]
    assert budget - 50 < given <= budget
    assert fresh(within).won_units == given
    assert (found["few"] <= 7, found["day"] <= 5, found["cup"]) == (True, True, 4)
    for game in (free, within):
        rotate_seed(game=game, actor=SYSTEM, now=NOW)
    assert all(proof_of(found).holds for found in drawn())
    assert_ledger_coherent()


def crowded_game(program: Program, *, name: str, **said: Any) -> Game:
    """Two plays for each, of which far more fall on each prize than there are of it."""
    code = f"coffee-{name.lower()}"
    reward(program, code=code, stock=4)
    prizes = [
        {"code": "few", "kind": "units", "name": "Few", "weight": 30, "units": 10, "stock": 7},
        {"code": "day", "kind": "units", "name": "Day", "weight": 30, "units": 20, "per_day": 5},
        {"code": "cup", "kind": "reward", "name": "Cup", "weight": 20, "reward": code},
        {"code": "dear", "kind": "units", "name": "Dear", "weight": 15, "units": 50},
        {"code": "none", "kind": "nothing", "name": "Next time", "weight": 5, "catches": True},
    ]
    return live_game(program, name=name, prizes=prizes, free_plays=2, **said)


@pytest.mark.django_db(transaction=True)
def test_one_member_who_taps_fifty_times_uses_each_play_once() -> None:
    program = make_program()
    game, maya = live_game(program, free_plays=3, prizes=sure()), member("c1", program)

    found = at_once(lambda number: play(game, maya, str(number)), 50)
    assert found == {"done": 3, "no_play_left": 47}
    assert spendable() == 30
    assert_ledger_coherent()


def test_a_customers_unused_plays_go_when_they_are_forgotten(program: Program) -> None:
    from campaigns.forgetting import end_plays

    game, maya = live_game(program, free_plays=0, free_each="", price=1), member()
    record(order(total="10"))
    buy_play(game=game, membership=maya, key="b", source=ACCOUNT, actor=SYSTEM, now=NOW)
    end_plays([Customer.objects.get(external_id="c1")])
    assert plays_left(game, maya, NOW).granted == 0


@pytest.mark.parametrize("at", [day(2), day(5)])
def test_a_game_whose_seed_nobody_can_read_keeps_no_other_waiting(
    program: Program, at: dt.datetime
) -> None:
    """Two days later the seeds are due, five days later the games are over."""
    maya, until = member(), day(3)
    with override_settings(SECRET_KEY="a key that is gone"):
        play(live_game(program, name="Old", ends_at=until), maya)
    play(live_game(program, name="New", ends_at=until), maya, key="2")
    job = run_scheduled(kind="games", now=at)
    assert job is not None
    assert (job.state, job.result) == ("succeeded", {"changed": 1})
    [line] = job.log_lines.filter(level="error").values_list("text", flat=True)
    assert line == "Old: The key that its seed was encrypted with is gone."
    revealed_ones = GameSeed.objects.exclude(revealed="").values_list("game__name", flat=True)
    assert list(revealed_ones) == ["New"]
