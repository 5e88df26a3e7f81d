"""Members are told of games: what they can play, what they have won, what ends soon; each once."""

from __future__ import annotations

import datetime as dt

import pytest

from campaigns.models import Delivery, Game, OccasionSetting
from campaigns.services.game_plays import grant_plays
from campaigns.services.told_games import KIND, OCCASIONS
from loyalty.models import Membership, Program
from tests.campaigns.factories import switch_on, work
from tests.campaigns.games import live_game, play, sure
from tests.loyalty.factories import NOW, make_program
from tests.rewards.factories import make_member
from tests.sharing import anew, shared

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def make_world() -> Program:
    made = make_program(unit={"unit_value": "0.01"})
    for occasion in OCCASIONS:
        switch_on(occasion.code, "inbox", at=NOW - DAY)
    return made


made_once = shared(make_world)


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


@pytest.fixture
def ana(program: Program) -> Membership:
    return make_member(0, "ana", program)


def earn(game: Game, member: Membership, occasion: str = "order:7", at: dt.datetime = NOW) -> None:
    grant_plays(game=game, member=member, source="order", occasion=occasion, count=2, now=at)


def told(occasion: str) -> list[tuple[str, str]]:
    rows = Delivery.objects.filter(message__occasion=occasion).order_by("pk")
    return [(subject, text) for subject, text in rows.values_list("subject", "text")]


def test_who_has_earned_plays_is_told_once_how_many_and_until_when(
    program: Program, ana: Membership
) -> None:
    game = live_game(program, title="Spin", play_days=3)
    earn(game, ana)
    assert work(KIND, NOW + HOUR) == 1
    assert work(KIND, NOW + HOUR) == 0
    assert told("game_play") == [("Spin: 2 plays for you", "See what you win. Until Mar 18, 2024.")]


def test_free_plays_and_those_that_were_used_are_no_news(program: Program, ana: Membership) -> None:
    game = live_game(program, free_plays=0, free_each="", price=10)
    earn(game, ana)
    for key in ("1", "2"):
        play(game, ana, key)
    work(KIND, NOW + HOUR)
    assert told("game_play") == []


def test_what_was_won_is_told_and_nothing_else(program: Program, ana: Membership) -> None:
    play(live_game(program, title="Spin", prizes=sure()), ana)
    play(live_game(program, title="Box", prizes=sure(kind="play", units=None)), ana)
    assert work(KIND, NOW + HOUR) == 1
    assert told("game_won") == [("You have won: 10 points", "From “Spin”.")]


def test_plays_that_lapse_within_a_day_are_told_together_and_once(
    program: Program, ana: Membership
) -> None:
    game = live_game(program, title="Spin", play_days=3)
    earn(game, ana)
    earn(game, ana, "order:8")
    work(KIND, NOW + HOUR)
    assert told("game_play_ends") == []
    for at in (NOW + 3 * DAY, NOW + 3 * DAY + HOUR):
        work(KIND, at)
    assert told("game_play_ends") == [("Spin: do not let it go", "4 plays. Until Mar 18, 2024.")]


def test_a_game_that_ends_is_told_to_who_can_still_play_it(
    program: Program, ana: Membership
) -> None:
    game = live_game(program, title="Spin", ends_at=NOW + 5 * DAY)
    make_member(0, "ben", program)
    earn(game, ana)
    for at in (NOW + 2 * DAY, NOW + 4 * DAY + HOUR, NOW + 4 * DAY + 2 * HOUR):
        work(KIND, at)
    assert told("game_ends") == [("Spin ends soon", "2 plays. Until Mar 20, 2024.")]


def test_nothing_is_looked_for_while_it_is_off(program: Program, ana: Membership) -> None:
    OccasionSetting.objects.update(is_on=False)
    earn(live_game(program), ana)
    assert work(KIND, NOW + HOUR) == 0
