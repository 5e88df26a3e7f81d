"""Games to begin from: how they look, how plays come about, what can be won. Pure definitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from loyalty.rule_words import units_in_words
from members.formatting import UnitNames


@dataclass(frozen=True, slots=True)
class GameTemplate:
    """`said`: what a definition says besides its texts; `prizes`: code, kind, name, weight, units,
    of which these are the name."""

    code: str
    label: Promise
    description: Promise
    kind: str
    title: Promise
    text: Promise
    said: Mapping[str, Any]
    prizes: tuple[tuple[str, str, Promise | None, int, int | None], ...]


_AGAIN = ("again", "play", _("One more play"))
_NEXT = ("next-time", "nothing", _("Better luck next time"))
TEMPLATES: Mapping[str, GameTemplate] = {
    item.code: item
    for item in (
        GameTemplate(
            code="daily-wheel",
            label=_("A wheel for every day"),
            description=_("One free spin a day brings people back to their page."),
            kind="wheel",
            title=_("Your spin of the day"),
            text=_("Spin the wheel once a day. Sometimes it brings a lot."),
            said={"free_plays": 1, "free_each": "day", "daily_plays": 3},
            prizes=(
                ("five-hundred", "units", None, 1, 500),
                ("fifty", "units", None, 12, 50),
                ("ten", "units", None, 37, 10),
                (*_AGAIN, 10, None),
                (*_NEXT, 40, None),
            ),
        ),
        GameTemplate(
            code="order-scratch",
            label=_("A scratch card with each larger order"),
            description=_("Every order from an amount on brings a card."),
            kind="scratch",
            title=_("Scratch and win"),
            text=_("Every larger order brings a card."),
            said={"earning": [{"on": "order", "least": "50", "plays": 1}], "play_days": 30},
            prizes=(
                ("thousand", "units", None, 1, 1000),
                ("hundred", "units", None, 19, 100),
                ("twenty", "units", None, 50, 20),
                (*_NEXT, 30, None),
            ),
        ),
        GameTemplate(
            code="unit-slot",
            label=_("A slot machine for units"),
            description=_("Members pay for each pull with what they have earned."),
            kind="slot",
            title=_("Three alike"),
            text=_("Pull the lever. Three alike bring more than you have paid."),
            said={"price": "50", "daily_plays": 5},
            prizes=(
                ("jackpot", "units", None, 10, 1000),
                ("double", "units", None, 150, 100),
                ("back", "units", None, 240, 50),
                (*_AGAIN, 100, None),
                (*_NEXT, 500, None),
            ),
        ),
        GameTemplate(
            code="welcome-box",
            label=_("A mystery box for joining and for each tier"),
            description=_("A surprise when somebody joins, and with every step up."),
            kind="box",
            title=_("Your mystery box"),
            text=_("Open it and see what is in it."),
            said={"earning": [{"on": "joined", "plays": 1}, {"on": "tier_up", "plays": 2}],
                  "play_days": 60},
            prizes=(
                ("two-hundred", "units", None, 10, 200),
                ("fifty", "units", None, 60, 50),
                (*_AGAIN, 10, None),
                (*_NEXT, 20, None),
            ),
        ),
    )
}  # fmt: skip


def said_by(template: GameTemplate, unit: UnitNames) -> dict[str, Any]:
    """What a definition of a game that begins from it says, in a program with this unit."""
    prizes = [
        {"code": code, "kind": kind, "weight": weight, "units": units,
         "name": units_in_words(Decimal(units), unit) if units is not None else str(name),
         "catches": kind == "nothing"}
        for code, kind, name, weight, units in template.prizes
    ]  # fmt: skip
    words = {name: str(getattr(template, name)) for name in ("title", "text")}
    return {"name": str(template.label), "kind": template.kind, "prizes": prizes, **words,
            **template.said}  # fmt: skip
