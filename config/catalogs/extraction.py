"""Finds what is to be translated, in Python and in templates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import cast

from babel.messages.extract import extract_python
from django.utils.translation.template import templatize

CALLS = [
    name + lazy
    for name in ("gettext", "ngettext", "pgettext", "npgettext")
    for lazy in ("", "_lazy", "_noop")
]
KEYWORDS = dict.fromkeys([*CALLS, "_"])
# Line, function, what it is called with, comments; Babel's own annotation has another order.
Call = tuple[int, str, str | tuple[str | None, ...], list[str]]


@dataclass(frozen=True)
class Text:
    """What is looked up: its context if it has one, one form or two (singular, plural)."""

    forms: tuple[str, ...]
    context: str | None = None


@dataclass
class Texts:
    """Texts with the files they stand in, in the order they are found in."""

    places: dict[Text, list[str]] = field(default_factory=dict)

    def add(self, text: Text, place: str) -> None:
        places = self.places.setdefault(text, [])
        if place not in places:
            places.append(place)


def texts_of(files: Iterable[Path], root: Path) -> Texts:
    """All texts of the files; paths are told from `root`."""
    found = Texts()
    for file in sorted(files):
        place = file.relative_to(root).as_posix()
        for text in _texts_in(file):
            found.add(text, place)
    return found


def _texts_in(file: Path) -> Iterator[Text]:
    source = file.read_text()
    if file.suffix != ".py":
        # Calls of gettext among X for whatever else there is; without its indentation it is Python
        # as far as its words are looked at.
        source = "\n".join(line.lstrip() for line in templatize(source).splitlines())
    calls = extract_python(BytesIO(source.encode()), KEYWORDS, [], {"encoding": "utf-8"})
    for _line, name, said, _comments in cast("Iterator[Call]", calls):
        text = _text(name, said)
        if text:
            yield text


def _text(name: str, said: str | tuple[str | None, ...]) -> Text | None:
    """What a call looks up; nothing where it says no text of its own."""
    arguments = list(said) if isinstance(said, tuple) else [said]
    kind = name.removesuffix("_lazy").removesuffix("_noop")
    context = arguments.pop(0) if kind in ("pgettext", "npgettext") else None
    forms = tuple(arguments[: 2 if kind in ("ngettext", "npgettext") else 1])
    if not forms or not all(forms):
        return None
    return Text(tuple(str(form) for form in forms), context)
