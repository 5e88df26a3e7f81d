"""Which words are used for an occasion, a channel and a language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import OuterRef, QuerySet, Subquery

from campaigns.models import MessageTemplate, TemplateVersion
from campaigns.ready_texts import READY_LOCALE, ready_language

Address = tuple[str, str, str]


def versions_in_use() -> QuerySet[TemplateVersion]:
    """The last version of every template that is not put away."""
    last = TemplateVersion.objects.filter(template=OuterRef("template")).order_by("-number")
    return TemplateVersion.objects.filter(
        template__archived_at=None, number=Subquery(last.values("number")[:1])
    ).select_related("template")


@dataclass(frozen=True, slots=True)
class Templates:
    """The merchant's own words, read once for many messages."""

    versions: dict[Address, TemplateVersion]
    default_locale: str

    def choose(self, occasion: str, channel: str, locale: str) -> TemplateVersion | None:
        """In this language, else the merchant's. None: the ready-made words, which are in
        `ready_locale`."""
        for name in (locale, self.default_locale):
            for wanted in languages(name):
                if found := self.versions.get((occasion, channel, wanted)):
                    return found
            if ready_language(name):
                return None
        return self.versions.get((occasion, channel, READY_LOCALE))

    def locale_for(self, occasion: str, locale: str) -> str:
        """In which language somebody is told of it: the first that there are words in."""
        own = {at[2] for at in self.versions if at[0] == occasion}
        for name in (locale, self.default_locale):
            spoken = next((found for found in languages(name) if found in own), None)
            if found := spoken or ready_language(name):
                return found
        return READY_LOCALE

    def ready_locale(self, locale: str) -> str:
        return ready_language(locale) or ready_language(self.default_locale) or READY_LOCALE


def load_templates(default_locale: str) -> Templates:
    """One query."""
    found = {
        (version.template.occasion, version.template.channel, version.template.locale): version
        for version in versions_in_use()
    }
    return Templates(found, default_locale)


def languages(locale: str) -> Iterator[str]:
    """The language, and without its region."""
    parts = [part for part in locale.lower().replace("_", "-").split("-") if part]
    for length in range(len(parts), 0, -1):
        yield "-".join(parts[:length])


def templates_of(occasion: str) -> list[tuple[MessageTemplate, int, dt.datetime]]:
    """All of an occasion, with the number of the version in use, and when it was saved."""
    found = versions_in_use().filter(template__occasion=occasion).order_by("template__locale")
    return [(version.template, version.number, version.created_at) for version in found]
