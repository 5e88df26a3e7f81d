"""Experiences, events and the library of a program that is not there yet, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.descriptions import Unit
from loyalty.program_parts import PartWords
from loyalty.rule_words import units_in_words
from members.formatting import format_moments, format_number
from rewards.definitions import RewardDefinition

if TYPE_CHECKING:
    from loyalty.definitions import ProgramDefinition

# What a reward of these kinds is, and its picture; of others units and money say enough.
ICONS = {"experience": "sparkles", "event_seat": "calendar-event", "content": "books"}


def reward_parts(program: ProgramDefinition) -> Sequence[PartWords]:
    return [
        PartWords(item.name, ICONS[item.kind], list(_reward(item, program)))
        for item in program.rewards
        if isinstance(item, RewardDefinition) and item.kind in ICONS and item.status == "live"
    ]


def _reward(item: RewardDefinition, program: ProgramDefinition) -> Iterator[str]:
    words = {"name": item.name, "price": _price(item, program)}
    if item.event is None:
        said = _("%(name)s, in the library: %(price)s.") if item.content else _(
            "%(name)s: %(price)s.")  # fmt: skip
        yield said % words
        return
    zone = ZoneInfo(program.time_zone)
    words["when"] = format_moments(item.event.starts_at, item.event.ends_at, zone)
    words["place"] = item.event.place or item.event.link
    yield _("%(name)s, %(when)s, %(place)s: %(price)s.") % words
    if item.stock is not None:
        seats = ngettext(
            "There is %s seat; who comes later waits in line.",
            "There are %s seats; who comes later waits in line.",
            item.stock,
        )
        yield seats % format_number(item.stock)


def _price(item: RewardDefinition, program: ProgramDefinition) -> str:
    units = {unit.code: Unit(unit) for unit in program.wallet_types}
    return units_in_words(item.price, units[item.wallet_type]) if item.price else _("free")
