"""Which languages customers may choose, and in which of them somebody reads what is theirs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header

from members.models import Customer
from members.selectors.merchants import get_merchant

T = TypeVar("T")

# Every request asks: other processes learn of a change after these seconds.
KEPT_FOR: float = 5


@dataclass(frozen=True, slots=True)
class Offered:
    """What the merchant chose of the languages that there are; the default is one of them."""

    default: str
    codes: tuple[str, ...]

    def nearest(self, locale: str) -> str:
        """The one that somebody reads who reads this, or nothing."""
        spoken = _spoken(locale)
        if spoken in self.codes:
            return spoken
        # Whoever says nothing but Chinese is served by whichever is there.
        return next((code for code in self.codes if code.startswith(f"{locale.lower()}-")), "")


_kept: list[tuple[Offered, float]] = []


def offered_languages() -> Offered:
    if _kept and _kept[0][1] > time.monotonic():
        return _kept[0][0]
    merchant = get_merchant()
    chosen = merchant.languages or [code for code, _name in settings.LANGUAGES]
    codes = tuple(code for code, _name in settings.LANGUAGES if code in chosen)
    codes = codes or (settings.LANGUAGE_CODE,)
    found = Offered(merchant.locale if merchant.locale in codes else codes[0], codes)
    _kept[:] = [(found, time.monotonic() + KEPT_FOR)]
    return found


def forget_languages() -> None:
    """Have the next who asks read them from the database."""
    _kept.clear()


def own_names() -> list[tuple[str, str]]:
    """Each language that is offered under its own name, so that who needs it finds it."""
    return [
        (code, translation.get_language_info(code)["name_local"])
        for code in offered_languages().codes
    ]


def language_of(customer: Customer) -> str:
    """The language that is offered and nearest to what the customer wants, or nothing where we do
    not know what they want."""
    return offered_languages().nearest(locale_of(customer))


def locale_of(customer: Customer) -> str:
    """What the customer reads: as they said, or the default where they chose a language that is
    offered no more."""
    return locale_offered(customer.locale)


def locale_offered(locale: str) -> str:
    offered = offered_languages()
    is_away = _spoken(locale) and not offered.nearest(locale)
    return offered.default if is_away else locale


def language_of_request(request: HttpRequest) -> str:
    """What was chosen on this device, else the first that its reader knows and that is offered."""
    offered = offered_languages()
    return next(filter(None, map(offered.nearest, _wanted(request))), offered.default)


class LanguageMiddleware(LocaleMiddleware):
    """Django's, for the languages that are offered."""

    def process_request(self, request: HttpRequest) -> None:
        translation.activate(language_of_request(request))
        request.LANGUAGE_CODE = translation.get_language()


def _wanted(request: HttpRequest) -> Iterator[str]:
    yield request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    for language, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        if language == "*":
            return
        yield language


def _spoken(locale: str) -> str:
    """The one of all languages that there are which this is, or nothing."""
    try:
        return translation.get_supported_language_variant(locale.lower().replace("_", "-"))
    except (LookupError, ValueError):
        return ""


def said_in(texts: Mapping[str, T], locale: str = "") -> T | None:
    """What is said in the closest language to `locale`, or to that of the page where it is empty;
    None: nothing. By the codes of languages."""
    wanted = nearest(locale or translation.get_language() or "")
    return next((texts[language] for language in wanted if language in texts), None)


def nearest(locale: str) -> Iterator[str]:
    """zh-hans-cn, zh-hans, zh: the closest first. What is written for a place of a language serves
    who said no place: zh for zh-hans."""
    parts = locale.lower().replace("_", "-").split("-")
    wanted = ["-".join(parts[:count]) for count in range(len(parts), 0, -1)]
    yield from wanted
    if parts[0] == "zh":
        yield "zh-hant" if {"tw", "hk", "mo"} & set(parts) else "zh-hans"
