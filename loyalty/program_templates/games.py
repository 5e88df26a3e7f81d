"""Points, and a game in which members win more of them, or the reward itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from loyalty.definitions import ProgramDefinition
from loyalty.descriptions import Unit
from loyalty.program_templates import parts
from loyalty.program_templates.answers import Answers
from loyalty.program_templates.kinds import ProgramTemplate
from loyalty.program_templates.points import EARNING, LASTING, NAMES, REWARD
from loyalty.rule_words import units_in_words
from loyalty.unit_definitions import WalletTypeDefinition

GAME = ("game_kind", "game_plays", "game_least", "game_price", "prizes", "prize_reward")
# A chance has two decimals of a percent, and weights are whole.
HUNDREDTHS = 100
# How long a play lasts that an order brought, in days.
PLAY_DAYS = 30
TITLES = {
    "wheel": _("Spin and win"), "scratch": _("Scratch and win"), "slot": _("Three alike"),
    "box": _("Your mystery box"),
}  # fmt: skip


def game(answers: Answers, unit: WalletTypeDefinition) -> list[dict[str, Any]]:
    """The game with its prizes and odds. `ProgramGame` of the campaigns reads it; it begins with
    the program."""
    title = str(TITLES[answers.game_kind])
    body = {
        "name": title, "kind": answers.game_kind, "title": title, **_plays(answers),
        "prizes": list(_prizes(answers, unit)),
    }  # fmt: skip
    return [{"code": answers.game_kind, "state": "live", "body": body}]


def _plays(answers: Answers) -> Mapping[str, Any]:
    match answers.game_plays:
        case "order":
            each = {"least": answers.game_least} if answers.game_least else {}
            return {"earning": [{"on": "order", **each}], "play_days": PLAY_DAYS}
        case "bought":
            return {"price": answers.game_price, "daily_plays": 5}
        case _:
            return {"free_plays": 1, "free_each": answers.game_plays}


def _prizes(answers: Answers, unit: WalletTypeDefinition) -> Iterator[Mapping[str, Any]]:
    left = 100 * HUNDREDTHS
    for number, prize in enumerate(answers.prizes, 1):
        weight = int(prize.percent * HUNDREDTHS)
        left -= weight
        yield {
            "code": f"prize-{number}", "kind": "units", "units": prize.units, "weight": weight,
            "name": units_in_words(prize.units, Unit(unit)),
        }  # fmt: skip
    first = parts.first_reward(answers, unit.code)
    if answers.prize_reward and first:
        weight = int(answers.prize_reward * HUNDREDTHS)
        left -= weight
        yield {"code": "reward", "kind": "reward", "reward": parts.FIRST, "weight": weight,
               "name": first[0]["name"]}  # fmt: skip
    yield {"code": "next-time", "kind": "nothing", "name": gettext("Better luck next time"),
           "weight": left, "catches": True}  # fmt: skip


def _make(answers: Answers) -> ProgramDefinition:
    unit = parts.unit(answers, "points")
    return parts.program(
        answers,
        gettext("Members collect for what they buy, and play for more."),
        wallet_types=(unit,),
        earning_rules=(parts.rate(answers, "points"), *parts.bonuses(answers, "points")),
        rewards=parts.first_reward(answers, "points"),
        games=game(answers, unit),
    )


TEMPLATES = (
    ProgramTemplate(
        code="games",
        name=_("Points and a game"),
        summary=_("Points for what is spent, and a wheel, card or box with prizes to play for."),
        suits=_("Shops with something new to see each day, and customers who like a surprise."),
        icon="wheel",
        family="games",
        asks=(*GAME, *NAMES, *EARNING, *REWARD, *LASTING),
        starter=("earn_units", "prizes"),
        make=_make,
        defaults={
            "reward_units": 100, "reward_worth": 5, "prize_reward": 1,
            "prizes": ({"units": 50, "percent": 2}, {"units": 10, "percent": 12},
                       {"units": 2, "percent": 30}),
        },
    ),
)  # fmt: skip
