"""Games: how long a draw takes that wins units of a stock, beside plain SQL that writes the same
rows. On a database of its own, which is dropped afterwards."""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from campaigns.models import Game, GameDraw, GamePlay
from campaigns.services.game_draws import play_game
from loyalty.models import Membership, Transfer
from loyalty.selectors.memberships import memberships
from tests.bench import databases
from tests.bench.figures import Figures, Goal
from tests.campaigns.games import live_game, sure
from tests.loyalty.factories import make_program, make_wallet

GOALS = {
    "p95": Goal("a draw that wins units, p95, ms", 50.0, at_most=True),
    "raw": Goal("raw SQL's median / a draw's median"),
}
DATABASE = "bench_games"
MEMBERS = 1_000
SQL = Path(__file__).with_name("games.sql")
# Turns of raw draws, so that they are none of the others.
RAW_TURNS = 1_000_000


def rounds(options: argparse.Namespace) -> list[Figures]:
    databases.create(DATABASE)
    try:
        with databases.used(DATABASE):
            call_command("migrate", verbosity=0)
            begun = timezone.now() - dt.timedelta(hours=1)
            program = make_program(at=begun, unit={"unit_value": "0.01"}, earning_rules=[])
            for number in range(MEMBERS):
                make_wallet(program, f"m{number}", at=begun)
            game = live_game(
                program, at=begun, free_plays=20, free_each="day", prizes=sure(stock=100_000_000)
            )
            with connection.cursor() as cursor:
                cursor.execute(SQL.read_text())
            bench = _Bench(game, list(memberships().filter(program=program).order_by("pk")))
            bench.round(1.0)
            return [bench.round(options.seconds) for _number in range(options.rounds)]
    finally:
        databases.drop(DATABASE)


class _Bench:
    """Each draw is of the next member, and a transaction of its own."""

    def __init__(self, game: Game, people: list[Membership]) -> None:
        self.game, self.people, self.drawn = game, people, 0
        self.seed = game.seeds.get(ended_at=None).pk
        self.prize = game.prizes.get(code="prize").pk

    def round(self, seconds: float) -> Figures:
        """Half of the time each, in turn, so that a machine that slows down slows both."""
        took: dict[Callable[[Membership], None], list[float]] = {self._draw: [], self._raw: []}
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            member = self.people[self.drawn % len(self.people)]
            self.drawn += 1
            for act, times in took.items():
                began = time.perf_counter()
                act(member)
                times.append(1000 * (time.perf_counter() - began))
        if GamePlay.objects.count() != 2 * self.drawn or GameDraw.objects.count() != 2 * self.drawn:
            raise AssertionError("not every draw was written")
        draws, raw = took[self._draw], took[self._raw]
        return {
            "p95": statistics.quantiles(draws, n=20)[-1],
            "raw": statistics.median(raw) / statistics.median(draws),
            "a draw, median, ms": statistics.median(draws),
            "the same rows by raw SQL, median, ms": statistics.median(raw),
            "the same rows by raw SQL, p95, ms": statistics.quantiles(raw, n=20)[-1],
        }

    def _draw(self, member: Membership) -> None:
        play_game(
            game=self.game, membership=member, nonce="", key=f"bench:{self.drawn}",
            source=Transfer.Source.ACCOUNT.value, now=timezone.now(),
        )  # fmt: skip

    def _raw(self, member: Membership) -> None:
        asked = [self.game.pk, self.seed, self.prize, member.pk, RAW_TURNS + self.drawn]
        with connection.cursor() as cursor:
            cursor.execute("SELECT bench_draw(%s, %s, %s, %s, %s, now())", asked)
