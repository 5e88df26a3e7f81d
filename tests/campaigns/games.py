"""Games for tests. All go through the services."""

from __future__ import annotations

import datetime as dt
from typing import Any

from campaigns.game_definitions import GameDefinition
from campaigns.models import Game, GameDraw
from campaigns.services.game_draws import play_game
from campaigns.services.games import create_game, publish_game
from loyalty.models import Membership, Program, Transfer
from members.services.audit import SYSTEM
from rewards.definitions import RewardDefinition
from rewards.models import Reward
from rewards.services.rewards import create_reward
from tests.loyalty.factories import NOW, make_wallet

PRIZES: list[dict[str, Any]] = [
    {"code": "big", "kind": "units", "name": "100 points", "weight": 10, "units": 100},
    {"code": "small", "kind": "units", "name": "10 points", "weight": 30, "units": 10},
    {"code": "again", "kind": "play", "name": "Once more", "weight": 20},
    {"code": "none", "kind": "nothing", "name": "Next time", "weight": 40, "catches": True},
]
# What nobody misses, and what catches it.
SURE: list[dict[str, Any]] = [
    {"code": "prize", "kind": "units", "name": "10 points", "weight": 999_999, "units": 10},
    {"code": "none", "kind": "nothing", "name": "Next time", "weight": 1, "catches": True},
]


def sure(**said: Any) -> list[dict[str, Any]]:
    """Prizes of which the first is certain here (`tests.chance.certain`)."""
    return [SURE[0] | said, SURE[1]]


def draft_game(program: Program, **said: Any) -> Game:
    values: dict[str, Any] = {
        "name": "Spring wheel", "kind": "wheel", "title": "Spin for points", "free_plays": 20,
        "free_each": "day", "prizes": PRIZES,
    }  # fmt: skip
    definition = GameDefinition.model_validate(values | said)
    return create_game(program=program, definition=definition, actor=SYSTEM, now=NOW)


def live_game(program: Program, *, at: dt.datetime = NOW, **said: Any) -> Game:
    return publish_game(game=draft_game(program, **said), actor=SYSTEM, now=at)


def play(
    game: Game, member: Membership, key: str = "1", *, at: dt.datetime = NOW, nonce: str = ""
) -> GameDraw:
    return play_game(
        game=game, membership=member, nonce=nonce, key=key,
        source=Transfer.Source.ACCOUNT.value, now=at,
    ).draw  # fmt: skip


def member(number: str = "c1", program: Program | None = None) -> Membership:
    if not Membership.objects.filter(customer__external_id=number).exists():
        make_wallet(program or Program.objects.get(), number)
    return Membership.objects.select_related("program", "customer").get(
        customer__external_id=number
    )


def fresh(game: Game) -> Game:
    return Game.objects.select_related("program").get(pk=game.pk)


def reward(program: Program, **said: Any) -> Reward:
    values = {"code": "coffee", "kind": "free_product", "name": "A coffee", "skus": ["C"],
              "price": 200, "status": "live", "wallet_type": "points"} | said  # fmt: skip
    return create_reward(
        program=program, definition=RewardDefinition.model_validate(values), actor=SYSTEM
    )
