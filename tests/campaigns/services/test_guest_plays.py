"""Playing before joining: once for each browser, set aside, claimed, or back in stock."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from campaigns.models import Game, GameDraw, GamePlay, GuestDraw
from campaigns.selectors.game_proofs import proof_of
from campaigns.services.game_clock import find_changes, move_on
from campaigns.services.game_seeds import rotate_seed, secret_of
from campaigns.services.game_turns import GameClosedError
from campaigns.services.games import end_game
from campaigns.services.guest_plays import claim_code, claim_guest_draw, play_as_guest
from loyalty.models import Membership, Program, Transfer
from loyalty.services.joining import join_program
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.outbox import deliver_waiting
from tests.campaigns.games import live_game, play, sure
from tests.loyalty.factories import NOW, make_program, spendable
from tests.rewards.factories import make_member
from tests.sharing import anew, shared

pytestmark = pytest.mark.usefixtures("coherent_ledger")
HOUR = dt.timedelta(hours=1)
State = GuestDraw.State


made_once = shared(lambda: make_program(time_zone="Europe/Athens", unit={"unit_value": "0.01"}))


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


def open_game(program: Program, **said: Any) -> Game:
    values = {"guests": True, "claim_hours": 24, "prizes": sure(stock=2, per_day=2)}
    return live_game(program, **(values | said))


def guest(game: Game, browser: bytes = b"one", at: dt.datetime = NOW) -> GuestDraw:
    return play_as_guest(game=game, browser=browser, nonce="", now=at)[0]


def claim(drawn: GuestDraw, member: Membership, at: dt.datetime = NOW + HOUR) -> GameDraw:
    return claim_guest_draw(
        guest=drawn, membership=member, source=Transfer.Source.ACCOUNT.value, now=at
    )


def newcomer(program: Program, name: str = "new", at: dt.datetime = NOW + HOUR / 2) -> Membership:
    customer = Customer.objects.create(external_id=name)
    joined = join_program(
        customer=customer, program=program, source=Membership.Source.LINK, at=at, actor=SYSTEM
    )
    assert joined.membership is not None
    return joined.membership


def left(game: Game) -> tuple[int, int]:
    prize = game.prizes.get(code="prize")
    day = prize.days.first()
    return prize.taken, day.taken if day else 0


def test_a_browser_plays_once_and_who_joins_gets_what_it_drew(program: Program) -> None:
    game = open_game(program)
    drawn, again = (play_as_guest(game=game, browser=b"one", nonce="", now=NOW) for _ in range(2))
    assert (drawn[0].pk, drawn[1], again[1]) == (again[0].pk, False, True)
    assert (drawn[0].state, left(game)) == (State.WAITING, (1, 1))
    member = newcomer(program)
    first, second = claim(drawn[0], member), claim(drawn[0], member)
    assert first.pk == second.pk
    assert spendable("new") == 10
    assert (first.guest_id, first.play.source, first.day) == (drawn[0].pk, "guest", drawn[0].day)
    assert left(game) == (1, 1)


def test_it_is_off_unless_a_game_says_so(program: Program) -> None:
    with pytest.raises(GameClosedError, match="for members"):
        guest(open_game(program, guests=False))


def test_what_nobody_claims_is_in_stock_and_budget_again(program: Program) -> None:
    game = open_game(program, prizes=sure(stock=1, per_day=1), budget_units=10)
    drawn = guest(game)
    assert guest(game, b"two").instead == "stock"
    assert find_changes(NOW + 23 * HOUR) is None
    late = NOW + 24 * HOUR
    with pytest.raises(GameClosedError, match="time to claim"):
        claim(drawn, newcomer(program), late)
    move_on(game, late)
    drawn.refresh_from_db()
    game.refresh_from_db()
    assert (drawn.state, left(game), game.won_units) == (State.RETURNED, (0, 0), 0)
    assert guest(game, b"three", late).state == State.WAITING
    move_on(game, late)
    assert GuestDraw.objects.filter(state=State.RETURNED).count() == 1


def test_what_was_drawn_before_the_game_ended_is_claimed_after_it(program: Program) -> None:
    game = open_game(program)
    drawn = guest(game)
    end_game(game=game, actor=SYSTEM, now=NOW + HOUR / 4)
    assert claim(drawn, newcomer(program)).prize.code == "prize"


def test_who_was_a_member_before_uses_a_play_of_their_own(program: Program) -> None:
    game = open_game(program, free_plays=1, free_each="day", prizes=sure(stock=9))
    member = make_member(0, "old", program)
    drawn, other = (guest(game, name, NOW + HOUR / 4) for name in (b"one", b"two"))
    assert claim(drawn, member).play.source == GamePlay.Source.FREE
    with pytest.raises(GameClosedError) as refused:
        claim(other, member)
    assert refused.value.code == "no_play_left"
    assert GuestDraw.objects.get(pk=other.pk).state == State.WAITING


def test_a_member_claims_once_however_many_browsers_they_have_draw(program: Program) -> None:
    """Otherwise whoever has plays left draws often, and takes the best."""
    game = open_game(program, free_plays=5, free_each="day", prizes=sure(stock=9))
    member = make_member(0, "old", program)
    drawn, other = (guest(game, name, NOW + HOUR / 4) for name in (b"one", b"two"))
    claim(drawn, member)
    plays = GamePlay.objects.count()
    with pytest.raises(GameClosedError) as refused:
        claim(other, member)
    assert refused.value.code == "claimed_once"
    assert GamePlay.objects.count() == plays
    assert GuestDraw.objects.get(pk=other.pk).state == State.WAITING
    assert play(game, member).prize.code == "prize"


def test_the_limit_of_a_day_holds_for_claims(program: Program) -> None:
    game = open_game(program, free_plays=5, free_each="day", daily_plays=1, prizes=sure(stock=9))
    member = make_member(0, "old", program)
    play(game, member)
    with pytest.raises(GameClosedError) as refused:
        claim(guest(game, at=NOW + HOUR / 4), member)
    assert refused.value.code == "enough_today"


def test_who_joins_claims_one_whatever_many_browsers_drew(program: Program) -> None:
    game = open_game(program)
    drawn, other, member = guest(game), guest(game, b"two"), newcomer(program)
    claim(drawn, member)
    with pytest.raises(GameClosedError, match="one already"):
        claim(other, member)
    with pytest.raises(GameClosedError, match="claimed already"):
        claim(drawn, newcomer(program, "another"))


def test_joining_by_a_mail_claims_wherever_it_is_confirmed(program: Program) -> None:
    now = timezone.now()
    drawn = guest(open_game(program), at=now - HOUR)
    for name, detail in (("thief", f"play-{drawn.public_id.hex}{'0' * 20}"),
                         ("friend", claim_code(drawn))):  # fmt: skip
        join_program(
            customer=Customer.objects.create(external_id=name), program=program, detail=detail,
            source=Membership.Source.LINK, at=now, actor=SYSTEM,
        )  # fmt: skip
    deliver_waiting()
    made = GameDraw.objects.select_related("membership__customer").get(guest=drawn)
    assert made.membership.customer.external_id == "friend"


def test_its_draw_is_checked_as_those_of_members(program: Program) -> None:
    game = open_game(program)
    drawn, nothing = guest(game), guest(game, b"two")
    made = claim(drawn, newcomer(program))
    seed = drawn.seed
    for found in (drawn, nothing, made):
        assert proof_of(found, secret_of(seed)).holds
    rotate_seed(game=game, actor=SYSTEM, now=NOW + HOUR)
    call_command("verify_draw")
    call_command("verify_draw", str(drawn.public_id))


def test_a_draw_of_a_guest_changes_no_more(program: Program) -> None:
    drawn = guest(open_game(program))
    for change in ("number = number + 1", "state = 'nothing'", "browser = 'x'"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE campaigns_guestdraw SET {change} WHERE id = %s", [drawn.pk])
