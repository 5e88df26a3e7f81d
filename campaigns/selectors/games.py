"""Which games there are, who may play them, and how likely what is."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from campaigns.models import Game, GameDraw, GamePlay, GamePrize, GamePrizeDay
from loyalty.models import Membership, Program, WalletType
from loyalty.rule_conditions import stored_condition
from loyalty.rules.calendar import end_of_day, period_start
from loyalty.segment_uses import Asking, segments_asked_for
from loyalty.selectors.selves import selves
from loyalty.services.member_conditions import members_meeting
from members.conditions.tree import ConditionError
from members.errors import DomainError, NotFoundError
from members.prepared import KeptQuery
from members.segment_uses import SegmentUse, register_segment_uses

Status = Game.Status


def games() -> QuerySet[Game]:
    return Game.objects.select_related("program", "author", "asked_by").prefetch_related(
        "prizes__reward"
    )


def get_game(public_id: UUID | str) -> Game:
    """Raises NotFoundError."""
    found = games().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError("There is no such game.")
    return found


def playable_games(now: dt.datetime) -> QuerySet[Game]:
    """Those that can be played, whoever may."""
    return _playable(now, Program.Status.LIVE, Status.LIVE)


def playable_game(pk: int, now: dt.datetime) -> Game | None:
    """The one with this key, if it is among them."""
    return _playable_game.first(now, Program.Status.LIVE, Status.LIVE, pk)


def earning_games(now: dt.datetime) -> list[Game]:
    """The same, without their prizes: for what members do, which is asked whenever they do it."""
    return _earning.rows(now, Program.Status.LIVE, Status.LIVE)


def _playable(now: dt.datetime, program: str, state: str) -> QuerySet[Game]:
    return games().filter(_open_still(now), program__status=program, status=state)


def _open_still(now: dt.datetime) -> Q:
    return Q(ends_at=None) | Q(ends_at__gt=now)


_earning: KeptQuery[Game] = KeptQuery(
    lambda now, program, state: Game.objects.select_related("program").filter(
        _open_still(now), program__status=program, status=state
    )
)
_playable_game: KeptQuery[Game] = KeptQuery(
    lambda now, program, state, pk: _playable(now, program, state).filter(pk=pk)
)


def status_at(game: Game, now: dt.datetime) -> str:
    """As its times say, also before it was written down."""
    over = game.ends_at is not None and game.ends_at <= now
    if game.status in (Status.LIVE, Status.PAUSED) and over:
        return Status.ENDED
    return game.status


def unit_of(program: Program) -> WalletType:
    """What is won and what plays cost: the program's first units. Raises DomainError."""
    units = [unit for unit in program.wallet_types.all() if not unit.stored_value]
    if not units:
        raise DomainError(_("The program has no units."), code="no_units")
    return min(units, key=lambda unit: unit.pk)


def is_for(game: Game, member: Membership, now: dt.datetime) -> bool:
    """Whether a member is in its audience."""
    try:
        condition = stored_condition(game.audience)
    except ConditionError:
        return False  # what it names is not there any more, so nobody is meant
    return condition is None or bool(members_meeting(condition, [member], now))


@dataclass(frozen=True, slots=True)
class PlaysLeft:
    """`granted`: earned, bought or won; `free`: of this period; `most`: how many of them can be
    used today, None: all; `ends_at`: when the first of the granted ones lapses."""

    granted: int
    free: int
    most: int | None = None
    ends_at: dt.datetime | None = None

    @property
    def now(self) -> int:
        in_all = self.granted + self.free
        return in_all if self.most is None else min(in_all, self.most)


def usable_plays(
    found: Sequence[Game], names: Sequence[int], now: dt.datetime
) -> QuerySet[GamePlay]:
    """Granted and not used, of a member under these names; what lapses first comes first."""
    rows = GamePlay.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=now), game__in=found, membership__in=names,
        used_at=None, withdrawn_at=None,
    )  # fmt: skip
    return rows.order_by("expires_at", "pk")


def plays_left(game: Game, member: Membership, now: dt.datetime) -> PlaysLeft:
    return plays_left_of([game], member, now)[game.pk]


def plays_left_of(
    found: Sequence[Game], member: Membership, now: dt.datetime
) -> dict[int, PlaysLeft]:
    """By game, of one program; the same number of queries for any number of them, besides what
    their audiences ask."""
    names = selves([member])
    ends: defaultdict[int, list[dt.datetime | None]] = defaultdict(list)
    for game, end in usable_plays(found, names, now).values_list("game", "expires_at"):
        ends[game].append(end)
    free = _free_left(found, member, names, now)
    drawn = _drawn_on_day([game for game in found if game.daily_plays is not None], names, now)
    return {
        game.pk: PlaysLeft(
            len(ends[game.pk]),
            free.get(game.pk, 0),
            None if game.daily_plays is None
            else max(game.daily_plays - drawn.get(game.pk, 0), 0),
            next((at for at in ends[game.pk] if at), None),
        )
        for game in found
    }  # fmt: skip


def free_left(game: Game, member: Membership, names: Sequence[int], now: dt.datetime) -> int:
    """How many free plays of this period are left to a member."""
    return _free_left([game], member, names, now).get(game.pk, 0)


