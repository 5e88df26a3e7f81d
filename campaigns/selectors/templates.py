"""Which words are used for an occasion, a channel and a language."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from django.db.models import OuterRef, QuerySet, Subquery

from campaigns.models import MessageTemplate, TemplateVersion
from campaigns.occasions import families, family_of
from campaigns.ready_texts import READY_LOCALE, ready_language
from members.prepared import KeptQuery

Address = tuple[str, str, str]


def versions_in_use() -> QuerySet[TemplateVersion]:
    """The last version of every template that is not put away, without the words of arms."""
    return _last_versions().filter(template__variant="")


def versions_of_variants(variants: Collection[str]) -> dict[str, list[TemplateVersion]]:
    """The words of arms of experiments, by arm. One query; none where none is asked for."""
    found: dict[str, list[TemplateVersion]] = defaultdict(list)
    if variants:
        rows = _last_versions().filter(template__variant__in=list(variants))
        for row in rows.order_by("template__channel", "template__locale"):
            found[row.template.variant].append(row)
    return found


def _last_versions() -> QuerySet[TemplateVersion]:
    last = TemplateVersion.objects.filter(template=OuterRef("template")).order_by("-number")
    return TemplateVersion.objects.filter(
        template__archived_at=None, number=Subquery(last.values("number")[:1])
    ).select_related("template")


@dataclass(frozen=True, slots=True)
class Templates:
    """The merchant's own words, read once for many messages; those of a family, and those of the
    arms of experiments, as they are asked for, because there are ever more of them."""

    versions: dict[Address, TemplateVersion]
    default_locale: str
    families: dict[str, dict[Address, TemplateVersion]] = field(default_factory=dict)
    variants: dict[str, dict[tuple[str, str], TemplateVersion]] = field(default_factory=dict)

    def choose(
        self, occasion: str, channel: str, locale: str, variant: str = ""
    ) -> TemplateVersion | None:
        """In this language, else the merchant's. None: the ready-made words, which are in
        `ready_locale`. `variant`: of an arm, which says what it has no words for as they are."""
        if variant and (own := self._of_variant(variant, channel, locale)):
            return own
        if family_of(occasion):
            return self._choose_own(occasion, channel, locale)
        for name in (locale, self.default_locale):
            for wanted in languages(name):
                if found := self.versions.get((occasion, channel, wanted)):
                    return found
            if ready_language(name):
                return None
        return self.versions.get((occasion, channel, READY_LOCALE))

    def locale_for(self, occasion: str, locale: str) -> str:
        """In which language somebody is told of it: the first that there are words in."""
        alone = bool(family_of(occasion))
        own = {at[2] for at in self.words_of(occasion) if at[0] == occasion}
        for name in (locale, self.default_locale):
            spoken = next((found for found in languages(name) if found in own), None)
            if found := spoken or ("" if alone else ready_language(name)):
                return found
        return min(own, default=READY_LOCALE) if alone else READY_LOCALE

    def words_of(self, occasion: str) -> dict[Address, TemplateVersion]:
        """Those that an occasion may use."""
        if not family_of(occasion):
            return self.versions
        if occasion not in self.families:
            rows = versions_in_use().filter(template__occasion=occasion)
            self.families[occasion] = _by_address(rows)
        return self.families[occasion]

    def _of_variant(self, variant: str, channel: str, locale: str) -> TemplateVersion | None:
        if variant not in self.variants:
            rows = versions_of_variants([variant])[variant]
            self.variants[variant] = {(row.template.channel, row.template.locale): row
                                      for row in rows}  # fmt: skip
        known = self.variants[variant]
        return next((known[channel, wanted] for wanted in languages(locale)
                     if (channel, wanted) in known), None)  # fmt: skip

    def _choose_own(self, occasion: str, channel: str, locale: str) -> TemplateVersion | None:
        """There are no ready-made words, so any language is better than none."""
        own = {at[2]: found for at, found in self.words_of(occasion).items() if at[1] == channel}
        spoken = (wanted for name in (locale, self.default_locale) for wanted in languages(name))
        chosen = next((wanted for wanted in spoken if wanted in own), min(own, default=None))
        return own[chosen] if chosen is not None else None

    def ready_locale(self, locale: str) -> str:
        return ready_language(locale) or ready_language(self.default_locale) or READY_LOCALE


def load_templates(default_locale: str) -> Templates:
    """One query."""
    of_families = "|".join(family.code for family in families())
    rows = _IN_USE.rows("", rf"^({of_families})-" if of_families else r"^$")
    return Templates(_by_address(rows), default_locale)


_IN_USE: KeptQuery[TemplateVersion] = KeptQuery(
    lambda variant, left_out: (
        _last_versions()
        .filter(template__variant=variant)
        .exclude(template__occasion__regex=left_out)
    )
)


def _by_address(rows: Iterable[TemplateVersion]) -> dict[Address, TemplateVersion]:
    return {(row.template.occasion, row.template.channel, row.template.locale): row for row in rows}


def languages(locale: str) -> Iterator[str]:
    """The language, and without its region."""
    parts = [part for part in locale.lower().replace("_", "-").split("-") if part]
    for length in range(len(parts), 0, -1):
        yield "-".join(parts[:length])


def templates_of(occasion: str) -> list[tuple[MessageTemplate, int, dt.datetime]]:
    """All of an occasion, with the number of the version in use, and when it was saved."""
    found = versions_in_use().filter(template__occasion=occasion).order_by("template__locale")
    return [(version.template, version.number, version.created_at) for version in found]
