"""How members' cards, units and last days are written on the screens of loyalty."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from members import formatting

register = template.Library()

GROUP = 4


@register.filter
def card(number: str) -> str:
    """`{{ membership.card_number|card }}`: in groups of four, as it is printed and read out."""
    return " ".join(number[start : start + GROUP] for start in range(0, len(number), GROUP))


@register.filter
def last_day(lapse: dt.datetime, zone: str) -> SafeString:
    """`{{ lapse.at|last_day:program.time_zone }}`: the last day on which units can still be used.

    Lapsing is exclusive: units that are gone at midnight were usable the whole day before.
    """
    local = (lapse - dt.timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date()
    return format_html(
        '<time datetime="{}">{}</time>', local.isoformat(), formatting.format_day(local)
    )


@register.simple_tag
def unit_name(amount: int, wallet_type: formatting.UnitNames) -> str:
    """`{% unit_name balance wallet_type %}`: the unit's name alone, for a number set large."""
    return formatting.unit_name(amount, wallet_type)


@register.filter
def values_kind(name: str) -> str:
    """`{{ "include_skus"|values_kind }}` → skus."""
    return name.partition("_")[2]


@register.filter
def at(labels: dict[str, tuple[str, str]], kind: str) -> tuple[str, str]:
    """`{{ labels|at:kind|first }}`: what one of several things is called."""
    return labels[kind]
