"""Whatever members play agrees with itself; what does not, by whichever hand, is found."""

from __future__ import annotations

import io
import uuid

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from campaigns.game_checks import CHECKS
from campaigns.models import Game, GameDraw
from campaigns.services.game_plays import buy_play
from campaigns.services.game_seeds import rotate_seed
from campaigns.services.guest_plays import claim_guest_draw, play_as_guest
from loyalty.ledger.checks import RULES, check_rule
from loyalty.models import Transfer
from members.services.audit import SYSTEM
from members.services.outbox import deliver_waiting
from rewards.models import Reward
from tests.campaigns.games import live_game, play
from tests.loyalty.factories import NOW, order, record
from tests.rewards.factories import make_member, offer
from tests.sharing import of_each_test

pytestmark = pytest.mark.django_db
ODDS, SEED, PROOF, DRAWN, GIVEN, STOCK, BUDGET, CLAIMED, MOVED = CHECKS
BENT = (
    (ODDS, "UPDATE campaigns_gameprize SET weight = weight + 1 WHERE code = 'dear'"),
    (ODDS, "UPDATE campaigns_game SET odds = replace(odds, 'dear 1', 'dear 9')"),
    (ODDS, "UPDATE campaigns_game SET odds_hash = repeat('0', 64)"),
    (SEED, "UPDATE campaigns_gameseed SET commitment = repeat('0', 64)"),
    (SEED, "UPDATE campaigns_gameseed SET revealed = repeat('0', 64) WHERE revealed <> ''"),
    (PROOF, "UPDATE campaigns_gameseed SET revealed = repeat('0', 64) WHERE revealed <> ''"),
    (PROOF, "UPDATE campaigns_gamedraw SET proof = repeat('0', 64)"),
    (PROOF, "UPDATE campaigns_gamedraw SET nonce = '99'"),
    (PROOF, "UPDATE campaigns_gamedraw SET turn = turn + 1"),
    (PROOF, "UPDATE campaigns_gamedraw SET membership_id = membership_id + 1 WHERE id = {first}"),
    (DRAWN, "UPDATE campaigns_gamedraw SET number = (number + 1) % 100"),
    (DRAWN, "UPDATE campaigns_gamedraw SET drawn_id = {dear} WHERE number > 0"),
    (DRAWN, "UPDATE campaigns_gamedraw SET proof = repeat('f', 64)"),
    (GIVEN, "UPDATE campaigns_gamedraw SET prize_id = {dear}"),
    (GIVEN, "UPDATE campaigns_gamedraw SET units = units + 1"),
    (GIVEN, "UPDATE campaigns_gamedraw SET instead = 'stock' WHERE instead = ''"),
    (GIVEN, "UPDATE campaigns_gameplay SET used_at = NULL"),
    (STOCK, "UPDATE campaigns_gameprize SET taken = 0"),
    (STOCK, "UPDATE campaigns_gameprize SET stock = 0 WHERE stock IS NOT NULL"),
    (STOCK, "UPDATE campaigns_gameprizeday SET taken = taken + 1"),
    (STOCK, "DELETE FROM campaigns_gameprizeday"),
    (BUDGET, "UPDATE campaigns_game SET won_units = won_units - 1"),
    (BUDGET, "UPDATE campaigns_game SET won_money = 0"),
    (PROOF, "UPDATE campaigns_guestdraw SET nonce = '99'"),
    (PROOF, "UPDATE campaigns_gamedraw SET guest_id = NULL WHERE guest_id IS NOT NULL"),
    (DRAWN, "UPDATE campaigns_guestdraw SET number = (number + 1) % 100"),
    (BUDGET, "UPDATE campaigns_guestdraw SET state = 'returned' WHERE state = 'waiting'"),
    (CLAIMED, "UPDATE campaigns_guestdraw SET state = 'returned' WHERE state = 'claimed'"),
    (CLAIMED, "UPDATE campaigns_guestdraw SET state = 'claimed' WHERE state = 'waiting'"),
    (CLAIMED, "UPDATE campaigns_guestdraw SET state = 'nothing' WHERE state = 'waiting'"),
    (CLAIMED, "UPDATE campaigns_gamedraw SET guest_id = NULL WHERE guest_id IS NOT NULL"),
    (MOVED, "UPDATE loyalty_transfer SET amount = amount + 1 WHERE kind = 'adjustment'"),
    (MOVED, "UPDATE campaigns_gameplay SET spent_id = {won} WHERE spent_id IS NOT NULL"),
)  # fmt: skip


def play_games() -> Game:
    with pytest.MonkeyPatch.context() as patched:
        return draw_with(patched)


