"""Playing: a play is used, a number drawn, and what it falls on given, in one transaction."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from campaigns.fair_draws import Drawn, Ticket, draw, read_odds
from campaigns.models import Game, GameDraw, GamePlay, GamePrize, GameSeed
from campaigns.selectors.games import (
    free_left,
    free_period,
    lasts_until,
    played_on_day,
    unit_of,
    usable_plays,
)
from campaigns.services.game_seeds import secret_of
from campaigns.services.game_turns import GameClosedError, hold_member, playable
from loyalty.ledger.posting import post
from loyalty.models import AdjustmentReason, Membership, Transfer
from loyalty.selectors.memberships import wallet_of_kind
from loyalty.selectors.selves import selves
from loyalty.services.adjustments import adjustment_entry, terms_of
from members.errors import DomainError, FieldError
from members.prepared import run_prepared
from members.services.audit import SYSTEM
from members.services.transactions import run_atomically
from rewards.errors import RewardRefusedError
from rewards.models import Redemption
from rewards.services.gifts import give_reward

Instead = GameDraw.Instead
Kind = GamePrize.Kind
REASON = gettext_noop("Won in a game")
LONGEST_NONCE = 18

# Nothing is drawn with a seed that is just being revealed: whoever reveals it waits, or has been.
_SEED = """
    SELECT id FROM campaigns_gameseed WHERE game_id = %s AND ended_at IS NULL FOR SHARE
"""
_STOCK = """
    UPDATE campaigns_gameprize SET taken = taken + 1 WHERE id = %s AND taken < stock RETURNING id
