"""Games: begun from a template, written, published, paused and ended by people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.fair_draws import Place, hash_of, written_odds
from campaigns.game_definitions import PLAIN, GameDefinition, PrizeDefinition, definition_of_game
from campaigns.models import Game, GamePrize
from campaigns.selectors.games import games, unit_of
from campaigns.services.game_seeds import begin_seed, hold_seed, reveal_seed
from loyalty.four_eyes import why_not_alone
from loyalty.models import Program, WalletType
from loyalty.rule_conditions import stored_condition
from members.conditions.tree import ConditionError
from members.errors import ConflictError, DomainError, FieldError
from members.free_codes import code_stem, first_free
from members.prepared import KeptQuery, run_prepared
from members.services.audit import Actor, record_audit
from rewards.models import Reward

Status = Game.Status
_HOLD_PROGRAM = "SELECT 1 FROM loyalty_program WHERE id = %s FOR NO KEY UPDATE"
_BY_KEY: KeptQuery[Game] = KeptQuery(lambda pk: games().filter(pk=pk))
_HELD: KeptQuery[Game] = KeptQuery(
    lambda pk: games().filter(pk=pk), ending=' FOR NO KEY UPDATE OF "campaigns_game"'
)


@transaction.atomic
def create_game(
    *, program: Program, definition: GameDefinition, actor: Actor, now: dt.datetime, code: str = ""
) -> Game:
    """A draft. Its code is as wished, or one like it that is free."""
    run_prepared(_HOLD_PROGRAM, [program.pk])
    stem = code_stem(code or definition.name, otherwise="game", longest=40)
    taken = set(Game.objects.filter(program=program).values_list("code", flat=True))
    game = Game.objects.create(
        program=program, code=first_free(stem, taken), author=actor.user, created_at=now,
        **columns_of(definition),
    )  # fmt: skip
    _write_prizes(game, definition.prizes)
    _audit("game.created", game, actor)
    return _BY_KEY.one(game.pk)


@transaction.atomic
def change_game(*, game: Game, definition: GameDefinition, actor: Actor, now: dt.datetime) -> Game:
    """Bring a draft to what is said; whoever was asked to publish it has to be asked again."""
    row = locked(game)
    _require(row, Status.DRAFT)
    if definition_of_game(row) == definition:
        return row
    for name, value in columns_of(definition).items():
        setattr(row, name, value)
    row.author, row.asked_by, row.asked_at, row.sent_back = actor.user, None, None, ""
    row.save()
    _write_prizes(row, definition.prizes)
    _audit("game.changed", row, actor)
    return _BY_KEY.one(row.pk)


@transaction.atomic
def copy_game(*, game: Game, actor: Actor, now: dt.datetime) -> Game:
    """A draft that says the same, without its times."""
    fresh = definition_of_game(game).model_copy(update={"starts_at": None, "ends_at": None})
    return create_game(program=game.program, definition=fresh, actor=actor, now=now, code=game.code)


@transaction.atomic
def delete_game(*, game: Game, actor: Actor) -> None:
    """Throw a draft away."""
    row = locked(game)
    _require(row, Status.DRAFT)
    record_audit(actor=actor, action="game.deleted", target=row, before={"name": row.name})
    row.prizes.all().delete()
    row.seeds.all().delete()
    row.delete()


def findings_of(game: Game, now: dt.datetime) -> list[str]:
    """What keeps a draft from being published. Raises nothing."""
    try:
        check_whole(game, now)
    except DomainError as error:
        return [str(item.message) for item in error.errors] or [str(error.message)]
    return []


def check_whole(game: Game, now: dt.datetime) -> None:
    """Raises DomainError naming all that is missing."""
    prizes, errors = list(game.prizes.all()), []
    unit = unit_of(game.program)
    if len(prizes) < 2:
        errors.append(FieldError("prizes", _("There have to be two prizes or more."), "required"))
    if not any(prize.catches for prize in prizes):
        message = _("Say which one is drawn when another one has run out.")
        errors.append(FieldError("prizes", message, "required"))
    for number, prize in enumerate(prizes):
        if prize.reward is not None and prize.reward.status != Reward.Status.LIVE:
            message = _("“%s” cannot be won: the reward is not live.") % prize.name
            errors.append(FieldError(f"prizes[{number}].reward", message))
    errors += _too_fine(game, prizes, unit)
    if not (game.price or game.free_plays or game.earning):
        message = _("Nobody can come to a play: say what earns one, or sell them.")
        errors.append(FieldError("earning", message, "required"))
    if game.ends_at is not None and game.ends_at <= now:
        errors.append(FieldError("ends_at", _("That has passed already.")))
    try:
        stored_condition(game.audience)
    except ConditionError as wrong:
        errors += [FieldError("audience", str(item.message)) for item in wrong.errors]
    if errors:
        raise DomainError(_("Something is missing, or not right."), errors=errors)


def _too_fine(game: Game, prizes: Sequence[GamePrize], unit: WalletType) -> list[FieldError]:
    """Parts of units that there are not: less would be given, or taken, than is said."""
    said = [("price", game.price)]
    said += [(f"prizes[{number}].units", prize.units) for number, prize in enumerate(prizes)]
    words = {"units": unit.plural, "decimals": unit.scale}
    message = _("Give %(units)s with at most %(decimals)s decimals.") % words
    return [
        FieldError(place, message, "too_fine")
        for place, units in said
        if units is not None and units.scaleb(unit.scale) % 1
    ]


@transaction.atomic
def publish_game(*, game: Game, actor: Actor, now: dt.datetime) -> Game:
    """From its beginning on it can be played. Its weights are written down, and their hash and the
    hash of the first seed are public. Where a second person publishes the rules of the program, not
    the one who wrote it."""
    row = locked(game)
    _require(row, Status.DRAFT)
    if row.program.four_eyes and (why := may_not_publish(row, actor)):
        raise ConflictError(why, code="second_person", status=403)
    check_whole(row, now)
    row.odds = written_odds(Place(prize.code, prize.weight) for prize in row.prizes.all())
    row.odds_hash = hash_of(row.odds)
    row.asked_by, row.asked_at, row.sent_back, row.with_program = None, None, "", False
    if row.starts_at is None or row.starts_at <= now:
        row.starts_at = now
        row.status, row.live_at = Status.LIVE, now
    else:
        row.status = Status.SCHEDULED
    row.save()
    _audit("game.published", row, actor, odds=row.odds_hash)
    begin_seed(row, actor, now)
    return _BY_KEY.one(row.pk)


@transaction.atomic
def hold_for_program(*, game: Game, wanted: bool, actor: Actor, now: dt.datetime) -> Game:
    """A draft that is published when its program is taken live, or not by itself after all. Until
    then it can be changed. Raises DomainError naming what would keep it from being published."""
    row = locked(game)
    _require(row, Status.DRAFT)
    if wanted:
        check_whole(row, now)
    if row.with_program != wanted:
        row.with_program = wanted
        row.save(update_fields=["with_program"])
        _audit("game.held" if wanted else "game.not_held", row, actor)
    return row


def may_not_publish(game: Game, actor: Actor) -> str:
    """Why this person must not, where a second person does; nothing if they may."""
    return why_not_alone(actor, game.author_id, game.asked_by_id)


@transaction.atomic
def ask_to_publish(*, game: Game, actor: Actor, now: dt.datetime) -> Game:
    """Write down that somebody else shall publish it. What would be refused is refused now."""
    row = locked(game)
    _require(row, Status.DRAFT)
    if actor.user is None:
        raise ConflictError(_("Only a person can ask."), code="not_staff", status=403)
    check_whole(row, now)
    row.asked_by, row.asked_at, row.sent_back = actor.user, now, ""
    row.save()
    _audit("game.asked", row, actor)
    return row


@transaction.atomic
def send_back(*, game: Game, actor: Actor, note: str) -> Game:
    """Not like that: it stays a draft, with the reason."""
    row = locked(game)
    if row.asked_at is None:
        raise ConflictError(_("Nobody waits for it any more."), code="already_decided")
    if not note.strip():
        message = _("Say why, so that whoever asked knows what to do.")
        raise DomainError(message, errors=[FieldError("note", message, "required")])
    row.asked_by, row.asked_at, row.sent_back = None, None, note.strip()[:500]
    row.save()
    _audit("game.sent_back", row, actor)
    return row


@transaction.atomic
def begin_game(*, game: Game, now: dt.datetime) -> Game:
    """Its time has come. Before that, or again, nothing changes."""
    row = locked(game)
    if row.status == Status.SCHEDULED and row.starts_at is not None and row.starts_at <= now:
        row.status, row.live_at = Status.LIVE, row.starts_at
        row.save()
    return row


@transaction.atomic
def withdraw_game(*, game: Game, actor: Actor, now: dt.datetime) -> Game:
    """What was planned does not come: it is a draft again. The secret that nothing was drawn with
    is revealed; published anew it has another one."""
    hold_seed(game)
    row = locked(game)
    if row.status == Status.DRAFT:
        return row
    _require(row, Status.SCHEDULED)
    if row.starts_at is not None and row.starts_at <= now:
        raise ConflictError(_("It has begun already. End it instead."), code="game_state")
    reveal_seed(row, actor, now)
    row.status, row.odds, row.odds_hash = Status.DRAFT, "", ""
    row.save()
    _audit("game.withdrawn", row, actor)
    return row


@transaction.atomic
def pause_game(*, game: Game, actor: Actor) -> Game:
    """Nobody plays meanwhile; plays that lapse in the meantime do. Again changes nothing."""
    row = locked(game)
    if row.status == Status.PAUSED:
        return row
    _require(row, Status.LIVE)
    row.status = Status.PAUSED
    row.save()
    _audit("game.paused", row, actor)
    return row


@transaction.atomic
def resume_game(*, game: Game, actor: Actor, now: dt.datetime) -> Game:
    row = locked(game)
    if row.status == Status.LIVE:
        return row
    _require(row, Status.PAUSED)
    if row.ends_at is not None and row.ends_at <= now:
        raise ConflictError(_("Its time is over."), code="game_state")
    row.status = Status.LIVE
    row.save()
    _audit("game.resumed", row, actor)
    return row


@transaction.atomic
def end_game(
    *, game: Game, actor: Actor, now: dt.datetime, why: Game.Ending = Game.Ending.EARLY
) -> Game:
    """For good: its last seed is revealed. What plays cost that nobody used is given back by the
    job of games. Again changes nothing."""
    hold_seed(game)
    row = locked(game)
    if row.status == Status.ENDED:
        return row
    if row.status not in (Status.LIVE, Status.PAUSED):
        raise ConflictError(_("It has not begun."), code="game_state")
    over = row.ends_at is not None and row.ends_at < now
    row.status, row.ending = Status.ENDED, why
    row.ended_at = row.ends_at if over else now
    row.save()
    reveal_seed(row, actor, now)
    _audit("game.ended", row, actor)
    return row


def locked(game: Game) -> Game:
    return _HELD.one(game.pk)


def columns_of(definition: GameDefinition) -> dict[str, Any]:
    """The fields of a game that says this."""
    said = {name: getattr(definition, name) for name in PLAIN}
    earning = [item.model_dump(mode="json", exclude_none=True) for item in definition.earning]
    texts = {code: text.model_dump() for code, text in definition.texts.items()}
    return said | {"earning": earning, "texts": texts}


def _write_prizes(game: Game, wanted: Sequence[PrizeDefinition]) -> None:
    """All of them anew: nobody has won one yet."""
    codes = [item.reward for item in wanted if item.reward]
    rewards = {row.code: row for row in Reward.objects.filter(program=game.program, code__in=codes)}
    errors = []
    for number, item in enumerate(wanted):
        if item.reward and item.reward not in rewards:
            errors.append(FieldError(f"prizes[{number}].reward", _("There is no such reward.")))
        elif item.reward and rewards[item.reward].is_donation:
            message = _("A donation is what a member gives. It cannot be won.")
            errors.append(FieldError(f"prizes[{number}].reward", message))
    if errors:
        raise DomainError(_("Something is missing, or not right."), errors=errors)
    unit = unit_of(game.program) if any(item.units is not None for item in wanted) else None
    game.prizes.all().delete()
    GamePrize.objects.bulk_create(
        GamePrize(
            game=game, position=number, reward=rewards.get(item.reward or ""),
            cost=_cost(item, rewards.get(item.reward or ""), unit),
            **item.model_dump(exclude={"reward", "cost"}),
        )
        for number, item in enumerate(wanted)
    )  # fmt: skip


def _cost(item: PrizeDefinition, reward: Reward | None, unit: WalletType | None) -> Decimal:
    """What one costs: of units, what they are worth; of a reward, what is said, or what its price
    is worth."""
    if item.units is not None and unit is not None:
        return Decimal(item.units * unit.unit_value)
    if reward is None:
        return Decimal(0)
    if item.cost is not None:
        return item.cost
    return Decimal(reward.price * reward.wallet_type.unit_value)


def _require(row: Game, status: str) -> None:
    if row.status != status:
        raise ConflictError(_("That is not possible now."), code="game_state")


def _audit(action: str, game: Game, actor: Actor, **more: Any) -> None:
    record_audit(actor=actor, action=action, target=game, after={"name": game.name, **more})