def _free_left(
    found: Sequence[Game], member: Membership, names: Sequence[int], now: dt.datetime
) -> dict[int, int]:
    """Of those that give any to this member."""
    given = {game.pk: game for game in found if game.free_plays and is_for(game, member, now)}
    if not given:
        return {}
    periods = [
        Q(game=game, occasion__startswith=f"{free_period(game, now)}:") for game in given.values()
    ]
    rows = GamePlay.objects.filter(
        reduce(or_, periods), membership__in=names, source=GamePlay.Source.FREE
    )
    used = _counted(rows)
    return {pk: max(game.free_plays - used.get(pk, 0), 0) for pk, game in given.items()}


def free_period(game: Game, now: dt.datetime) -> str:
    """The day or week, as the program's clock has it, that free plays are of."""
    return f"free:{period_start(game.free_each, now, game.program.zone)}"


def played_on_day(game: Game, names: Sequence[int], now: dt.datetime) -> int:
    return _drawn_on_day([game], names, now).get(game.pk, 0)


def _drawn_on_day(found: Sequence[Game], names: Sequence[int], now: dt.datetime) -> dict[int, int]:
    if not found:
        return {}
    day = now.astimezone(found[0].program.zone).date()
    return _counted(GameDraw.objects.filter(game__in=found, membership__in=names, day=day))


def _counted(rows: QuerySet[Any]) -> dict[int, int]:
    return dict(rows.order_by().values_list("game").annotate(Count("pk")))


def shown_to(member: Membership, now: dt.datetime) -> list[tuple[Game, PlaysLeft]]:
    """What a member may play, or could come to play: what can be played at once comes first."""
    if member.status != Membership.Status.ACTIVE:
        return []
    playable = list(playable_games(now).filter(program=member.program_id))
    left = plays_left_of(playable, member, now) if playable else {}
    found = [
        (game, left[game.pk])
        for game in playable
        if left[game.pk].granted or is_for(game, member, now)
    ]
    return sorted(found, key=lambda item: (not item[1].now, item[0].pk))


def draws_of(member: Membership) -> QuerySet[GameDraw]:
    """What a member has drawn, under any name, newest first."""
    found = GameDraw.objects.filter(membership__in=selves([member])).order_by("-drawn_at", "-pk")
    return found.select_related(
        "game__program", "prize", "drawn", "redemption__reward", "membership", "seed", "play"
    )


@dataclass(frozen=True, slots=True)
class Odd:
    """How likely a prize is: its weight of all, in percent. `gone`: why it cannot be won now, one
    of `GameDraw.Instead`, or nothing."""

    prize: GamePrize
    weight: int
    total: int
    gone: str

    @property
    def percent(self) -> Decimal:
        return (Decimal(self.weight) * 100 / self.total).quantize(Decimal("0.01"))

    @property
    def share(self) -> Decimal:
        """The same as a part of one."""
        return self.percent / 100


def odds_of(game: Game, now: dt.datetime) -> list[Odd]:
    """What is published: the weights in force, and what has run out."""
    prizes = list(game.prizes.all())
    total = sum(prize.weight for prize in prizes)
    day = now.astimezone(game.program.zone).date()
    today = GamePrizeDay.objects.filter(prize__in=prizes, day=day)
    of_today = dict(today.values_list("prize", "taken"))
    return [
        Odd(prize, prize.weight, total, gone_of(game, prize, of_today.get(prize.pk, 0)))
        for prize in prizes
    ]


def gone_of(game: Game, prize: GamePrize, today: int) -> str:
    """Why a prize cannot be won any more, or today; nothing: it can."""
    if prize.stock is not None and prize.taken >= prize.stock:
        return GameDraw.Instead.STOCK
    units = prize.units or Decimal(0)
    too_many = game.budget_units is not None and game.won_units + units > game.budget_units
    too_much = game.budget_money is not None and game.won_money + prize.cost > game.budget_money
    if (units and too_many) or (prize.cost and too_much):
        return GameDraw.Instead.BUDGET
    if prize.per_day is not None and today >= prize.per_day:
        return GameDraw.Instead.DAY
    return GameDraw.Instead.NO


def is_empty(game: Game) -> bool:
    """Whether nothing but further plays and nothing can be won any more, today or later."""
    worth = [prize for prize in game.prizes.all() if prize.kind in ("units", "reward")]
    return bool(worth) and all(gone_of(game, prize, 0) for prize in worth)


def lasts_until(game: Game, now: dt.datetime) -> dt.datetime | None:
    """When a play that is granted now lapses, at the end of its last day; None: with the game."""
    if game.play_days is None:
        return None
    zone = game.program.zone
    return end_of_day(now.astimezone(zone).date() + dt.timedelta(days=game.play_days), zone)


def uses_of_segments() -> Iterator[SegmentUse]:
    """Of games that are not over."""
    found = Game.objects.exclude(status=Status.ENDED).exclude(audience={})
    asking = (
        Asking(
            item.pk, item.audience, f"{item.name} ({item.program.name})",
            reverse("games_backoffice:game", args=[item.public_id]),
        )
        for item in found.select_related("program")
    )  # fmt: skip
    return segments_asked_for(_("game"), asking)


def register() -> None:
    """Called once, when the application is ready."""
    register_segment_uses("games", uses_of_segments)
