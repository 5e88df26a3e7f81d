"""What the documents point to exists: pages and their headings, files, commands, make targets."""

import re
from functools import lru_cache
from pathlib import Path

from django.core.management import get_commands

from tests.chromium import PROJECT

TOP = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
PAGES = sorted([*(PROJECT / name for name in TOP), *(PROJECT / "docs").glob("*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
# The first part of a path is what tells it from other words in backquotes.
ROOTS = (
    "config", "members", "loyalty", "rewards", "campaigns", "templates", "static", "tests", "docs",
    "requirements", ".ci",
)  # fmt: skip
PATHLIKE = re.compile(rf"(?:{'|'.join(map(re.escape, ROOTS))})/[\w./*-]*")
MANAGE = re.compile(r"manage\.py ([a-z_]+)")
MAKE = re.compile(r"(?:`|^ {4}(?:[A-Z]+=\S+ )?)make ([a-z][a-z-]*)", re.MULTILINE)


@lru_cache
def anchors(page: Path) -> set[str]:
    """The addresses that GitHub gives to a page's headings."""
    found: set[str] = set()
    for heading in HEADING.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        same = (f"{slug}-{number}" if number else slug for number in range(100))
        found.add(next(name for name in same if name not in found))
    return found


def test_links_lead_somewhere() -> None:
    assert {page.name: wrong for page in PAGES if (wrong := dead_links(page))} == {}


def dead_links(page: Path) -> list[str]:
    wrong = []
    for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        found = (page.parent / name).resolve() if name else page
        if not found.exists() or (anchor and anchor not in anchors(found)):
            wrong.append(target)
    return wrong


def test_files_that_are_named_exist() -> None:
    assert {page.name: wrong for page in PAGES if (wrong := missing_files(page))} == {}


def missing_files(page: Path) -> set[str]:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    named = {code for code in CODE.findall(text) if PATHLIKE.fullmatch(code)}
    return {
        path
        for path in named
        if not (any(PROJECT.glob(path)) if "*" in path else (PROJECT / path).exists())
    }


def test_commands_that_are_named_exist() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    commands = set(get_commands())
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert set(MANAGE.findall(text)) <= commands, page.name
        assert set(MAKE.findall(text)) <= targets, page.name


def test_every_page_is_linked_from_the_readme() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    missing = [
        page.name for page in PAGES if page.parent.name == "docs" and page.name not in readme
    ]
    assert not missing
