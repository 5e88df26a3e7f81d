"""How numbers, units, money and times are written, in the reader's language.

Pure functions over Babel; templates reach them through the `formats` tag library.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Literal, Protocol

from babel import Locale, UnknownLocaleError
from babel.dates import (
    format_date,
    format_datetime,
    format_interval,
    format_skeleton,
    format_time,
    format_timedelta,
    get_datetime_format,
    get_day_names,
)
from babel.numbers import (
    format_compact_decimal,
    format_currency,
    format_decimal,
    get_currency_precision,
    get_decimal_quantum,
)
from babel.numbers import format_percent as babel_percent
from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language, pgettext, to_locale
from django.utils.translation import gettext as _

Form = Literal["full", "medium", "short"]
MINUS = "\N{MINUS SIGN}"
# Languages that write one sentence right after the other.
_WITHOUT_SPACES = frozenset({"zh", "ja"})
_HALF_OF_DAY = re.compile(r"\s*a")
_GAP = re.compile(r"(?<=[\u3040-\u9fff]) (?=[\u3040-\u9fff])")


class UnitNames(Protocol):
    """What a wallet type says of its unit; amounts are integers at 10**scale."""

    @property
    def singular(self) -> str: ...
    @property
    def plural(self) -> str: ...
    @property
    def scale(self) -> int: ...
    # Whose rule chooses among the names, "" for the reader's; and names beyond those two, by form.
    @property
    def plural_language(self) -> str: ...
    @property
    def plural_forms(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class NamesOfUnit:
    """A unit's names by themselves, apart from its wallet type."""

    singular: str
    plural: str
    scale: int
    plural_language: str = ""
    further: tuple[tuple[str, str], ...] = ()

    @property
    def plural_forms(self) -> dict[str, str]:
        return dict(self.further)

    @classmethod
    def of(cls, unit: UnitNames) -> NamesOfUnit:
        further = tuple(sorted(unit.plural_forms.items()))
        return cls(unit.singular, unit.plural, unit.scale, unit.plural_language, further)


@lru_cache(maxsize=64)
def _parse_locale(name: str) -> Locale:
    try:
        return Locale.parse(name)
    except (UnknownLocaleError, ValueError):
        return Locale.parse(name.split("_", maxsplit=1)[0])


def active_locale() -> Locale:
    """Return the Babel locale of the language that is active in this thread."""
    return _parse_locale(to_locale(get_language() or settings.LANGUAGE_CODE))


def _signed(text: str, amount: Decimal | int, sign: bool) -> str:
    """Put a real minus sign, and a plus where movements are shown, before an unsigned text."""
    if amount < 0:
        return MINUS + text
    return f"+{text}" if sign and amount > 0 else text


def format_list(items: Iterable[object]) -> str:
    """ "Tea, Coffee, Cake" """
    return pgettext("between the items of a list", ", ").join(map(str, items))


def format_sentences(sentences: Iterable[object]) -> str:
    """One after the other; some languages have no space between them."""
    space = "" if active_locale().language in _WITHOUT_SPACES else " "
    return space.join(map(str, sentences))


def without_gaps(text: str) -> str:
    """Words that were put side by side, as languages write them that have no space between them;
    one beside a word of another script stays."""
    if active_locale().language not in _WITHOUT_SPACES:
        return text
    return _GAP.sub("", text)


def format_number(value: Decimal | int | float, *, digits: int | None = None) -> str:
    """Write a number with the reader's separators; `digits` fixes the decimals."""
    number = Decimal(str(value))
    if digits is not None:
        number = number.quantize(get_decimal_quantum(digits))
    pattern = "#,##0" + (f".{'0' * digits}" if digits else "" if digits == 0 else ".######")
    text = format_decimal(abs(number), format=pattern, locale=active_locale())
    return _signed(text, number, sign=False)


def format_compact(value: Decimal | int | float) -> str:
    """Write a large number briefly ("12.3K")."""
    number = Decimal(str(value))
    digits = 1 if abs(number) >= 1000 else 0
    text = format_compact_decimal(abs(number), fraction_digits=digits, locale=active_locale())
    return _signed(text, number, sign=False)


