"""One spelling, the American one: in texts, names, documents and the API."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

# What British words contain and American ones do not.
BRITISH = (
    "cancelled", "cancelling", "colour", "favour", "behaviour", "honour", "neighbour", "labour",
    "flavour", "humour", "catalogue", "dialogue", "centre", "theatre", "metres", "grey", "licence",
    "defence", "offence", "fulfils", "fulfilment", "enrols", "enrolment", "instalment",
    "labelled", "labelling", "modelled", "modelling", "travelled", "travelling", "levelled",
    "cheque", "judgement", "whilst", "learnt", "jewellery", "programmes", "analyse", "organis",
    "recognis", "customis", "personalis", "authoris", "initialis", "synchronis", "normalis",
    "anonymis", "minimis", "maximis", "summaris", "apologis", "categoris", "utilis", "prioritis",
    "standardis", "visualis", "capitalis",
)  # fmt: skip
# What others define: words of browsers, of shops, of calendars, of sign-in.
OUTSIDERS = re.compile(
    r"aria-labelledby|orders/cancelled|wc-cancelled|\bcancelled_at\b|\bCancelled at\b"
    r"|AuthError\.CANCELLED|STATUS:.*?'CANCELLED'"
)
# Values that are kept and told as they always were: states, and types and codes made of them.
VALUES = re.compile(
    r"""(?P<quote>["'`])cancelled(?P=quote)|[a-z_]+[.]cancelled\b|[a-z_]+_cancelled(?=["`])"""
    r"|state=cancelled|[.]work-cancelled|→ cancelled"
)
# Written by tools, or history: migrations and locks are as they were made.
ASIDE = re.compile(
    r"/migrations/|^requirements/|package-lock|/LC_MESSAGES/|^LICENSE|^static/vendor/"
)
KINDS = {".py", ".html", ".md", ".txt", ".js", ".css", ".yaml", ".yml", ".toml", ".sql", ".csv"}
ROOT = Path(settings.BASE_DIR)
FOLDERS = (
    "members", "loyalty", "rewards", "campaigns", "config", "docs", "static", "templates", "tests",
)  # fmt: skip


def spelled(text: str) -> list[str]:
    """The British words of a text, as far as nobody outside made us use them."""
    said = text.casefold()
    if not any(word in said for word in BRITISH):
        return []
    own = VALUES.sub("", OUTSIDERS.sub("", text)).casefold()
    return [word for word in BRITISH if word in own]


def sources() -> list[Path]:
    """What is written by hand, here and in the folders of the code."""
    found = [file for file in ROOT.iterdir() if file.is_file()]
    for folder in FOLDERS:
        found += (ROOT / folder).rglob("*")
    return [
        file
        for file in found
        if file.suffix in KINDS and not ASIDE.search(str(file.relative_to(ROOT)))
        and file != Path(__file__)
    ]  # fmt: skip


def test_everything_is_spelled_as_americans_do() -> None:
    files = sources()
    assert len(files) > 1500
    wrong = [
        (str(file.relative_to(ROOT)), word)
        for file in files
        for word in spelled(file.read_text("utf-8"))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('_("Cancelled")', ["cancelled"]),
        ("class Status: CANCELLED = 1", ["cancelled"]),
        ("the colour of a favourite", ["colour", "favour"]),
        ("a customised catalogue", ["catalogue", "customis"]),
        ('status = "cancelled"', []),
        ("`redemption.cancelled` and `checkout_cancelled`", []),
        ('payload["cancelled_at"]', []),
        ("a cancellation, fulfilled and enrolled, installed", []),
    ],
)
def test_a_british_word_is_found_and_a_value_is_not(text: str, found: list[str]) -> None:
    assert spelled(text) == found
