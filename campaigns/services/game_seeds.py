"""The secrets that draws follow from: committed to, used, and revealed."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.fair_draws import commitment_of, new_seed
from campaigns.models import Game, GameSeed
from campaigns.services.game_turns import GameClosedError
from members.errors import ConflictError
from members.kept_secrets import hidden, revealed
from members.prepared import KeptQuery, run_prepared
from members.services.audit import Actor, record_audit

# The seed changes by itself after so long, so that what was drawn can be worked out again soon.
LASTS = dt.timedelta(days=1)
# Nothing is drawn with a seed that is just being revealed: whoever reveals it waits, or has been.
_SEED = """
    SELECT id FROM campaigns_gameseed WHERE game_id = %s AND ended_at IS NULL FOR SHARE
"""


def begin_seed(game: Game, actor: Actor, now: dt.datetime) -> GameSeed:
    """The next secret, whose hash is public from now on. The caller holds the game."""
    seed = new_seed()
    number = GameSeed.objects.filter(game=game).count() + 1
    made = GameSeed.objects.create(
        game=game, number=number, secret=hidden(seed), commitment=commitment_of(seed), begun_at=now
    )
    record_audit(
        actor=actor, action="game.seed_begun", target=game, after={"commitment": made.commitment}
    )
    return made


_by_key: KeptQuery[GameSeed] = KeptQuery(lambda pk: GameSeed.objects.filter(pk=pk))


def seed_in_use(game: Game) -> GameSeed:
    """Held, so that it is not revealed before the draw is written."""
    for _attempt in range(3):
        rows = run_prepared(_SEED, [game.pk])
        if rows:
            return _by_key.one(rows[0][0])
    raise GameClosedError(_("This game cannot be played now."))


def hold_seed(game: Game) -> None:
    """Wait for draws that are under way, and keep further ones waiting. Before the game is locked:
    a draw holds the seed first, and then the game where it has a budget."""
    list(GameSeed.objects.select_for_update().filter(game=game, ended_at=None).values_list("pk"))


def reveal_seed(game: Game, actor: Actor, now: dt.datetime) -> GameSeed | None:
    """The one in use is no secret any more, and nothing more is drawn with it. None: there is none.
    Draws that are under way are waited for."""
    used = GameSeed.objects.select_for_update().filter(game=game, ended_at=None).first()
    if used is None:
        return None
    used.revealed, used.ended_at = secret_of(used), now
    used.save(update_fields=["revealed", "ended_at"])
    record_audit(
        actor=actor, action="game.seed_revealed", target=game, after={"commitment": used.commitment}
    )
    return used


@transaction.atomic
def rotate_seed(*, game: Game, actor: Actor, now: dt.datetime, commitment: str = "") -> GameSeed:
    """Reveal the secret in use, and go on with another one. `commitment`: of the one that is meant;
    if another one is in use by then, somebody was faster, and nothing changes."""
    hold_seed(game)
    row = Game.objects.select_for_update(no_key=True).get(pk=game.pk)
    if row.status not in (Game.Status.LIVE, Game.Status.PAUSED):
        raise ConflictError(_("It is not played now."), code="game_state")
    used = GameSeed.objects.filter(game=row, ended_at=None).first()
    if used is not None and commitment and used.commitment != commitment:
        return used
    reveal_seed(row, actor, now)
    return begin_seed(row, actor, now)


def secret_of(seed: GameSeed) -> str:
    """The secret itself. Raises ConflictError where no key of the installation opens it."""
    found = seed.revealed or revealed(seed.secret)
    if not found:
        raise ConflictError(
            _("The key that its seed was encrypted with is gone."), code="seed_unreadable"
        )
    return found
