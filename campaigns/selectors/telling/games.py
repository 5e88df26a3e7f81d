"""What is told outside of games."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from campaigns.models import Game, GameDraw, GamePlay, GamePrize
from loyalty.plain_numbers import exact
from loyalty.selectors.telling.people import PROGRAM, SAMPLE_MEMBER, MemberData, member_values
from members.models import OutboxEvent
from members.public_events import EventData, EventType, PublicEvent, named_rows

STARTED, ENDED = "game.started", "game.ended"
GRANTED, PLAYED, WON = "game.play_granted", "game.played", "game.won"
CLAIMED = "game.claimed"
_ID = "4d0a5a58-5f0e-4b55-8a7e-6f1d2c3b4a59"


class GameData(EventData):
    """A game can be played, or is over. One that is paused and goes on has not begun again."""

    game: str = Field(description="The game's id in the API: GET /games/{id}.")
    code: str = Field(description="The game's code.")
    program: str = Field(description="The program's code.")
    name: str
    kind: Game.Kind
    ends_at: dt.datetime | None = Field(description="Null: it has no end yet.")
    ended_at: dt.datetime | None = Field(description="Null: it has not ended.")
    ending: str = Field(description="Why it has ended: over, early or empty; or empty.")


class PlayData(MemberData):
    """A member may play once more."""

    game: str = Field(description="The game's id in the API.")
    play: str = Field(description="The play's id.")
    source: GamePlay.Source = Field(description="What it is for.")
    expires_at: dt.datetime | None = Field(description="Null: it lasts as long as the game.")


class DrawData(MemberData):
    """A member has played."""

    game: str = Field(description="The game's id in the API.")
    draw: str = Field(
        description="The draw's id: GET /storefront/game-draws/{id} shows how it came about."
    )
    prize: str = Field(description="The code of the prize that was given.")
    name: str = Field(description="What the prize is called.")
    kind: GamePrize.Kind
    units: str = Field(description="Units that were won.")
    redemption: str | None = Field(description="Of a reward: the id of what was given.")
    drawn: str = Field(description="The code of the prize that was drawn.")
    instead: str = Field(
        description="Why that was not given: stock, day, budget or refused; empty: it was."
    )


_GAME = GameData(
    game=_ID, code="daily-wheel", program=PROGRAM, name="Daily wheel", kind=Game.Kind.WHEEL,
    ends_at=dt.datetime(2026, 3, 31, 22, tzinfo=dt.UTC), ended_at=None, ending="",
)  # fmt: skip
GAME_TYPES = [
    EventType(STARTED, _("A game can be played."), GameData, _GAME),
    EventType(
        ENDED, _("A game is over."), GameData,
        _GAME.model_copy(update={"ended_at": _GAME.ends_at, "ending": "over"}),
    ),
]  # fmt: skip
PLAY_TYPES = [
    EventType(
        GRANTED, _("A member may play a game once more."), PlayData,
        PlayData(
            **SAMPLE_MEMBER, game=_ID, play="c2f3a1d0-9b1c-4f7e-a6d5-0b1c2d3e4f5a",
            source=GamePlay.Source.ORDER, expires_at=dt.datetime(2026, 3, 31, 22, tzinfo=dt.UTC),
        ),
    ),
]  # fmt: skip
_DRAW = DrawData(
    **SAMPLE_MEMBER, game=_ID, draw="f0e1d2c3-b4a5-4697-8879-6a5b4c3d2e1f", prize="hundred",
    name="100 points", kind=GamePrize.Kind.UNITS, units="100", redemption=None, drawn="hundred",
    instead="",
)  # fmt: skip
DRAW_TYPES = [
    EventType(PLAYED, _("A member has played a game."), DrawData, _DRAW),
    EventType(WON, _("A member has won units or a reward in a game."), DrawData, _DRAW),
    EventType(
        CLAIMED, _("A member has claimed what they had drawn as a guest."), DrawData, _DRAW,
    ),
]  # fmt: skip


def tell_games(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, lambda row: _names(row.was, row.became))
    found = Game.objects.select_related("program").in_bulk([item.row.id for item in named])
    for item in named:
        if (game := found.get(item.row.id)) is not None:
            yield item.told(game.program.code, _game_data(game))


def tell_plays(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    """A free play is there by itself: it is written down as it is used, and not told."""
    named = named_rows(events, lambda row: [GRANTED] if row.is_new else [])
    rows = GamePlay.objects.select_related("game", "membership__program", "membership__customer")
    found = rows.exclude(source=GamePlay.Source.FREE).in_bulk([item.row.id for item in named])
    for item in named:
        if (play := found.get(item.row.id)) is not None:
            data = PlayData(
                **member_values(play.membership), game=str(play.game.public_id),
                play=str(play.public_id), source=GamePlay.Source(play.source),
                expires_at=play.expires_at,
            )  # fmt: skip
            yield item.told(play.membership.program.code, data)


def tell_draws(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, lambda row: [PLAYED, WON, CLAIMED] if row.is_new else [])
    rows = GameDraw.objects.select_related(
        "game", "membership__program", "membership__customer", "prize", "drawn", "redemption"
    )
    found = rows.in_bulk([item.row.id for item in named])
    for item in named:
        draw = found[item.row.id]
        won = draw.prize.kind in (GamePrize.Kind.UNITS, GamePrize.Kind.REWARD)
        claimed = draw.guest_id is not None
        if {PLAYED: True, WON: won, CLAIMED: claimed}[item.name]:
            yield item.told(draw.membership.program.code, _draw_data(draw))


def _names(was: str | None, became: str) -> list[str]:
    if became == Game.Status.LIVE and was in (Game.Status.DRAFT, Game.Status.SCHEDULED):
        return [STARTED]
    return [ENDED] if became == Game.Status.ENDED else []


def _game_data(game: Game) -> GameData:
    return GameData(
        game=str(game.public_id), code=game.code, program=game.program.code, name=game.name,
        kind=Game.Kind(game.kind), ends_at=game.ends_at, ended_at=game.ended_at, ending=game.ending,
    )  # fmt: skip


def _draw_data(draw: GameDraw) -> DrawData:
    return DrawData(
        **member_values(draw.membership), game=str(draw.game.public_id), draw=str(draw.public_id),
        prize=draw.prize.code, name=draw.prize.name, kind=GamePrize.Kind(draw.prize.kind),
        units=exact(Decimal(draw.units), 0),
        redemption=str(draw.redemption.public_id) if draw.redemption else None,
        drawn=draw.drawn.code, instead=draw.instead,
    )  # fmt: skip
