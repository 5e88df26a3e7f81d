"""The small language of templates: {{ name }} is what a variable says, and
{{#name}}…{{/name}} is there only if it says something. There is nothing else in it, so no template
can reach further than the words that it was given."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from django.utils.translation import gettext as _

_TAG = re.compile(r"(?<!\{)\{\{([^{}]{0,80})\}\}(?!\})")
_NAME = re.compile(r"\s*([#/]?)\s*([a-z][a-z0-9_]{0,39})\s*")
_STRAY = re.compile(r"\{\{|\}\}|\{%|%\}")


class WordingError(ValueError):
    """A text cannot be used. The message is for people."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of text, or what `name` says. `within`: the variable without which it is left out."""

    text: str = ""
    name: str = ""
    within: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """A text that was read, ready to be filled in."""

    parts: tuple[_Part, ...]
    names: frozenset[str]
    # How many tags there are, so that one who changes the text can tell whether any was lost.
    tags: int

    def fill(self, values: Mapping[str, str], *, markup: bool = False) -> str:
        """The text with the values in it; in markup they are escaped."""
        write: Callable[[str], str] = escape if markup else str
        return "".join(
            write(values.get(part.name, "")) if part.name else part.text
            for part in self.parts
            if not part.within or values.get(part.within)
        )


@lru_cache(maxsize=1_000)
def read_wording(source: str) -> Wording:
    """Raises WordingError for what is not of the language."""
    parts: list[_Part] = []
    names: set[str] = set()
    within, at, tags = "", 0, 0
    for tag in _TAG.finditer(source):
        _add_text(parts, source[at : tag.start()], within)
        at, tags = tag.end(), tags + 1
        found = _NAME.fullmatch(tag.group(1))
        if found is None:
            raise WordingError(_("%s is no variable.") % f"{{{{{tag.group(1)}}}}}")
        sign, name = found.groups()
        names.add(name)
        if not sign:
            parts.append(_Part(name=name, within=within))
        else:
            within = _turn(sign, name, within)
    _add_text(parts, source[at:], within)
    if within:
        raise WordingError(_("%s is not closed.") % f"{{{{#{within}}}}}")
    return Wording(tuple(parts), frozenset(names), tags)


def check_wording(source: str, known: Collection[str]) -> Wording:
    """Read it, and refuse variables that there are none of."""
    wording = read_wording(source)
    unknown = sorted(wording.names - set(known))
    if unknown:
        named = ", ".join(f"{{{{ {name} }}}}" for name in unknown)
        raise WordingError(_("There is no such variable: %s") % named)
    return wording


def _add_text(parts: list[_Part], text: str, within: str) -> None:
    if _STRAY.search(text):
        raise WordingError(_("Write variables as {{ name }}, and nothing else in braces."))
    if text:
        parts.append(_Part(text=text, within=within))


def _turn(sign: str, name: str, within: str) -> str:
    if sign == "#":
        if within:
            raise WordingError(_("Close %s first.") % f"{{{{#{within}}}}}")
        return name
    if within != name:
        raise WordingError(_("%s was not opened.") % f"{{{{/{name}}}}}")
    return ""


def tidied_subject(text: str) -> str:
    """As it is kept: one line."""
    return " ".join(text.replace("\x00", "").split())


def tidied_body(text: str) -> str:
    return text.replace("\x00", "").strip()


def tidied_locale(locale: str) -> str:
    return locale.strip().lower().replace("_", "-")
