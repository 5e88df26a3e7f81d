"""Games: from a draft to their end, and draws that everybody can work out again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.utils import DatabaseError

from campaigns.demo.games import show_games
from campaigns.fair_draws import commitment_of
from campaigns.game_definitions import GameDefinition, definition_of_game
from campaigns.models import Game, GameDraw, GamePrize, GameSeed, GuestDraw
from campaigns.selectors.game_proofs import drawn, proof_of
from campaigns.services.game_clock import find_changes, move_on
from campaigns.services.game_seeds import rotate_seed, secret_of, seed_in_use
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
from loyalty.models import Program, Transfer
from loyalty.services.rules import set_four_eyes
from members.errors import ConflictError, DomainError
from members.kept_secrets import revealed
from members.models import AuditEntry, User
from members.services.audit import SYSTEM, Actor
from members.services.job_runs import run_scheduled
from tests.campaigns.games import PRIZES, draft_game, fresh, live_game, member, play, sure
from tests.loyalty.factories import (
    NOW,
    day,
    make_program,
)
from tests.rewards.services.racing import in_the_way_of
from tests.sharing import of_each_test

pytestmark = pytest.mark.usefixtures("coherent_ledger")
ACCOUNT = Transfer.Source.ACCOUNT.value
Instead = GameDraw.Instead


def make_world() -> Program:
    return make_program(time_zone="Europe/Athens", unit={"unit_value": "0.01"})


_made_once, program = of_each_test(make_world)


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
    program = make_world()
    game, maya = live_game(program, prizes=sure(), budget_units=100), member("c1", program)
    in_the_way_of(
        lambda: close(game=game, actor=SYSTEM, now=NOW),
        lambda: (hold_member(maya), seed_in_use(game)),
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


# What somebody with access to the database may lay hands on, and which check finds it.
BENT = (
    ("UPDATE campaigns_gamedraw SET nonce = '99'", "proof"),
    ("UPDATE campaigns_gamedraw SET number = (number + 1) % 100", "number"),
    ("UPDATE campaigns_gameseed SET commitment = repeat('0', 64)", "commitment"),
    ("UPDATE campaigns_game SET odds = replace(odds, 'big 10', 'big 20')", "odds"),
    ("UPDATE campaigns_gamedraw SET proof = repeat('0', 64)", "proof"),
    ("UPDATE campaigns_gamedraw SET drawn_id = drawn_id + 1 WHERE number < 60", "prize"),
)


def test_what_was_tampered_with_is_found(program: Program) -> None:
    game = live_game(program)
    # Enough to draw one of any prize that a hand above is laid on.
    for number in range(45):
        play(game, member(f"c{number % 3}"), str(number))
    for bent, check in BENT:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SET CONSTRAINTS ALL IMMEDIATE; SET session_replication_role = replica"
                )
                cursor.execute("ALTER TABLE campaigns_gamedraw DROP CONSTRAINT game_draw_instead")
                cursor.execute(bent)
                cursor.execute("SET session_replication_role = origin")
            proofs = [proof_of(found, secret_of(found.seed)) for found in drawn()]
            wrong = {item.code for proof in proofs for item in proof.checks if not item.holds}
            assert check in wrong, bent
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
    assert GuestDraw.objects.filter(game__kind="wheel").count() == 4
    assert GameSeed.objects.exclude(revealed="").count() == 4
    call_command("verify_draw")