def draw_with(monkeypatch: pytest.MonkeyPatch) -> Game:
    """Draws with a revealed seed and with one in use; a stock, a day and a budget that are used up;
    a play that was bought; each kind of prize."""
    member = make_member(0, "m0")
    other = make_member(0, "m1", member.program)
    # The same is drawn whenever this is run.
    monkeypatch.setattr("campaigns.services.game_seeds.new_seed", lambda: "5e" * 32)
    for number, one in enumerate((member, other), start=1):
        one.public_id = uuid.UUID(int=number)
        one.save(update_fields=["public_id"])
    record(order(total="100", buyer="m0"))
    reward = offer(member.program, price=50)
    Reward.objects.filter(pk=reward.pk).update(status="live")
    prizes = [
        {"code": "few", "kind": "units", "name": "Few", "weight": 30, "units": 10, "stock": 3},
        {"code": "day", "kind": "units", "name": "Day", "weight": 30, "units": 5, "per_day": 2},
        {"code": "cup", "kind": "reward", "name": "Cup", "weight": 20, "reward": reward.code,
         "cost": "2"},
        {"code": "dear", "kind": "units", "name": "Dear", "weight": 1, "units": 400},
        {"code": "more", "kind": "play", "name": "More", "weight": 19},
        {"code": "none", "kind": "nothing", "name": "None", "weight": 10, "catches": True},
    ]  # fmt: skip
    game = live_game(
        member.program, prizes=prizes, budget_units=120, budget_money=500, price=5, free_plays=12,
        guests=True,
    )  # fmt: skip
    buy_play(
        game=game, membership=member, key="b", source=Transfer.Source.ACCOUNT.value, actor=SYSTEM,
        now=NOW,
    )  # fmt: skip
    for number in range(10):
        for one in (member, other):
            play(game, one, str(number), nonce=str(number) if number % 2 else "")
    play_as_guests(game, monkeypatch)
    rotate_seed(game=game, actor=SYSTEM, now=NOW)
    play(game, member, "last")
    return game


def play_as_guests(game: Game, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty visitors, of whom the first who drew a reward has joined by now."""
    ids = iter(uuid.UUID(int=number) for number in range(100, 200))
    monkeypatch.setattr("campaigns.services.guest_plays.new_id", lambda: next(ids))
    drawn = [
        play_as_guest(game=game, browser=f"{number}".encode(), nonce="", now=NOW)[0]
        for number in range(40)
    ]
    waiting = [item for item in drawn if item.state == "waiting" and item.prize.kind == "reward"]
    joined = make_member(0, "m2", game.program)
    claim_guest_draw(
        guest=waiting[0], membership=joined, source=Transfer.Source.ACCOUNT.value, now=NOW
    )
    assert len(waiting) > 1


_made_once, played = of_each_test(play_games)


def found() -> set[str]:
    return {name for name in CHECKS if check_rule(name, NOW) is not None}


def test_whatever_members_play_agrees(played: Game) -> None:
    kinds = set(GameDraw.objects.values_list("prize__kind", flat=True))
    assert kinds == {"units", "reward", "play", "nothing"}
    assert {"stock", "day"} <= set(GameDraw.objects.values_list("instead", flat=True))
    assert found() == set()


def test_what_does_not_agree_is_found(played: Game) -> None:
    names = {
        "first": GameDraw.objects.earliest("pk").pk,
        "dear": played.prizes.get(code="dear").pk,
        "won": GameDraw.objects.exclude(transfer=None).earliest("pk").transfer_id,
    }
    for rule, statement in BENT:
        with transaction.atomic():
            assert bend(statement.format(**names)), statement
            assert check_rule(rule, NOW) is not None, statement
            transaction.set_rollback(True)


def bend(statement: str) -> int:
    """How many rows it changes. Constraints refuse some of it, in life."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, name in (
            ("gamedraw", "game_draw_instead"), ("gameprize", "game_prize_stock"),
            ("gamedraw", "game_draw_key"), ("game", "game_budgets_hold"),
            ("guestdraw", "guest_draw_state"),
        ):  # fmt: skip
            cursor.execute(f"ALTER TABLE campaigns_{table} DROP CONSTRAINT {name}")
        cursor.execute("DROP INDEX game_draw_turn")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)
        changed = int(cursor.rowcount)
        cursor.execute("SET LOCAL session_replication_role = origin")
    return changed


def test_the_command_and_the_self_check_look_at_it(played: Game) -> None:
    assert set(CHECKS) <= set(RULES)
    while deliver_waiting(1000):
        pass
    said = io.StringIO()
    call_command("verify_ledger", stdout=said)
    assert "checks passed" in said.getvalue()
