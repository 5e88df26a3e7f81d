"""Playing: a play is used, a number drawn, and what it falls on given, in one transaction."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from campaigns.fair_draws import Drawn, Ticket, draw, read_odds
from campaigns.models import Game, GameDraw, GamePlay, GamePrize, GameSeed
from campaigns.selectors.games import (
    free_left,
    free_period,
    lasts_until,
    played_on_day,
    usable_plays,
)
from campaigns.services.game_prizes import Given, GoneError, catching, count_prize, hand_over
from campaigns.services.game_seeds import secret_of, seed_in_use
from campaigns.services.game_turns import GameClosedError, hold_member, playable
from loyalty.models import Membership
from loyalty.selectors.selves import selves
from members.errors import DomainError, FieldError
from members.prepared import KeptQuery, KeptRows, insert_row, update_row
from members.services.transactions import run_atomically

LONGEST_NONCE = 18


@dataclass(frozen=True, slots=True)
class Played:
    """`again`: it had been drawn before, by the same key."""

    draw: GameDraw
    again: bool


def play_game(
    *, game: Game, membership: Membership, nonce: str, key: str, source: str, now: dt.datetime
) -> Played:
    """Use a play: a free one of this period before the others, and of these the one that lapses
    first. `nonce`: digits that the member thought of, or nothing. The same key is the same draw.

    Raises GameClosedError where it cannot be played, by this member or now, DomainError.
    """
    checked_nonce(nonce)

    def play() -> Played:
        member = hold_member(membership)
        names = selves([member])
        known = _known.first(game.pk, key, names)
        if known is not None:
            return Played(known, again=True)
        found = playable(game, now)
        if member.status != Membership.Status.ACTIVE:
            raise GameClosedError(_("This game is not for this member."), code="not_for_member")
        if found.daily_plays is not None and played_on_day(found, names, now) >= found.daily_plays:
            raise GameClosedError(_("You have played enough for today."), code="enough_today")
        used = use_play(found, member, names, now)
        made = _draw(found, member, used, nonce, key, source, now)
        return Played(made, again=False)

    return run_atomically(play)


def checked_nonce(nonce: str) -> str:
    """Raises DomainError. Digits alone: nobody leaves words in what everybody can look up."""
    if nonce and not (nonce.isascii() and nonce.isdigit() and len(nonce) <= LONGEST_NONCE):
        message = _("At most %s digits.") % LONGEST_NONCE
        raise DomainError(message, errors=[FieldError("nonce", message)])
    return nonce


def use_play(game: Game, member: Membership, names: list[int], now: dt.datetime) -> GamePlay:
    """The member is held."""
    left = free_left(game, member, names, now)
    if left:
        number = game.free_plays - left + 1
        free = GamePlay(
            game=game, membership=member, source=GamePlay.Source.FREE,
            occasion=f"{free_period(game, now)}:{number}", granted_at=now, used_at=now,
        )  # fmt: skip
        insert_row(free)
        return free
    # What is just withdrawn, for its order is gone, is waited for, and then passed over.
    play = usable_plays([game], names, now).select_for_update(of=("self",)).first()
    if play is None:
        raise GameClosedError(_("You have no play left."), code="no_play_left")
    play.used_at = now
    update_row(play, "used_at")
    return play


def _draw(
    game: Game, member: Membership, play: GamePlay, nonce: str, key: str, source: str,
    now: dt.datetime,
) -> GameDraw:  # fmt: skip
    seed = seed_in_use(game)
    turn = _own_draws.count(seed.pk, member.pk) + 1
    ticket = Ticket(game.odds_hash, str(member.public_id), turn, nonce)
    drawn = draw(secret_of(seed), ticket, read_odds(game.odds))
    prizes = {prize.code: prize for prize in game.prizes.all()}
    given = _give_or_instead(game, prizes[drawn.code], member, play, source, now)
    return _write(game, member, play, seed, ticket, drawn, given, key, now)


def _write(
    game: Game, member: Membership, play: GamePlay, seed: GameSeed, ticket: Ticket, drawn: Drawn,
    given: Given, key: str, now: dt.datetime,
) -> GameDraw:  # fmt: skip
    prizes = {prize.code: prize for prize in game.prizes.all()}
    made = GameDraw(
        game=game, play=play, membership=member, seed=seed, turn=ticket.turn, nonce=ticket.nonce,
        passed=drawn.passed, proof=drawn.proof, number=drawn.number, drawn=prizes[drawn.code],
        prize=given.prize, instead=given.instead, units=given.prize.units or Decimal(0),
        cost=given.prize.cost, day=now.astimezone(game.program.zone).date(), drawn_at=now, key=key,
        transfer=given.transfer, redemption=given.redemption,
    )  # fmt: skip
    insert_row(made)
    grant_won_play(made, now)
    return made


def grant_won_play(made: GameDraw, now: dt.datetime) -> None:
    """Where that is what was won."""
    if made.prize.kind == GamePrize.Kind.PLAY:
        GamePlay.objects.create(
            game=made.game, membership=made.membership, source=GamePlay.Source.WON, granted_at=now,
            occasion=f"draw:{made.pk}", expires_at=lasts_until(made.game, now),
        )  # fmt: skip


def _give_or_instead(
    game: Game, prize: GamePrize, member: Membership, play: GamePlay, source: str, now: dt.datetime
) -> Given:
    """The prize, or where it has run out, the one that catches all others."""
    try:
        with transaction.atomic():
            count_prize(game, prize, now)
            return hand_over(game, prize, member, play, source, now)
    except GoneError as gone:
        return Given(catching(game), gone.why)


def _draws() -> QuerySet[GameDraw]:
    return GameDraw.objects.select_related(
        "game__program", "prize", "drawn", "redemption__reward", "membership", "seed", "play"
    )


_known: KeptQuery[GameDraw] = KeptQuery(
    lambda game, key, members: (
        _draws().filter(game=game, key=key, membership__among=members).order_by("pk")
    )
)
_own_draws = KeptRows(
    lambda seed, member: GameDraw.objects.filter(
        guest=None, membership=member, seed=seed
    ).values_list("pk"),
    (-1, -3),
    (-2, -4),
)
