"""In which language somebody reads what is theirs."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.utils import translation

from members.models import Customer


def own_names() -> list[tuple[str, str]]:
    """Each language that is offered under its own name, so that who needs it finds it."""
    return [
        (code, translation.get_language_info(code)["name_local"])
        for code, _name in settings.LANGUAGES
    ]


def language_of(customer: Customer) -> str:
    """The language of ours that is nearest to what the customer wants, or nothing."""
    try:
        return (
            translation.get_supported_language_variant(customer.locale) if customer.locale else ""
        )
    except LookupError:
        return ""


def nearest(locale: str) -> Iterator[str]:
    """zh-hans-cn, zh-hans, zh: the closest first. What is written for a place of a language serves
    who said no place: zh for zh-hans."""
    parts = locale.lower().replace("_", "-").split("-")
    wanted = ["-".join(parts[:count]) for count in range(len(parts), 0, -1)]
    yield from wanted
    if parts[0] == "zh":
        yield "zh-hant" if {"tw", "hk", "mo"} & set(parts) else "zh-hans"
