"""A game in plain words: what members read of it, of its prizes, and of how they are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from campaigns.game_definitions import Earning
from campaigns.models import AnyDraw, Game, GamePrize
from loyalty.models import ActivityType
from members.formatting import format_money, format_number
from members.languages import said_in

ICONS: Mapping[str, str] = {
    "wheel": "wheel", "slot": "layout-columns", "scratch": "ticket", "box": "box",
}  # fmt: skip
# What members are told to do.
VERBS: Mapping[str, Promise] = {
    "wheel": gettext_lazy("Spin the wheel"),
    "slot": gettext_lazy("Pull the lever"),
    "scratch": gettext_lazy("Scratch the card"),
    "box": gettext_lazy("Open the box"),
}
# Why something else was given than what was drawn.
INSTEAD: Mapping[str, Promise] = {
    "stock": gettext_lazy("All of these are won."),
    "day": gettext_lazy("All of these that there are in a day are won."),
    "budget": gettext_lazy("The budget of the game does not reach for it any more."),
    "refused": gettext_lazy("It could not be given."),
}
PRIZE_ICONS: Mapping[str, str] = {
    "units": "coins", "reward": "gift", "play": "repeat", "nothing": "mood-smile",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ToldGame:
    title: str
    text: str


def told_game(game: Game, locale: str = "") -> ToldGame:
    """In the language of `locale`, or of the page where that is empty; what is not said in it is as
    in the first one."""
    said = said_in(game.texts, locale) or {}
    return ToldGame(said.get("title") or game.title, said.get("text") or game.text)


def told_prize(prize: GamePrize, locale: str = "") -> str:
    return said_in(prize.texts, locale) or prize.name


def outcome_words(draw: AnyDraw, locale: str = "") -> str:
    """What a member is told of what came of it."""
    prize = draw.prize
    if prize.kind == GamePrize.Kind.NOTHING:
        return told_prize(prize, locale)
    if prize.kind == GamePrize.Kind.PLAY:
        return _("You may play once more.")
    return _("You have won: %s") % told_prize(prize, locale)


def instead_words(draw: AnyDraw, locale: str = "") -> str:
    """Why it is not what was drawn; empty: it is."""
    if not draw.instead:
        return ""
    return _("Drawn was “%(drawn)s”. %(why)s") % {
        "drawn": told_prize(draw.drawn, locale), "why": INSTEAD[draw.instead],
    }  # fmt: skip


def earning_words(earning: Earning, currency: str) -> str:
    """How plays are earned, for members; an activity by its name."""
    count = format_number(earning.plays)
    match earning.on:
        case "order" if earning.least is not None:
            words = ngettext(
                "%(count)s play for each order from %(least)s on",
                "%(count)s plays for each order from %(least)s on", earning.plays,
            )  # fmt: skip
            return words % {"count": count, "least": format_money(earning.least, currency)}
        case "order":
            words = ngettext("%s play for each order", "%s plays for each order", earning.plays)
        case "activity":
            words = ngettext("%(count)s play for this: %(activity)s",
                             "%(count)s plays for this: %(activity)s", earning.plays)  # fmt: skip
            named = ActivityType.objects.filter(code=earning.activity).first()
            return words % {"count": count, "activity": named.name if named else earning.activity}
        case "joined":
            words = ngettext("%s play for joining", "%s plays for joining", earning.plays)
        case _:
            words = ngettext(
                "%s play for reaching a tier", "%s plays for reaching a tier", earning.plays
            )
    return words % count


def plays_words(game: Game) -> list[str]:
    """How members come to plays."""
    found = [earning_words(Earning.model_validate(item), game.program.currency)
             for item in game.earning]  # fmt: skip
    return found + free_words(game.free_plays, game.free_each)


def free_words(free: int, each: str) -> list[str]:
    """So many that cost nothing, in each period."""
    if each == Game.Period.DAY:
        words = ngettext("%s free play every day", "%s free plays every day", free)
    elif each == Game.Period.WEEK:
        words = ngettext("%s free play every week", "%s free plays every week", free)
    else:
        return []
    return [words % format_number(free)]
