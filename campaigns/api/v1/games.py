"""/games: which there are, how likely what is, what they bring; and draws, for all to check."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from campaigns.game_words import told_game, told_prize
from campaigns.models import Game, GamePrize
from campaigns.selectors.game_proofs import (
    Proof,
    commitment_in_use,
    get_draw,
    proof_of,
    revealed_seeds,
)
from campaigns.selectors.game_results import cost_of_a_play, result_of
from campaigns.selectors.games import games, get_game, odds_of, status_at
from loyalty.plain_numbers import exact
from members.api.bodies import Answer, answer, read_query
from members.api.member_views import PUBLIC, PublicView
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.errors import NotFoundError


class GameQuery(PageQuery):
    program: Annotated[str, Field(max_length=64)] = ""


class GameOut(Answer):
    id: UUID
    program: str
    code: str
    name: str
    kind: Game.Kind
    status: Game.Status = Field(description="As of now, by its times.")
    title: str = Field(description="What members read.")
    text: str
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    ended_at: dt.datetime | None
    cost_of_a_play: str = Field(description="What a play costs as its weights say, in money.")


class GamePage(Page):
    results: list[GameOut]


class PrizeResultOut(Answer):
    prize: str = Field(description="Its code.")
    won: int
    drawn: int = Field(description="How often it came out, whether or not it was given.")
    cost: str


class GameResultOut(Answer):
    granted: int = Field(description="Plays that members came to.")
    plays: int
    players: int
    units: str
    cost: str = Field(description="Of all that was won, in money.")
    paid: str = Field(description="What plays that were bought are worth.")
    currency: str
    prizes: list[PrizeResultOut]


class OddOut(Answer):
    prize: str = Field(description="Its code.")
    name: str
    kind: GamePrize.Kind
    weight: int
    percent: str
    gone: str = Field(
        description="Why it is not given now: stock, day or budget; empty: it is."
    )  # fmt: skip
    catches: bool = Field(description="This is given instead of one that has run out.")


class SeedOut(Answer):
    number: int
    commitment: str = Field(description="The SHA-256 of the seed, public since it was begun.")
    seed: str = Field(description="In hexadecimal digits.")


class GameOddsOut(Answer):
    game: UUID
    title: str
    total: int = Field(description="The sum of all weights.")
    odds: list[OddOut]
    odds_text: str = Field(description="The weights as they are hashed.")
    odds_hash: str = Field(description="Their SHA-256, which each draw names.")
    commitment: str = Field(description="Of the seed in use; empty: nothing is drawn.")
    revealed: list[SeedOut] = Field(description="The newest seeds that are no secret any more.")


class DrawCheckOut(Answer):
    code: str
    kept: str
    found: str
    holds: bool


class GameDrawOut(Answer):
    """How a draw came about, so that anybody can work it out again."""

    id: UUID
    game: UUID
    drawn_at: dt.datetime
    seed_number: int
    commitment: str
    seed: str = Field(description="Empty: it is in use, and is revealed within a day.")
    message: str = Field(description="What the HMAC is of: weights, member, turn, passed, number.")
    proof: str = Field(description="The HMAC-SHA-256, in hexadecimal digits.")
    number: int
    total: int
    drawn: str
    prize: str
    instead: str
    checks: list[DrawCheckOut]
    holds: bool


class Games(ApiView):
    scopes = {"GET": "campaigns:read"}

    @extend_schema(
        operation_id="listGames",
        parameters=query_parameters(GameQuery),
        responses={200: GamePage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List games, newest first."""
        query = read_query(request, GameQuery)
        rows = games()
        if query.program:
            rows = rows.filter(program__code=query.program)
        page = paginate(request, rows, query, ordering=["-pk"], row=_out)
        return answer(GamePage(**page))


class OneGame(ApiView):
    scopes = {"GET": "campaigns:read"}

    @extend_schema(operation_id="getGame", responses={200: GameOut})
    def get(self, request: Request, game_id: UUID) -> HttpResponse:
        """Read a game."""
        return answer(_out(get_game(game_id)))


class GameResults(ApiView):
    scopes = {"GET": "campaigns:read"}

    @extend_schema(operation_id="getGameResults", responses={200: GameResultOut})
    def get(self, request: Request, game_id: UUID) -> HttpResponse:
        """Read how often a game was played, what was won and what that costs."""
        found = get_game(game_id)
        result = result_of(found)
        return answer(
            GameResultOut(
                granted=result.granted, plays=result.plays, players=result.players,
                units=exact(result.units, 0), cost=exact(result.cost, 2),
                paid=exact(result.paid, 2), currency=found.program.currency,
                prizes=[
                    PrizeResultOut(prize=item.prize.code, won=item.won, drawn=item.drawn,
                                   cost=exact(item.cost, 2))
                    for item in result.prizes
                ],
            )
        )  # fmt: skip


class GameOdds(PublicView):
    scopes = {"GET": PUBLIC}

    @extend_schema(operation_id="getGameOdds", responses={200: GameOddsOut})
    def get(self, request: Request, game_id: UUID) -> HttpResponse:
        """Read how likely each prize of a game is, and what its draws were committed to."""
        return answer(odds_out(published_game(game_id), timezone.now()))


class OneGameDraw(PublicView):
    scopes = {"GET": PUBLIC}

    @extend_schema(operation_id="getGameDraw", responses={200: GameDrawOut})
    def get(self, request: Request, draw_id: UUID) -> HttpResponse:
        """Read how a past draw came about, worked out again."""
        return answer(draw_out(proof_of(get_draw(draw_id))))


def published_game(game_id: UUID) -> Game:
    """One that the public may know of. Raises NotFoundError."""
    found = get_game(game_id)
    if not found.odds:
        raise NotFoundError("There is no such game.")
    return found


def odds_out(game: Game, now: dt.datetime) -> GameOddsOut:
    found = odds_of(game, now)
    return GameOddsOut(
        game=game.public_id, title=told_game(game).title, total=sum(odd.weight for odd in found),
        odds=[
            OddOut(
                prize=odd.prize.code, name=told_prize(odd.prize), weight=odd.weight,
                kind=GamePrize.Kind(odd.prize.kind), percent=str(odd.percent), gone=odd.gone,
                catches=odd.prize.catches,
            )
            for odd in found
        ],
        odds_text=game.odds, odds_hash=game.odds_hash, commitment=commitment_in_use(game.pk),
        revealed=[
            SeedOut(number=number, commitment=commitment, seed=seed)
            for number, commitment, seed in revealed_seeds(game.pk)
        ],
    )  # fmt: skip


def draw_out(proof: Proof) -> GameDrawOut:
    draw = proof.draw
    return GameDrawOut(
        id=draw.public_id, game=draw.game.public_id, drawn_at=draw.drawn_at,
        seed_number=draw.seed.number, commitment=draw.seed.commitment, seed=proof.seed,
        message=proof.message, proof=draw.proof, number=draw.number, total=proof.total,
        drawn=draw.drawn.code, prize=draw.prize.code, instead=draw.instead, holds=proof.holds,
        checks=[
            DrawCheckOut(code=check.code, kept=check.kept, found=check.found, holds=check.holds)
            for check in proof.checks
        ],
    )  # fmt: skip


def _out(game: Game) -> GameOut:
    names = ("code", "name", "title", "text", "starts_at", "ends_at", "ended_at")
    return GameOut(
        id=game.public_id, program=game.program.code, kind=Game.Kind(game.kind),
        status=Game.Status(status_at(game, timezone.now())),
        cost_of_a_play=exact(cost_of_a_play(game), 4),
        **{name: getattr(game, name) for name in names},
    )  # fmt: skip
