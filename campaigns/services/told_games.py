"""What members are told of games: that they can play, what they have won, and what ends soon. A job
of the schedule looks for it, so that nobody who plays waits for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import BigIntegerField, CharField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat, Extract
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext

from campaigns.game_words import told_game, told_prize
from campaigns.models import Game, GameDraw, GamePlay, GamePrize, Message
from campaigns.news import News
from campaigns.occasions import Occasion, Variable
from campaigns.selectors.games import playable_games, usable_plays
from campaigns.services.messages import watched, write_messages
from loyalty.lot_words import last_day
from loyalty.models import Membership
from loyalty.selectors.selves import selves
from members.formatting import format_day, format_number
from members.jobs import Work
from members.models import Job
from members.selectors.merges import current
from members.services.job_runs import Step, run_in_chunks

KIND = "told_games"
PIECE = 200
# What happened longer ago is no news; what ends later is told later.
NEW = AHEAD = dt.timedelta(days=1)
Source = GamePlay.Source
EARNED = (Source.ORDER, Source.ACTIVITY, Source.JOINED, Source.TIER_UP)
_GAME = Variable("game", _l("The game's title"), "text", "Spin of the day")
_PLAYS = Variable("plays", _l("How often they can play"), "text", "2 plays")
_UNTIL = Variable("until", _l("Last day"), "day", "Jan 26, 2027", may_be_empty=True)


def _occasion(
    code: str, label: Promise, description: Promise, icon: str, *variables: Variable
) -> Occasion:
    return Occasion(
        code=code, label=label, description=description, icon=icon, topic="offers", priority=36,
        variables=(_GAME, *variables), news_for=NEW,
    )  # fmt: skip


PLAY = _occasion(
    "game_play", _l("Something to play"), _l("Somebody has earned plays of a game."), "dice",
    _PLAYS, _UNTIL,
)  # fmt: skip
WON = _occasion(
    "game_won", _l("Won in a game"), _l("Somebody has won units or a reward in a game."), "trophy",
    Variable("prize", _l("The prize"), "text", "100 points"),
)  # fmt: skip
LAPSING = _occasion(
    "game_play_ends", _l("Plays that lapse soon"),
    _l("Plays that somebody has earned and not used lapse within a day."), "hourglass", _PLAYS,
    _UNTIL,
)  # fmt: skip
ENDING = _occasion(
    "game_ends", _l("Game that ends soon"),
    _l("A game ends within a day, and somebody has plays that they have not used."), "calendar-x",
    _PLAYS, _UNTIL,
)  # fmt: skip
OCCASIONS = (PLAY, WON, LAPSING, ENDING)


def find_news(now: dt.datetime) -> Work | None:
    """Nothing while all of it is off, or nobody is to be told."""
    if not any(_due(occasion, now).exists() for occasion in OCCASIONS if watched(occasion)):
        return None
    return Work(_("News of games"), params={"now": now.isoformat()})


def run_news(job_id: int) -> Job | None:
    """Tell everybody who is due; None when another run has it."""
    return run_in_chunks(job_id, _tell_piece)


def news_words(job: Job) -> str:
    told = job.result.get("told", 0)
    words = ngettext("%s member was told.", "%s members were told.", told)
    return words % format_number(told)


def _tell_piece(job: Job) -> Step | None:
    now = dt.datetime.fromisoformat(job.params["now"])
    for occasion in OCCASIONS:
        written = _tell_some(occasion, now)
        if written:
            told = job.result.get("told", 0) + written
            return Step(checkpoint={}, done=told, result={"told": told})
    return None


@transaction.atomic
def _tell_some(occasion: Occasion, now: dt.datetime) -> int:
    setting = watched(occasion)
    if setting is None:
        return 0
    rows: Sequence[Any] = list(_due(occasion, now).order_by("pk")[:PIECE])
    news = [_news(occasion, row, now) for row in rows]
    return len(write_messages(occasion=occasion, setting=setting, news=news, now=now))


def _due(occasion: Occasion, now: dt.datetime) -> QuerySet[Any]:
    """Those of whom nothing was told yet: draws, or plays."""
    setting = watched(occasion)
    since = max(now - NEW, setting.since or now) if setting else now
    rows, named = _KINDS[occasion.code](now, since)
    told = Message.objects.filter(occasion=occasion.code, occurrence=OuterRef("named"))
    due: QuerySet[Any] = rows.annotate(named=named).filter(
        ~Exists(told), membership__status=Membership.Status.ACTIVE
    )
    return due.select_related(
        "game__program", "membership__customer__merged_into", "membership__program"
    )


Found = tuple[QuerySet[Any], Concat]


def _played(now: dt.datetime, since: dt.datetime) -> Found:
    """`since`: those of then or later are news."""
    kinds = (GamePrize.Kind.UNITS, GamePrize.Kind.REWARD)
    rows = GameDraw.objects.filter(drawn_at__gt=since, drawn_at__lte=now, prize__kind__in=kinds)
    return rows.select_related("prize"), _name("draw", "pk")


def _earned(now: dt.datetime, since: dt.datetime) -> Found:
    """Of several that were earned at once the first says it."""
    rows = _unused(now).filter(granted_at__gt=since, source__in=EARNED, occasion__endswith=":1")
    return rows, _name("play", "pk")


def _lapsing(now: dt.datetime, _since: dt.datetime) -> Found:
    """Who has earned them only just now has read how long they last."""
    rows = _unused(now).filter(expires_at__lte=now + AHEAD, granted_at__lte=now - NEW)
    until = Cast(Extract("expires_at", "epoch"), BigIntegerField())
    return rows, _name("plays", "game_id", "membership_id", until)


def _ending(now: dt.datetime, _since: dt.datetime) -> Found:
    rows = _unused(now).filter(game__ends_at__lte=now + AHEAD, granted_at__lte=now - NEW)
    return rows.exclude(expires_at__lte=now + AHEAD), _name("game", "game_id", "membership_id")


_KINDS: dict[str, Callable[[dt.datetime, dt.datetime], Found]] = {
    WON.code: _played, PLAY.code: _earned, LAPSING.code: _lapsing, ENDING.code: _ending,
}  # fmt: skip


def _unused(now: dt.datetime) -> QuerySet[GamePlay]:
    """Plays of games that can be played now."""
    return GamePlay.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=now), game__in=playable_games(now).values("pk"),
        used_at=None, withdrawn_at=None,
    )  # fmt: skip


def _name(kind: str, *parts: Any) -> Concat:
    found = [Cast(F(part) if isinstance(part, str) else part, CharField()) for part in parts]
    between = [item for part in found for item in (Value(":"), part)]
    return Concat(Value(kind), *between, output_field=CharField())


def _news(occasion: Occasion, row: Any, now: dt.datetime) -> News:
    """Of a draw, or of the plays that are left to its member."""
    member: Membership = row.membership
    game: Game = row.game
    values = _won_values if occasion is WON else _play_values
    return News(
        customer=current(member.customer), membership=member, occurrence=row.named,
        values=lambda: {"game": told_game(game).title, **values(row, now)},
        link=reverse("games_account:game", args=[member.public_id, game.public_id]),
    )  # fmt: skip


def _won_values(draw: GameDraw, _now: dt.datetime) -> dict[str, str]:
    return {"prize": told_prize(draw.prize)}


def _play_values(play: GamePlay, now: dt.datetime) -> dict[str, str]:
    game = play.game
    left = usable_plays([game], selves([play.membership]), now).count()
    ends = [moment for moment in (play.expires_at, game.ends_at) if moment is not None]
    words = ngettext("%s play", "%s plays", left)
    until = format_day(last_day(min(ends), game.program.zone)) if ends else ""
    return {"plays": words % format_number(left), "until": until}
