"""The types that fields have: how their values are written in a condition, read and shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from babel.dates import get_day_names
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.formatting import active_locale, format_day, format_number

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST_TEXT = 200
LONGEST_LIST = 1000
MOST_DAYS = 36500


@dataclass(frozen=True, slots=True)
class ValueType:
    """`parse` reads what a condition says (raises ValueError with the fix), `dump` writes it
    back."""

    code: str
    parse: Callable[[Any], Any]
    dump: Callable[[Any], Any]
    words: Callable[[Any], str]
    example: Promise | str


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise ValueError(_("Write a text."))
    # A NUL fits no column.
    text = raw.replace("\x00", "").strip()
    if not text:
        raise ValueError(_("Write something, or ask whether it is empty."))
    if len(text) > LONGEST_TEXT:
        raise ValueError(_("At most %(most)s characters.") % {"most": LONGEST_TEXT})
    return text


def _number(raw: Any) -> Decimal:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str | Decimal):
        raise ValueError(_("Write a number such as 50 or 12.50."))
    try:
        number = Decimal(str(raw).strip())
    except InvalidOperation:
        raise ValueError(_("Write a number such as 50 or 12.50.")) from None
    if not number.is_finite() or abs(number) >= Decimal(10) ** 14:
        raise ValueError(_("Write a number below 100 000 000 000 000."))
    if number != round(number, 4):
        raise ValueError(_("Give at most 4 decimals."))
    return number


def plain(number: Decimal) -> str:
    """Plain notation without trailing zeros."""
    return f"{number.normalize():f}" if number else "0"


def _day(raw: Any) -> dt.date:
    if isinstance(raw, dt.date) and not isinstance(raw, dt.datetime):
        return raw
    try:
        day = dt.date.fromisoformat(raw)
    except (TypeError, ValueError):
        raise ValueError(_("Write a day as 2026-12-31.")) from None
    if not 1900 <= day.year <= 2200:
        raise ValueError(_("Give a day between the years 1900 and 2200."))
    return day


def _clock(raw: Any) -> dt.time:
    try:
        clock = dt.time.fromisoformat(raw)
    except (TypeError, ValueError):
        raise ValueError(_("Write a time of day as 18:30.")) from None
    if clock.tzinfo or clock.second or clock.microsecond:
        raise ValueError(_("Write a time of day as 18:30."))
    return clock


def _weekday(raw: Any) -> int:
    """Monday is 0."""
    if raw not in WEEKDAYS:
        raise ValueError(_("Write one of %(days)s.") % {"days": ", ".join(WEEKDAYS)})
    return WEEKDAYS.index(raw)


def _weekday_name(day: int) -> str:
    return str(get_day_names("wide", "stand-alone", active_locale())[day])


def days(raw: Any) -> int:
    """A number of days, for relative dates."""
    number = _number(raw)
    if number % 1 or not 0 <= number <= MOST_DAYS:
        raise ValueError(_("Write a number of days from 0 to %(most)s.") % {"most": MOST_DAYS})
    return int(number)


def _same(value: Any) -> Any:
    return value


TEXT = ValueType("text", _text, _same, str, "GR")
NUMBER = ValueType("number", _number, plain, format_number, "3")
MONEY = ValueType("money", _number, plain, lambda value: format_number(value, digits=2), "50.00")
SHARE = ValueType("share", _number, plain, lambda value: format_number(value) + "%", "25")
# A step of a ladder; what is held knows which steps it includes.
TIER = ValueType("tier", _text, _same, str, "gold")
LIST = ValueType("list", _text, _same, str, gettext_lazy("vip"))
DAY = ValueType("day", _day, dt.date.isoformat, format_day, "2026-12-31")
INSTANT = ValueType("instant", _day, dt.date.isoformat, format_day, "2026-12-31")
ANNIVERSARY = ValueType("anniversary", _day, dt.date.isoformat, format_day, "2026-12-31")
WEEKDAY = ValueType("weekday", _weekday, WEEKDAYS.__getitem__, _weekday_name, "saturday")
CLOCK = ValueType("clock", _clock, lambda value: f"{value:%H:%M}", lambda value: f"{value:%H:%M}",
                  "18:30")  # fmt: skip
YES_NO = ValueType("yes_no", _same, _same, str, "")
