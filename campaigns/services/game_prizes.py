"""What prizes take of their stock and of a game's budget, and how they are handed over."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, Q
from django.utils.translation import gettext_noop

from campaigns.models import Game, GameDraw, GamePlay, GamePrize, GamePrizeDay
from campaigns.selectors.games import unit_of
from loyalty.ledger.posting import post
from loyalty.models import AdjustmentReason, Membership, Transfer
from loyalty.selectors.memberships import wallet_of_kind
from loyalty.services.adjustments import adjustment_entry, terms_of
from members.prepared import run_prepared
from members.services.audit import SYSTEM
from rewards.errors import RewardRefusedError
from rewards.models import Redemption
from rewards.services.gifts import give_reward

Instead = GameDraw.Instead
Kind = GamePrize.Kind
REASON = gettext_noop("Won in a game")

_STOCK = """
    UPDATE campaigns_gameprize SET taken = taken + 1 WHERE id = %s AND taken < stock RETURNING id
"""
_DAY = """
    INSERT INTO campaigns_gameprizeday AS d (prize_id, day, taken) VALUES (%s, %s::date, 1)
        ON CONFLICT (prize_id, day) DO UPDATE SET taken = d.taken + 1 WHERE d.taken < %s
    RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody gets, and why it is not what was drawn, if so."""

    prize: GamePrize
    instead: str = ""
    transfer: Transfer | None = None
    redemption: Redemption | None = None


class GoneError(Exception):
    """A prize cannot be given any more: `why` is one of `GameDraw.Instead`."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def catching(game: Game) -> GamePrize:
    """What is given where another prize has run out."""
    return next(item for item in game.prizes.all() if item.catches)


def count_prize(game: Game, prize: GamePrize, now: dt.datetime) -> None:
    """One less of what there is, never below nothing however many play at once: each statement
    looks at what the one before it has left. Raises GoneError."""
    if prize.stock is not None and not run_prepared(_STOCK, [prize.pk]):
        raise GoneError(Instead.STOCK)
    if prize.per_day is not None:
        day = now.astimezone(game.program.zone).date()
        if not run_prepared(_DAY, [prize.pk, day, prize.per_day]):
            raise GoneError(Instead.DAY)
    units, cost = prize.units or Decimal(0), prize.cost
    if (game.budget_units is not None and units) or (game.budget_money is not None and cost):
        reaches = (Q(budget_units=None) | Q(budget_units__gte=F("won_units") + units)) & (
            Q(budget_money=None) | Q(budget_money__gte=F("won_money") + cost)
        )
        rows = Game.objects.filter(reaches, pk=game.pk, status=Game.Status.LIVE)
        if not rows.update(won_units=F("won_units") + units, won_money=F("won_money") + cost):
            raise GoneError(Instead.BUDGET)


def hand_over(
    game: Game, prize: GamePrize, member: Membership, play: GamePlay, source: str, now: dt.datetime
) -> Given:
    """Raises GoneError where the reward is not given."""
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
        raise GoneError(Instead.STOCK if sold_out else Instead.REFUSED) from error
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
        explanation={"game": game.title},
    )  # fmt: skip
    [posted] = post([entry], now=now)
    made: Transfer = Transfer.objects.get(pk=posted.transfer_id)
    return made


def put_back(game: Game, prize: GamePrize, day: dt.date) -> None:
    """What `count_prize` took for one that nobody gets, of the day it was drawn on."""
    if prize.stock is not None:
        GamePrize.objects.filter(pk=prize.pk).update(taken=F("taken") - 1)
    if prize.per_day is not None:
        GamePrizeDay.objects.filter(prize=prize, day=day).update(taken=F("taken") - 1)
    units, cost = prize.units or Decimal(0), prize.cost
    if (game.budget_units is not None and units) or (game.budget_money is not None and cost):
        Game.objects.filter(pk=game.pk).update(
            won_units=F("won_units") - units, won_money=F("won_money") - cost
        )
