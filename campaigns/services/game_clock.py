"""What time does to games: they begin, their seeds are revealed, they end, what plays cost that
nobody used is given back, and what guests did not claim goes back. A job of the schedule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Game, GameDraw, GamePlay, GameSeed, GuestDraw
from campaigns.selectors.games import games, is_empty
from campaigns.services.game_plays import return_bought
from campaigns.services.game_seeds import LASTS, rotate_seed
from campaigns.services.games import begin_game, end_game
from campaigns.services.guest_plays import return_unclaimed
from members.errors import DomainError
from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.services.audit import SYSTEM
from members.services.job_logs import Level, log_line
from members.services.job_runs import Step, run_in_chunks

KIND = "games"
Status = Game.Status
Due = tuple[str, Game]


def find_changes(now: dt.datetime) -> Work | None:
    """None where nothing has come."""
    first = next(_due(now), None)
    if first is None:
        return None
    return Work(
        _("Games that begin or end"), fingerprint=f"{now:%Y-%m-%d %H:%M}",
        params={"now": now.isoformat()},
    )  # fmt: skip


def run_changes(job_id: int) -> Job | None:
    """One change after the other; None when another run has it."""
    return run_in_chunks(job_id, _change_one)


def change_words(job: Job) -> str:
    done = job.result.get("changed", 0)
    words = ngettext("%s thing was done.", "%s things were done.", done)
    return words % format_number(done)


def move_on(game: Game, now: dt.datetime) -> None:
    """All that has come for one game."""
    while (found := next((item for item in _due(now) if item[1].pk == game.pk), None)) is not None:
        ACTS[found[0]](found[1], now)


def _change_one(job: Job) -> Step | None:
    """What cannot be done with one game, because the key of its seed is gone, is told in the log,
    and keeps no other one waiting."""
    now = dt.datetime.fromisoformat(job.params["now"])
    failed = job.checkpoint.get("failed", [])
    found = next((item for item in _due(now) if item[1].pk not in failed), None)
    if found is None:
        return None
    act, game = found
    changed = job.result.get("changed", 0)
    try:
        with transaction.atomic():
            ACTS[act](game, now)
        changed += 1
    except DomainError as error:
        failed = [*failed, game.pk]
        log_line(job, f"{game.name}: {error.message}", level=Level.ERROR)
    return Step(
        checkpoint={"failed": failed} if failed else {}, done=job.done + 1,
        result={"changed": changed},
    )  # fmt: skip


def _due(now: dt.datetime) -> Iterator[Due]:
    """What is to be done, in turn; whatever is done is not due any more."""
    for game in games().filter(status=Status.SCHEDULED, starts_at__lte=now):
        yield "begin", game
    going = games().filter(status__in=[Status.LIVE, Status.PAUSED])
    for game in going.filter(ends_at__lte=now):
        yield "end", game
    reserved = GuestDraw.objects.filter(state=GuestDraw.State.WAITING)
    limited = games().filter(_limited(), status=Status.LIVE)
    # What guests have not claimed yet may come back.
    for game in limited.exclude(pk__in=reserved.values("game")):
        if is_empty(game):
            yield "empty", game
    used = GameDraw.objects.filter(seed=OuterRef("pk"))
    guests = GuestDraw.objects.filter(seed=OuterRef("pk"))
    old = GameSeed.objects.filter(
        Exists(used) | Exists(guests), ended_at=None, begun_at__lte=now - LASTS
    )
    for game in going.filter(Exists(old.filter(game=OuterRef("pk")))):
        yield "rotate", game
    late = reserved.filter(claim_until__lte=now)
    for game in games().filter(pk__in=late.values("game")):
        yield "unclaimed", game
    waiting = GamePlay.objects.filter(
        game=OuterRef("pk"), source=GamePlay.Source.BOUGHT, used_at=None, withdrawn_at=None
    )
    for game in games().filter(Exists(waiting), status=Status.ENDED):
        yield "return", game


def _limited() -> Q:
    """Of which something may have run out: nothing else is looked at any closer."""
    stock = Q(prizes__stock__isnull=False, prizes__taken__gte=F("prizes__stock"))
    budgets = Q(budget_units__isnull=False) | Q(budget_money__isnull=False)
    return Q(pk__in=Game.objects.filter(stock | budgets).values("pk"))


def _end(game: Game, now: dt.datetime) -> None:
    end_game(game=game, actor=SYSTEM, now=now, why=Game.Ending.OVER)


def _end_empty(game: Game, now: dt.datetime) -> None:
    end_game(game=game, actor=SYSTEM, now=now, why=Game.Ending.EMPTY)


ACTS: dict[str, Callable[[Game, dt.datetime], object]] = {
    "begin": lambda game, now: begin_game(game=game, now=now),
    "end": _end,
    "empty": _end_empty,
    "rotate": lambda game, now: rotate_seed(game=game, actor=SYSTEM, now=now),
    "unclaimed": return_unclaimed,
    "return": return_bought,
}