"""
_DAY = """
    INSERT INTO campaigns_gameprizeday AS d (prize_id, day, taken) VALUES (%s, %s::date, 1)
        ON CONFLICT (prize_id, day) DO UPDATE SET taken = d.taken + 1 WHERE d.taken < %s
    RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Played:
    """`again`: it had been drawn before, by the same key."""

    draw: GameDraw
    again: bool


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody gets, and why it is not what was drawn, if so."""

    prize: GamePrize
    instead: str = ""
    transfer: Transfer | None = None
    redemption: Redemption | None = None


class _Gone(Exception):
    def __init__(self, why: str) -> None:
        self.why = why


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
        known = _draws().filter(game=game, membership__in=names, key=key).first()
        if known is not None:
            return Played(known, again=True)
        found = playable(game, now)
        if member.status != Membership.Status.ACTIVE:
            raise GameClosedError(_("This game is not for this member."), code="not_for_member")
        if found.daily_plays is not None and played_on_day(found, names, now) >= found.daily_plays:
            raise GameClosedError(_("You have played enough for today."), code="enough_today")
        used = _use_play(found, member, names, now)
        made = _draw(found, member, used, nonce, key, source, now)
        return Played(made, again=False)

    return run_atomically(play)


def checked_nonce(nonce: str) -> str:
    """Raises DomainError. Digits alone: nobody leaves words in what everybody can look up."""
    if nonce and not (nonce.isascii() and nonce.isdigit() and len(nonce) <= LONGEST_NONCE):
        message = _("At most %s digits.") % LONGEST_NONCE
        raise DomainError(message, errors=[FieldError("nonce", message)])
    return nonce


def _use_play(game: Game, member: Membership, names: list[int], now: dt.datetime) -> GamePlay:
    """The member is held."""
    left = free_left(game, member, names, now)
    if left:
        number = game.free_plays - left + 1
        return GamePlay.objects.create(
            game=game, membership=member, source=GamePlay.Source.FREE,
            occasion=f"{free_period(game, now)}:{number}", granted_at=now, used_at=now,
        )  # fmt: skip
    # What is just withdrawn, for its order is gone, is waited for, and then passed over.
    play = usable_plays(game, names, now).select_for_update(of=("self",)).first()
    if play is None:
        raise GameClosedError(_("You have no play left."), code="no_play_left")
    play.used_at = now
    play.save(update_fields=["used_at"])
    return play


def _draw(
    game: Game, member: Membership, play: GamePlay, nonce: str, key: str, source: str,
    now: dt.datetime,
) -> GameDraw:  # fmt: skip
    seed = _seed_in_use(game)
    turn = GameDraw.objects.filter(seed=seed, membership=member).count() + 1
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
    made = GameDraw.objects.create(
        game=game, play=play, membership=member, seed=seed, turn=ticket.turn, nonce=ticket.nonce,
        passed=drawn.passed, proof=drawn.proof, number=drawn.number, drawn=prizes[drawn.code],
        prize=given.prize, instead=given.instead, units=given.prize.units or Decimal(0),
        cost=given.prize.cost, day=now.astimezone(game.program.zone).date(), drawn_at=now, key=key,
        transfer=given.transfer, redemption=given.redemption,
    )  # fmt: skip
    if given.prize.kind == Kind.PLAY:
        GamePlay.objects.create(
            game=game, membership=member, source=GamePlay.Source.WON, granted_at=now,
            occasion=f"draw:{made.pk}", expires_at=lasts_until(game, now),
        )  # fmt: skip
    return made


def _seed_in_use(game: Game) -> GameSeed:
    """Held, so that it is not revealed before the draw is written."""
    for _attempt in range(3):
        rows = run_prepared(_SEED, [game.pk])
        if rows:
            return GameSeed.objects.get(pk=rows[0][0])
    raise GameClosedError(_("This game cannot be played now."))


def _give_or_instead(
    game: Game, prize: GamePrize, member: Membership, play: GamePlay, source: str, now: dt.datetime
) -> Given:
    """The prize, or where it has run out, the one that catches all others."""
    try:
        with transaction.atomic():
            _count(game, prize, now)
            return replace(_hand_over(game, prize, member, play, source, now), prize=prize)
    except _Gone as gone:
        catching = next(item for item in game.prizes.all() if item.catches)
        return Given(catching, gone.why)


def _count(game: Game, prize: GamePrize, now: dt.datetime) -> None:
    """One less of what there is, never below nothing however many play at once: each statement
    looks at what the one before it has left. Raises _Gone."""
    if prize.stock is not None and not run_prepared(_STOCK, [prize.pk]):
        raise _Gone(Instead.STOCK)
    if prize.per_day is not None:
        day = now.astimezone(game.program.zone).date()
        if not run_prepared(_DAY, [prize.pk, day, prize.per_day]):
            raise _Gone(Instead.DAY)
    units, cost = prize.units or Decimal(0), prize.cost
    if (game.budget_units is not None and units) or (game.budget_money is not None and cost):
        reaches = (Q(budget_units=None) | Q(budget_units__gte=F("won_units") + units)) & (
            Q(budget_money=None) | Q(budget_money__gte=F("won_money") + cost)
        )
        rows = Game.objects.filter(reaches, pk=game.pk, status=Game.Status.LIVE)
        if not rows.update(won_units=F("won_units") + units, won_money=F("won_money") + cost):
            raise _Gone(Instead.BUDGET)


def _hand_over(
    game: Game, prize: GamePrize, member: Membership, play: GamePlay, source: str, now: dt.datetime
) -> Given:
    """Raises _Gone where the reward is not given."""
    if prize.kind == Kind.UNITS:
        return Given(prize, transfer=_give_units(game, prize, member, play, source, now))
    if prize.reward is None:
        return Given(prize)
    try:
        given, _replayed = give_reward(
            membership=member, reward=prize.reward, gift=Redemption.Gift.GAME.value,
            message=game.title, key=f"game:{play.public_id}", source=source, actor=SYSTEM, now=now,
        )  # fmt: skip
    except RewardRefusedError as error:
        sold_out = error.code == "sold_out"
        raise _Gone(Instead.STOCK if sold_out else Instead.REFUSED) from error
    return Given(prize, redemption=given)


def _give_units(
    game: Game, prize: GamePrize, member: Membership, play: GamePlay, source: str, now: dt.datetime
) -> Transfer:
    unit = unit_of(game.program)
    assert prize.units is not None
    entry = adjustment_entry(
        wallet=wallet_of_kind(member.account_id, unit.pk),
        units=int(prize.units * Decimal(10) ** unit.scale), terms=terms_of(unit, now),
        reason=AdjustmentReason(code="game", label=REASON, told_to_members=True),
        note=game.title, actor=SYSTEM, key=f"game:{play.public_id}", source=source, now=now,
    )  # fmt: skip
    [posted] = post([entry], now=now)
    made: Transfer = Transfer.objects.get(pk=posted.transfer_id)
    return made


def _draws() -> QuerySet[GameDraw]:
    return GameDraw.objects.select_related(
        "game__program", "prize", "drawn", "redemption__reward", "membership", "seed", "play"
    )
