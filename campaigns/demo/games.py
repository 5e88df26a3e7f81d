"""The demonstration's games: a wheel that has been spun for some days, scratch cards for larger
orders, a box that waits to be published, and a slot machine that is over."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from campaigns.game_definitions import GameDefinition
from campaigns.game_templates import TEMPLATES, said_by
from campaigns.models import Game
from campaigns.selectors.games import unit_of
from campaigns.services.game_draws import play_game
from campaigns.services.game_plays import grant_plays
from campaigns.services.game_seeds import rotate_seed
from campaigns.services.game_turns import GameClosedError
from campaigns.services.games import create_game, end_game, publish_game
from campaigns.services.guest_plays import play_as_guest
from loyalty.demo.parts import register_demo_part
from loyalty.models import Membership, Program, Transfer
from loyalty.rules.calendar import start_of_day
from members.services.audit import SYSTEM

# After the rewards and messages, in the order of names.
PART = "told_games"
DAYS, PLAYERS, GUESTS = 3, 25, 4
WHEEL = {
    "name": "Spin of the day", "title": "Your spin of the day", "budget_units": "40000",
    "guests": True,
    "texts": {"ms": {"title": "Putaran harian anda", "text": "Putar roda sekali sehari."}},
}  # fmt: skip
CARDS = {"name": "Scratch cards in November", "title": "Scratch and win"}
BOX = {"name": "Box for new members", "title": "Your mystery box"}
SLOT = {"name": "Three alike, autumn", "title": "Three alike", "free_plays": 1,
        "free_each": "day", "price": "50"}  # fmt: skip


def register() -> None:
    """Called once, when the application is ready."""
    register_demo_part(PART, show_games)


@transaction.atomic
def show_games(program: Program) -> None:
    """Made once, however often the demonstration is loaded."""
    if Game.objects.filter(program=program).exists():
        return
    now = timezone.now()
    today = now.astimezone(program.zone).date()
    begun = start_of_day(today - dt.timedelta(days=DAYS), program.zone)
    slot = _publish(program, "unit-slot", SLOT, begun - dt.timedelta(days=10))
    _play(slot, begun - dt.timedelta(days=9), 8)
    end_game(game=slot, actor=SYSTEM, now=begun)
    wheel = _publish(program, "daily-wheel", WHEEL, begun)
    for day in range(DAYS):
        # At noon, so that each plays on one day of the program.
        at = begun + dt.timedelta(days=day, hours=12)
        _play(wheel, at, PLAYERS)
        rotate_seed(game=wheel, actor=SYSTEM, now=at + dt.timedelta(hours=9))
    for number in range(GUESTS):
        play_as_guest(game=wheel, browser=f"demo {number}".encode()[:16], nonce="", now=now)
    cards = _publish(program, "order-scratch", CARDS, begun)
    known = _people(program).filter(customer__email=settings.SETIA_DEMO_CUSTOMER).first()
    if known is not None:
        grant_plays(
            game=cards, member=known, source="order", occasion="order:demo", count=2, now=now
        )
    _draft(program, "welcome-box", BOX, now)


def _draft(program: Program, template: str, said: dict[str, Any], at: dt.datetime) -> Game:
    definition = GameDefinition.model_validate(
        said_by(TEMPLATES[template], unit_of(program)) | said
    )
    return create_game(program=program, definition=definition, actor=SYSTEM, now=at, code=template)


def _publish(program: Program, template: str, said: dict[str, Any], at: dt.datetime) -> Game:
    return publish_game(game=_draft(program, template, said, at), actor=SYSTEM, now=at)


def _people(program: Program) -> Any:
    rows = Membership.objects.filter(program=program, status="active", merged_into=None)
    return rows.select_related("program", "customer").order_by("pk")


def _play(game: Game, at: dt.datetime, count: int) -> None:
    """Some people, each once, at some time of the hours after."""
    chance = random.Random(f"{game.code} {at:%d}")
    people = list(_people(game.program)[:200])
    for number, member in enumerate(chance.sample(people, min(count, len(people)))):
        when = at + dt.timedelta(minutes=number * 7)
        try:
            play_game(
                game=game, membership=member, nonce="", key=f"demo:{at:%Y%m%d}",
                source=Transfer.Source.ACCOUNT.value, now=when,
            )  # fmt: skip
        except GameClosedError:
            continue  # who joined later than that
