"""/me/memberships/{id}/games: what a member may play, playing it, and what they have drawn."""

from __future__ import annotations

import datetime as dt
import hashlib
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from campaigns.api.v1.games import OddOut
from campaigns.game_words import instead_words, outcome_words, plays_words, told_game, told_prize
from campaigns.models import Game, GameDraw, GamePrize
from campaigns.selectors.game_proofs import commitment_in_use
from campaigns.selectors.games import (
    PlaysLeft,
    draws_of,
    odds_of,
    playable_games,
    plays_left,
    shown_to,
)
from campaigns.services.game_draws import LONGEST_NONCE, play_game
from campaigns.services.game_plays import buy_play
from loyalty.api.v1.own_memberships import own_membership
from loyalty.models import Membership, Transfer
from loyalty.plain_numbers import exact
from members.api.bodies import Answer, Body, answer, read_body, read_query
from members.api.idempotency import idempotent, require_key
from members.api.member_views import MEMBER, MemberView
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.errors import NotFoundError
from members.languages import locale_of


class OwnPlaysOut(Answer):
    now: int = Field(description="How often the member can play now.")
    granted: int = Field(description="Plays that were earned, bought or won.")
    free: int = Field(description="Free plays of this day or week.")
    ends_at: dt.datetime | None = Field(description="When the first of the granted ones lapses.")


class OwnGameOut(Answer):
    """In the member's language."""

    id: UUID
    kind: Game.Kind
    title: str
    text: str
    plays: OwnPlaysOut
    price: str | None = Field(description="What a play costs in units. Null: it is not sold.")
    earning: list[str] = Field(description="How plays come about, in words.")
    odds: list[OddOut]
    commitment: str = Field(description="The SHA-256 of the seed that is drawn with now.")
    ends_at: dt.datetime | None


class OwnGameList(Answer):
    results: list[OwnGameOut]


class PlayIn(Body):
    nonce: Annotated[str, Field(max_length=LONGEST_NONCE, pattern=r"^[0-9]*$")] = Field(
        "", description="Digits that the member thought of, which the draw follows from as well.",
        examples=["20260307"],
    )  # fmt: skip


class OwnDrawOut(Answer):
    id: UUID = Field(description="GET /storefront/game-draws/{id} shows how it came about.")
    game: UUID
    drawn_at: dt.datetime
    prize: str = Field(description="The code of the prize that was given.")
    name: str
    kind: GamePrize.Kind
    units: str
    redemption: UUID | None = Field(description="Of a reward: what was given.")
    words: str = Field(description="What came of it, in words.")
    instead: str = Field(description="Why it is not what was drawn, in words; or empty.")


class OwnDrawPage(Page):
    results: list[OwnDrawOut]


class OwnPlayOut(Answer):
    draw: OwnDrawOut
    plays: OwnPlaysOut


class OwnGames(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="listOwnGames", responses={200: OwnGameList})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List the games that are on for the member, those that can be played at once first."""
        member, now = own_membership(self, membership_id), timezone.now()
        with self.in_own_language():
            found = [_out(game, left, member, now) for game, left in shown_to(member, now)]
        return answer(OwnGameList(results=found))


class OwnGamePlaying(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(operation_id="playOwnGame", request=PlayIn, responses={200: OwnPlayOut})
    @idempotent(required=True)
    def post(self, request: Request, membership_id: UUID, game_id: UUID) -> HttpResponse:
        """Play once. The same Idempotency-Key is the same draw, however often it is sent."""
        member, now = own_membership(self, membership_id), timezone.now()
        body = read_body(request, PlayIn)
        game = _named(member, game_id, now)
        played = play_game(
            game=game, membership=member, nonce=body.nonce, key=_key(request),
            source=Transfer.Source.API.value, now=now,
        )  # fmt: skip
        left = plays_left(game, member, now)
        with self.in_own_language():
            draw = _draw_out(played.draw, member)
        return answer(OwnPlayOut(draw=draw, plays=_plays(left)))


class OwnGamePurchases(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(operation_id="buyOwnGamePlay", request=None, responses={201: OwnPlaysOut})
    @idempotent(required=True)
    def post(self, request: Request, membership_id: UUID, game_id: UUID) -> HttpResponse:
        """Buy a play for units. What nobody used is given back when the game is over."""
        member, now = own_membership(self, membership_id), timezone.now()
        game = _named(member, game_id, now)
        buy_play(
            game=game, membership=member, key=_key(request), source=Transfer.Source.API.value,
            actor=self.actor, now=now,
        )  # fmt: skip
        return answer(_plays(plays_left(game, member, now)), HTTPStatus.CREATED)


class OwnGameDraws(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(
        operation_id="listOwnGameDraws",
        parameters=query_parameters(PageQuery),
        responses={200: OwnDrawPage},
    )
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List what the member has drawn in all games, newest first."""
        member = own_membership(self, membership_id)
        query = read_query(request, PageQuery)
        with self.in_own_language():
            page = paginate(
                request, draws_of(member), query, ordering=["-pk"],
                row=lambda draw: _draw_out(draw, member),
            )  # fmt: skip
        return answer(OwnDrawPage(**page))


def _named(member: Membership, game_id: UUID, now: dt.datetime) -> Game:
    found = playable_games(now).filter(public_id=game_id, program=member.program_id).first()
    if found is None:
        raise NotFoundError("There is no such game, or it is not played now.")
    return found


def _key(request: Request) -> str:
    return f"api:{hashlib.sha256(require_key(request).encode()).hexdigest()[:48]}"


def _plays(left: PlaysLeft) -> OwnPlaysOut:
    return OwnPlaysOut(now=left.now, granted=left.granted, free=left.free, ends_at=left.ends_at)


def _out(game: Game, left: PlaysLeft, member: Membership, now: dt.datetime) -> OwnGameOut:
    locale = locale_of(member.customer)
    told = told_game(game, locale)
    return OwnGameOut(
        id=game.public_id, kind=Game.Kind(game.kind), title=told.title, text=told.text,
        plays=_plays(left), price=None if game.price is None else exact(game.price, 0),
        earning=plays_words(game), commitment=commitment_in_use(game.pk), ends_at=game.ends_at,
        odds=[
            OddOut(
                prize=odd.prize.code, name=told_prize(odd.prize, locale), weight=odd.weight,
                kind=GamePrize.Kind(odd.prize.kind), percent=str(odd.percent), gone=odd.gone,
                catches=odd.prize.catches,
            )
            for odd in odds_of(game, now)
        ],
    )  # fmt: skip


def _draw_out(draw: GameDraw, member: Membership) -> OwnDrawOut:
    locale = locale_of(member.customer)
    return OwnDrawOut(
        id=draw.public_id, game=draw.game.public_id, drawn_at=draw.drawn_at, prize=draw.prize.code,
        name=told_prize(draw.prize, locale), kind=GamePrize.Kind(draw.prize.kind),
        units=exact(draw.units, 0),
        redemption=draw.redemption.public_id if draw.redemption else None,
        words=outcome_words(draw, locale), instead=instead_words(draw, locale),
    )  # fmt: skip
