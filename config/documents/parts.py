"""A part of a page between two marks, which a command writes and everybody else leaves alone."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError

DOCS: Path = settings.BASE_DIR / "docs"


def part_of(page: str, name: str) -> str:
    """The text between the marks of a part."""
    _before, rest = _split(_read(page), _begin(name), page)
    return _split(rest, _end(name), page)[0].strip()


def write_part(page: str, name: str, text: str) -> bool:
    """Put a text between the marks; says whether that changed the page."""
    old = _read(page)
    before, rest = _split(old, _begin(name), page)
    after = _split(rest, _end(name), page)[1]
    new = f"{before}{_begin(name)}\n\n{text.strip()}\n\n{_end(name)}{after}"
    if new != old:
        (DOCS / page).write_text(new, encoding="utf-8")
    return new != old


def cell(text: str) -> str:
    """A text as it may stand in a table: one line, with no bar of its own."""
    return " ".join(text.split()).replace("|", "\\|")


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _begin(name: str) -> str:
    return f"<!-- written by manage.py {name} -->"


def _end(name: str) -> str:
    return f"<!-- end of {name} -->"


def _read(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def _split(text: str, mark: str, page: str) -> tuple[str, str]:
    before, found, after = text.partition(mark)
    if not found:
        raise CommandError(f"docs/{page} has no mark {mark}")
    return before, after
