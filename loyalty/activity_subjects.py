"""What activities are about, as people call it. Each application registers what it tells of by
activities of its own: a challenge's code is a name nobody reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from django.utils.translation import get_language

from members.read_once import read_once

# Subjects with their names.
Names = Callable[[], Iterable[tuple[str, str]]]
_known: dict[str, Names] = {}


def register_subjects(kind: str, names: Names) -> None:
    """Make them known; the same kind again replaces it."""
    _known[kind] = names


def known_subjects() -> Sequence[tuple[str, str]]:
    """What can be picked, by name; it is not all: a review's subject is a SKU of the shop."""
    return read_once(("subjects", get_language()), _subjects)


def _subjects() -> list[tuple[str, str]]:
    found = {subject: name for names in _known.values() for subject, name in names()}
    return sorted(found.items(), key=lambda item: (item[1].casefold(), item[0]))
