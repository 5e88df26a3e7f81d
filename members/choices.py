"""Countries, languages, currencies and time zones to choose from, in the reader's language."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable, Iterator
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.numbers import get_currency_name, get_territory_currencies
from django.conf import settings
from django.utils.choices import BaseChoiceIterator

from members.formatting import active_locale

Choices = list[tuple[str, str]]


class LongChoices(BaseChoiceIterator):
    """Values and names. A form takes them as they are, where it would go twice through each of
    hundreds otherwise."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.pairs = tuple(pairs)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.pairs)


_AREAS = (
    "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe",
    "Indian", "Pacific",
)  # fmt: skip

# Two letters in the tables of names, and no country that somebody lives in.
_NO_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})


def countries() -> Choices:
    """Every country, by name."""
    names = active_locale().territories
    known = [
        (code, name)
        for code, name in names.items()
        if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES
    ]
    return sorted(known, key=lambda item: item[1])


def country_name(code: str) -> str:
    return str(active_locale().territories.get(code, code))


def languages(also: str = "") -> Choices:
    """The languages Setia speaks, and one more that somebody may have already."""
    known = [(code, str(name)) for code, name in settings.LANGUAGES]
    if also and also not in dict(known):
        known.append((also, language_name(also)))
    return known


def language_name(code: str) -> str:
    try:
        return Locale.parse(code, sep="-").get_display_name(active_locale()) or code
    except (UnknownLocaleError, ValueError):
        return code


def currencies(also: str = "") -> LongChoices:
    """Every currency that is legal tender somewhere today, and one more that is in use here."""
    return _named_currencies(active_locale(), also)


@lru_cache(maxsize=32)
def _named_currencies(locale: Locale, also: str) -> LongChoices:
    codes = _legal_tender() | ({also} if also else set())
    return LongChoices(
        (code, f"{code} · {get_currency_name(code, locale=locale)}") for code in sorted(codes)
    )


@lru_cache(maxsize=1)
def _legal_tender() -> frozenset[str]:
    territories = get_global("territory_currencies")
    return frozenset(
        currency for territory in territories for currency in get_territory_currencies(territory)
    )


@lru_cache(maxsize=1)
def known_zones() -> frozenset[str]:
    """Every time zone there is. Asking the system reads hundreds of files."""
    return frozenset(zoneinfo.available_timezones())


@lru_cache(maxsize=32)
def time_zones(also: str = "") -> LongChoices:
    """The zones that are named after a place, and UTC."""
    names = {name for name in known_zones() if name.startswith(_AREAS)}
    chosen = sorted(names | ({also} if also else set()) - {"UTC"})
    return LongChoices([("UTC", "UTC"), *((name, name.replace("_", " ")) for name in chosen)])