def format_percent(ratio: Decimal | float, *, digits: int = 1) -> str:
    """Write a ratio as a percentage: 0.123 becomes 12.3%."""
    pattern = f"#,##0.{'#' * digits}%" if digits else "#,##0%"
    return babel_percent(Decimal(str(ratio)), format=pattern, locale=active_locale())


def format_points(amount: int, scale: int = 0, *, sign: bool = False) -> str:
    """Write an integer amount at 10**scale as a number, without needless zeros."""
    number = Decimal(amount).scaleb(-scale)
    pattern = "#,##0." + "#" * scale if scale else "#,##0"
    text = format_decimal(abs(number), format=pattern, locale=active_locale())
    return _signed(text, number, sign)


def plural_forms_of(language: str) -> set[str] | None:
    """The plural forms of a language as the Unicode CLDR names them; None if it is not known."""
    try:
        return {*Locale.parse(language, sep="-").plural_form.tags, "other"}
    except (UnknownLocaleError, ValueError):
        return None


def unit_name(amount: int, wallet_type: UnitNames) -> str:
    """Choose the unit's name for an amount by the plural rule of the names' language."""
    return name_of_number(Decimal(amount).scaleb(-wallet_type.scale), wallet_type)


def name_of_number(number: Decimal, unit: UnitNames) -> str:
    """What so many are called. The number need not fit the unit's decimals."""
    language = unit.plural_language
    locale = _parse_locale(to_locale(language)) if language else active_locale()
    size = abs(number).normalize()
    form = locale.plural_form(size)
    # Readers whose language has no plural may read names of another one, which has.
    is_one = form == "one" or (size == 1 and not language)
    return unit.singular if is_one else unit.plural_forms.get(form, unit.plural)


def format_units(amount: int, wallet_type: UnitNames, *, sign: bool = False) -> str:
    """Write an amount with the merchant's own unit name ("1,250 Beans")."""
    number = format_points(amount, wallet_type.scale, sign=sign)
    return f"{number}\N{NO-BREAK SPACE}{unit_name(amount, wallet_type)}"


def format_money(amount: Decimal | int, currency: str, *, sign: bool = False) -> str:
    """Write a sum of money given in major units."""
    number = Decimal(amount)
    return _signed(format_currency(abs(number), currency, locale=active_locale()), number, sign)


def format_money_minor(minor: int, currency: str, *, sign: bool = False) -> str:
    """Write a sum of money given as an integer in the currency's minor unit."""
    major = Decimal(minor).scaleb(-get_currency_precision(currency))
    return format_money(major, currency, sign=sign)


def to_zone(moment: datetime, zone: tzinfo | None) -> datetime:
    """Move an instant into a zone; a naive time is read as already being in it."""
    target = zone or timezone.get_current_timezone()
    if timezone.is_naive(moment):
        return moment.replace(tzinfo=target)
    return moment.astimezone(target)


def format_day(value: date | datetime, zone: tzinfo | None = None) -> str:
    """Write a day ("Mar 4, 2026"); an instant is read in the given zone first."""
    day = to_zone(value, zone).date() if isinstance(value, datetime) else value
    return format_date(day, format="medium", locale=active_locale())


def format_short_day(value: date) -> str:
    """Write a day without its year ("Mar 4"), where the year is clear from around it."""
    return format_skeleton("MMMd", value, locale=active_locale())


def format_days(first: date, last: date) -> str:
    """Write a day, or the first and last of several ("Nov 21 – 30, 2026")."""
    if first == last:
        return format_day(first)
    return format_interval(first, last, "yMMMd", locale=active_locale())


def format_month(value: date) -> str:
    """Write a month with its year ("March 2026"), as a heading."""
    return format_skeleton("yMMMM", value, locale=active_locale())


def format_short_month(value: date) -> str:
    """Write a month with its year briefly ("Mar 2026"), for axes and tables."""
    return format_skeleton("yMMM", value, locale=active_locale())


