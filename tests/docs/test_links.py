"""What the documents point to exists: pages and their headings, files, commands, make targets."""

import re
from pathlib import Path

import pytest
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


def anchors(page: Path) -> set[str]:
    """The addresses that GitHub gives to a page's headings."""
    found: set[str] = set()
    for heading in HEADING.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        same = [slug, *(f"{slug}-{number}" for number in range(1, 100))]
        found.add(next(name for name in same if name not in found))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    wrong = []
    for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        found = (page.parent / name).resolve() if name else page
        if not found.exists() or (anchor and anchor not in anchors(found)):
            wrong.append(target)
    assert not wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    named = {code for code in CODE.findall(text) if PATHLIKE.fullmatch(code)}
    wrong = {
        path
        for path in named
        if not (any(PROJECT.glob(path)) if "*" in path else (PROJECT / path).exists())
    }
    assert not wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_are_named_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    assert set(MANAGE.findall(text)) <= set(get_commands())
    assert set(MAKE.findall(text)) <= targets


def test_every_page_is_linked_from_the_readme() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    missing = [
        page.name for page in PAGES if page.parent.name == "docs" and page.name not in readme
    ]
    assert not missing
