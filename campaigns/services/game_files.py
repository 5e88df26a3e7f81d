"""Games in a program's definition: read from it, and brought to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.utils.translation import gettext as _

from campaigns.game_definitions import definition_of_game
from campaigns.models import Game
from campaigns.program_definitions import ProgramGame
from campaigns.selectors.games import games
from campaigns.services.games import (
    change_game,
    create_game,
    hold_for_program,
    publish_game,
)
from loyalty.models import Program
from loyalty.services.applied import Applied
from members.errors import ConflictError, DomainError, FieldError
from members.prepared import KeptQuery, KeptRows
from members.services.audit import Actor

Status = Game.Status


def games_of(program: Program) -> list[ProgramGame]:
    return [_item(row) for row in _games.rows(program.pk, Status.ENDED)]


_games: KeptQuery[Game] = KeptQuery(
    lambda program, ended: games().filter(program=program).exclude(status=ended).order_by("pk")
)


def apply_games(
    applied: Applied, wanted: Sequence[ProgramGame], actor: Actor, now: dt.datetime
) -> None:
    """Games that the definition names are made or changed, and published if it says so: those of a
    program that is a draft together with it. One that was published stays as it is. Raises
    DomainError naming the place."""
    rows = games().filter(program=applied.program) if wanted else ()
    known = {row.code: row for row in rows}
    for index, item in enumerate(wanted):
        try:
            _apply(applied, known.get(item.code), item, actor, now)
        except DomainError as error:
            error.place_fields(f"games[{index}]")
            raise


_WAITING = KeptRows(
    lambda program, draft: Game.objects.filter(
        program=program, status=draft, with_program=True
    ).values_list("pk"),
    (1, 2), ("a", "b"),
)  # fmt: skip


def begin_with_program(program: Program, actor: Actor, now: dt.datetime) -> None:
    """The program was just taken live: so are the games that waited for it."""
    waiting = [pk for (pk,) in _WAITING.rows(program.pk, Status.DRAFT)]
    for game in games().filter(pk__in=waiting):
        try:
            publish_game(game=game, actor=actor, now=now)
        except DomainError as error:
            why = " ".join(str(item.message) for item in error.errors) or error.message
            words = {"game": game.name, "why": why}
            raise DomainError(_("The game “%(game)s” cannot begin. %(why)s") % words) from error


def _item(game: Game) -> ProgramGame:
    body = definition_of_game(game).model_dump(mode="json")
    state = "draft" if game.status == Status.DRAFT and not game.with_program else "live"
    return ProgramGame(code=game.code, state=state, body=body)


def _apply(
    applied: Applied, found: Game | None, wanted: ProgramGame, actor: Actor, now: dt.datetime
) -> None:
    if found is not None and (found.status == Status.ENDED or _item(found) == wanted):
        return
    definition = wanted.definition
    if found is None:
        if wanted.state != "draft" and definition.ends_at is not None and definition.ends_at <= now:
            return
        found = create_game(
            program=applied.program, definition=definition, actor=actor, now=now, code=wanted.code
        )
        applied.changes.append(_("New game: %s") % found.name)
    elif _began_here(found, wanted):
        return
    elif found.status != Status.DRAFT:
        message = _("It was published, and stays as it is. Give another one another code.")
        raise ConflictError(message, errors=[FieldError("body", message)])
    elif definition_of_game(found) != definition:
        found = change_game(game=found, definition=definition, actor=actor, now=now)
        applied.changes.append(_("Game changed: %s") % found.name)
    if applied.program.status == Program.Status.DRAFT:
        hold_for_program(game=found, wanted=wanted.state == "live", actor=actor, now=now)
    elif wanted.state == "live":
        publish_game(game=found, actor=actor, now=now)


def _began_here(found: Game, wanted: ProgramGame) -> bool:
    """Whether it is as is said, but for its beginning: what was published after it, or without one,
    began then. One that is still to come begins as it says itself."""
    said, definition = definition_of_game(found), wanted.definition
    if found.status in (Status.DRAFT, Status.SCHEDULED) or wanted.state == "draft":
        return False
    if said.starts_at is None:
        return False
    if definition.starts_at is not None and definition.starts_at >= said.starts_at:
        return False
    return said == definition.model_copy(update={"starts_at": said.starts_at})