def _clock_pattern(form: Form, locale: Locale) -> str:
    """How a language writes a time: by 24 hours where its words for the halves of the day end with
    a period, which at the end of a sentence would stand before the sentence's own."""
    pattern: str = locale.time_formats[form].pattern
    if not locale.day_periods["format"]["abbreviated"]["pm"].endswith("."):
        return pattern
    return _HALF_OF_DAY.sub("", pattern).replace("h", "HH")


def _moment_pattern(form: Form, locale: Locale) -> str:
    whole = str(get_datetime_format(form, locale=locale))
    day: str = locale.date_formats[form].pattern
    return whole.replace("{0}", _clock_pattern(form, locale)).replace("{1}", day)


def format_moment(value: datetime, zone: tzinfo | None = None) -> str:
    """Write a day and a time to the minute ("Mar 4, 2026, 5:20 PM")."""
    local = to_zone(value, zone)
    locale = active_locale()
    english = locale.language == "en"
    pattern = "MMM d, y, h:mm a" if english else _moment_pattern("short", locale)
    return format_datetime(local, pattern, tzinfo=local.tzinfo, locale=locale)


def format_start(value: datetime, zone: tzinfo | None = None) -> str:
    """Write from when on: what begins at midnight begins with that day ("Mar 4, 2026")."""
    local = to_zone(value, zone)
    return format_day(local.date()) if local.time() == time() else format_moment(value, zone)


def format_end(value: datetime, zone: tzinfo | None = None) -> str:
    """Write until when: what ends at midnight ends with the day before, which is how people read
    the last day ("Mar 3, 2026")."""
    local = to_zone(value, zone)
    if local.time() == time():
        return format_day(local.date() - timedelta(days=1))
    return format_moment(value, zone)


def format_clock(value: time) -> str:
    """Write a time of day to the minute ("5:20 PM")."""
    locale = active_locale()
    pattern = "h:mm a" if locale.language == "en" else _clock_pattern("short", locale)
    return format_time(value, pattern, locale=locale)


def format_moments(first: datetime, last: datetime, zone: tzinfo | None = None) -> str:
    """Write from when until when; the day of both once ("Mar 4, 2026, 5:20 PM – 7:00 PM")."""
    start, end = to_zone(first, zone), to_zone(last, zone)
    same = start.date() == end.date()
    until = format_clock(end.time()) if same else format_moment(end, zone)
    return f"{format_moment(start, zone)} – {until}"


def format_weekdays(days: Iterable[int], *, last: str = "") -> str:
    """Write days of the week, of which Monday is 0 ("Monday, Friday"). `last`: what stands before
    the last one instead of a comma."""
    known = get_day_names("wide", "stand-alone", active_locale())
    names = [known[day] for day in sorted(days)]
    if last and len(names) > 1:
        return last.join((format_list(names[:-1]), names[-1]))
    return format_list(names)


def format_full_moment(value: datetime, zone: tzinfo | None = None) -> str:
    """Write an instant completely, with its zone, for a tooltip."""
    local = to_zone(value, zone)
    locale = active_locale()
    return format_datetime(local, _moment_pattern("full", locale), local.tzinfo, locale)


def format_relative(value: datetime, now: datetime | None = None) -> str:
    """Write how long ago (or how far ahead) an instant is: "3 hours ago"."""
    delta: timedelta = to_zone(value, None) - (now or timezone.now())
    return format_timedelta(delta, add_direction=True, locale=active_locale())


def format_second(value: datetime, zone: tzinfo | None = None) -> str:
    """Write a day and a time to the second, where many lie close together ("Mar 4, 5:20:07 PM")."""
    local = to_zone(value, zone)
    locale = active_locale()
    english = locale.language == "en"
    pattern = "MMM d, h:mm:ss a" if english else _moment_pattern("medium", locale)
    return format_datetime(local, pattern, tzinfo=local.tzinfo, locale=locale)


def format_duration(value: timedelta) -> str:
    """Write how long something took, in its largest unit ("3 minutes")."""
    if value < timedelta(seconds=1):
        return _("less than a second")
    return format_timedelta(value, threshold=2, locale=active_locale())
