"""Games: how members come to plays, what a play brings, once, and no more than there is."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import BoundedSemaphore
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, transaction
from django.db.utils import DatabaseError
from django.test.utils import override_settings

from campaigns.demo_games import show_games
from campaigns.fair_draws import commitment_of
from campaigns.game_definitions import GameDefinition, definition_of_game
from campaigns.models import Game, GameDraw, GamePlay, GamePrize, GameSeed
from campaigns.selectors.game_proofs import drawn, proof_of
from campaigns.selectors.games import draws_of, odds_of, plays_left, shown_to
from campaigns.services.game_clock import find_changes, move_on
from campaigns.services.game_draws import _seed_in_use, play_game
from campaigns.services.game_plays import buy_play
from campaigns.services.game_seeds import rotate_seed, secret_of
from campaigns.services.game_turns import GameClosedError, hold_member
from campaigns.services.games import (
    ask_to_publish,
    change_game,
    copy_game,
    delete_game,
    end_game,
    pause_game,
    publish_game,
    resume_game,
    send_back,
)
from loyalty.errors import InsufficientBalanceError
from loyalty.models import Membership, Order, Program, Transfer
from loyalty.services.programs import apply_definition
from loyalty.services.rules import set_four_eyes
from members.errors import ConflictError, DomainError
from members.kept_secrets import revealed
from members.models import AuditEntry, Customer, User
from members.services.audit import SYSTEM, Actor
from members.services.job_runs import run_scheduled
from members.services.merging import merge_customers
from members.services.outbox import deliver_waiting
from rewards.definitions import RewardDefinition
from rewards.models import Redemption, Reward
from rewards.services.rewards import create_reward
from tests.campaigns.games import PRIZES, draft_game, live_game, play, sure
from tests.loyalty.conftest import assert_ledger_coherent
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
from tests.rewards.services.racing import in_the_way_of

# The server has a hundred, and the tests beside these want some, too.
CONNECTIONS = BoundedSemaphore(40)
pytestmark = pytest.mark.usefixtures("coherent_ledger")
ACCOUNT = Transfer.Source.ACCOUNT.value
Instead = GameDraw.Instead


@pytest.fixture
def program(db: None) -> Program:
    return make_program(time_zone="Europe/Athens", unit={"unit_value": "0.01"})


def member(number: str = "c1", program: Program | None = None) -> Membership:
    if not Membership.objects.filter(customer__external_id=number).exists():
        make_wallet(program or Program.objects.get(), number)
    return Membership.objects.select_related("program", "customer").get(
        customer__external_id=number
    )


def fresh(game: Game) -> Game:
    return Game.objects.select_related("program").get(pk=game.pk)


def reward(program: Program, **said: Any) -> Reward:
    values = {"code": "coffee", "kind": "free_product", "name": "A coffee", "skus": ["C"],
              "price": 200, "status": "live", "wallet_type": "points"} | said  # fmt: skip
    return create_reward(
        program=program, definition=RewardDefinition.model_validate(values), actor=SYSTEM
    )


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


# How members come to plays


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
            activity_types=[{"code": "review", "name": "Review"}],
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


# Provably fair


def test_every_draw_can_be_worked_out_again_once_its_seed_is_revealed(program: Program) -> None:
    game = live_game(program)
    seed = GameSeed.objects.get()
    for number in range(15):
        play(game, member(f"c{number % 3}"), str(number), nonce=str(number) if number % 2 else "")
    assert seed.revealed == ""
    assert all(proof_of(found).holds and not proof_of(found).seed for found in drawn())
    next_seed = rotate_seed(game=game, actor=SYSTEM, now=day(1))
    seed.refresh_from_db()
    assert commitment_of(seed.revealed) == seed.commitment != next_seed.commitment
    proofs = [proof_of(found) for found in drawn()]
    assert all(proof.holds and len(proof.checks) == 7 for proof in proofs)
    play(game, member("c1"), "later", at=day(1))
    call_command("verify_draw")
    call_command("verify_draw", str(GameDraw.objects.latest("pk").public_id))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("close", [rotate_seed, end_game])
def test_whoever_reveals_a_seed_waits_for_a_draw_under_a_budget_and_not_the_other_way_round(
    close: Any,
) -> None:
    program = make_program(time_zone="Europe/Athens", unit={"unit_value": "0.01"})
    game, maya = live_game(program, prizes=sure(), budget_units=100), member("c1", program)
    in_the_way_of(
        lambda: close(game=game, actor=SYSTEM, now=NOW),
        lambda: (hold_member(maya), _seed_in_use(game)),
        lambda: play(game, maya),
    )
    assert fresh(game).won_units == 10
    assert proof_of(GameDraw.objects.get()).seed


def test_a_seed_is_kept_encrypted_and_changes_no_more(program: Program) -> None:
    live_game(program)
    seed = GameSeed.objects.get()
    assert secret_of(seed) == revealed(seed.secret)
    assert secret_of(seed).encode() not in bytes(seed.secret)
    for change in ({"commitment": "0" * 64}, {"secret": b"x"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            GameSeed.objects.filter(pk=seed.pk).update(**change)
    log = str(list(AuditEntry.objects.values_list("after", flat=True)))
    assert seed.commitment in log
    assert secret_of(seed) not in log


def test_draws_and_published_prizes_change_no_more(program: Program) -> None:
    game = live_game(program)
    play(game, member())
    for rows, change in (
        (GameDraw.objects.all(), {"number": 1}),
        (GamePrize.objects.all(), {"weight": 77}),
        (GamePrize.objects.all(), {"units": 1}),
        (Game.objects.all(), {"odds": "big 1"}),
        (Game.objects.all(), {"price": 1}),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        GamePrize.objects.filter(game=game).delete()


@pytest.mark.parametrize(
    ("bent", "check"),
    [
        ("UPDATE campaigns_gamedraw SET nonce = '99'", "proof"),
        ("UPDATE campaigns_gamedraw SET number = (number + 1) % 100", "number"),
        ("UPDATE campaigns_gameseed SET commitment = repeat('0', 64)", "commitment"),
        ("UPDATE campaigns_game SET odds = replace(odds, 'big 10', 'big 20')", "odds"),
        ("UPDATE campaigns_gamedraw SET proof = repeat('0', 64)", "proof"),
        ("UPDATE campaigns_gamedraw SET drawn_id = drawn_id + 1 WHERE number < 60", "prize"),
    ],
)  # fmt: skip
def test_what_was_tampered_with_is_found(program: Program, bent: str, check: str) -> None:
    game = live_game(program)
    for number in range(12):
        play(game, member(), str(number))
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET session_replication_role = replica")
            cursor.execute("ALTER TABLE campaigns_gamedraw DROP CONSTRAINT game_draw_instead")
            cursor.execute(bent)
            cursor.execute("SET session_replication_role = origin")
        proofs = [proof_of(found, secret_of(found.seed)) for found in drawn()]
        wrong = {item.code for proof in proofs for item in proof.checks if not item.holds}
        assert check in wrong
        with pytest.raises(CommandError, match="do not follow"):
            call_command("verify_draw", game=game.code)
        transaction.set_rollback(True)


# Its life


def test_a_game_without_what_it_needs_is_not_published(program: Program) -> None:
    game = draft_game(program, prizes=[PRIZES[0]], free_plays=0, free_each="", ends_at=day(-1))
    with pytest.raises(DomainError) as caught:
        publish_game(game=game, actor=SYSTEM, now=NOW)
    fields = [item.field for item in caught.value.errors]
    assert fields == ["prizes", "prizes", "earning", "ends_at"]


def test_a_draft_changes_until_it_is_published_and_can_be_copied_or_thrown_away(
    program: Program,
) -> None:
    game = draft_game(program)
    said = definition_of_game(game)
    changed = said.model_copy(update={"title": "Other", "prizes": said.prizes[2:]})
    game = change_game(game=game, definition=changed, actor=SYSTEM, now=NOW)
    assert definition_of_game(game) == changed
    game = publish_game(game=game, actor=SYSTEM, now=NOW)
    assert game.odds == "again 20\nnone 40"
    with pytest.raises(ConflictError):
        change_game(game=game, definition=said, actor=SYSTEM, now=NOW)
    copied = copy_game(game=game, actor=SYSTEM, now=NOW)
    assert (copied.code, copied.status, copied.odds) == ("spring-wheel-2", "draft", "")
    delete_game(game=copied, actor=SYSTEM)
    assert not GamePrize.objects.filter(game=copied.pk).exists()
    with pytest.raises(ConflictError):
        delete_game(game=game, actor=SYSTEM)


def test_nobody_plays_before_it_begins_while_it_rests_and_after_it_has_ended(
    program: Program,
) -> None:
    maya = member()
    game = live_game(program, starts_at=day(1), ends_at=day(3))
    assert game.status == Game.Status.SCHEDULED
    with pytest.raises(GameClosedError):
        play(game, maya)
    move_on(game, day(1))
    play(game, maya, at=day(1))
    pause_game(game=game, actor=SYSTEM)
    with pytest.raises(GameClosedError):
        play(game, maya, "2", at=day(1))
    resume_game(game=game, actor=SYSTEM, now=day(2))
    play(game, maya, "2", at=day(2))
    with pytest.raises(GameClosedError):
        play(game, maya, "3", at=day(3))  # its time is over, also before that is written down
    move_on(game, day(3))
    game = fresh(game)
    assert (game.status, game.ending, game.ended_at) == ("ended", "over", day(3))
    assert GameSeed.objects.get().revealed != ""


def test_a_game_ends_when_nothing_is_left_to_win(program: Program) -> None:
    game, maya = live_game(program, prizes=sure(stock=1)), member()
    assert find_changes(NOW) is None
    play(game, maya)
    run_scheduled(kind="games", now=NOW)
    game = fresh(game)
    assert (game.status, game.ending) == ("ended", "empty")


def test_seeds_are_revealed_by_themselves_after_a_day_of_draws(program: Program) -> None:
    game = live_game(program)
    assert find_changes(day(2)) is None  # nothing was drawn with it
    play(game, member())
    assert find_changes(NOW + dt.timedelta(hours=23)) is None
    move_on(game, day(1))
    assert list(GameSeed.objects.order_by("number").values_list("number", "ended_at")) == [
        (1, day(1)), (2, None)
    ]  # fmt: skip


def test_with_four_eyes_somebody_else_publishes(program: Program) -> None:
    people = [User.objects.create_user(email=f"{name}@shop.test") for name in ("ana", "ben")]
    ana, ben = (Actor.of_user(user) for user in people)
    set_four_eyes(program=program, on=True, actor=ana)
    program.refresh_from_db()
    definition = GameDefinition.model_validate(definition_of_game(draft_game(program)))
    from campaigns.services.games import create_game

    game = create_game(program=program, definition=definition, actor=ana, now=NOW)
    with pytest.raises(ConflictError) as caught:
        publish_game(game=game, actor=ana, now=NOW)
    assert caught.value.code == "second_person"
    ask_to_publish(game=game, actor=ana, now=NOW)
    game = send_back(game=fresh(game), actor=ben, note="Too dear")
    assert (game.asked_at, game.sent_back) == (None, "Too dear")
    ask_to_publish(game=game, actor=ana, now=NOW)
    assert publish_game(game=fresh(game), actor=ben, now=NOW).status == Game.Status.LIVE


def test_the_demonstration_has_a_game_in_each_state_once(program: Program) -> None:
    for number in range(12):
        member(f"c{number}")
    for _ in range(2):
        show_games(program)
    states = Game.objects.order_by("code").values_list("kind", "status")
    assert list(states) == [
        ("wheel", "live"), ("scratch", "live"), ("slot", "ended"), ("box", "draft")
    ]  # fmt: skip
    assert GameDraw.objects.filter(game__kind="wheel").count() == 36
    assert GameSeed.objects.exclude(revealed="").count() == 4
    call_command("verify_draw")


# Many at once


@pytest.mark.parametrize("budget", [None, 330])
@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_win_no_more_than_there_is(budget: int | None) -> None:
    program = make_program(unit={"unit_value": "0.01"})
    coffee = reward(program, stock=4)
    prizes = [
        {"code": "few", "kind": "units", "name": "Few", "weight": 30, "units": 10, "stock": 7},
        {"code": "day", "kind": "units", "name": "Day", "weight": 30, "units": 20, "per_day": 5},
        {"code": "cup", "kind": "reward", "name": "Cup", "weight": 20, "reward": coffee.code},
        {"code": "dear", "kind": "units", "name": "Dear", "weight": 15, "units": 50},
        {"code": "none", "kind": "nothing", "name": "Next time", "weight": 5, "catches": True},
    ]
    game = live_game(program, prizes=prizes, budget_units=budget, free_plays=3)
    people = [member(f"c{number}", program) for number in range(50)]

    def take_turns(one: Membership) -> None:
        with CONNECTIONS:
            try:
                for number in range(3):
                    for _twice in range(2):
                        play(game, one, str(number))
            finally:
                connections.close_all()

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(take_turns, people))
    assert GameDraw.objects.count() == 150
    won = Counter(GameDraw.objects.values_list("prize__code", flat=True))
    assert won["cup"] == 4
    if budget is None:
        assert (won["few"], won["day"]) == (7, 5)
    else:
        given = 10 * won["few"] + 20 * won["day"] + 50 * won["dear"]
        assert budget - 50 < given <= budget
        assert fresh(game).won_units == given
        assert (won["few"] <= 7, won["day"] <= 5) == (True, True)
    rotate_seed(game=game, actor=SYSTEM, now=NOW)
    assert all(proof_of(found).holds for found in drawn())
    assert_ledger_coherent()


@pytest.mark.django_db(transaction=True)
def test_one_member_who_taps_fifty_times_uses_each_play_once() -> None:
    program = make_program()
    game, maya = live_game(program, free_plays=3, prizes=sure()), member("c1", program)

    def tap(number: int) -> str:
        with CONNECTIONS:
            try:
                return str(play(game, maya, str(number)).pk)
            except GameClosedError as error:
                return error.code
            finally:
                connections.close_all()

    with ThreadPoolExecutor(50) as pool:
        found = Counter(pool.map(tap, range(50)))
    assert found["no_play_left"] == 47
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
