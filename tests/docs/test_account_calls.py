"""docs/storefront.md says for every address of the members' own pages by which call of the API the
same is done, or why it is done on the page alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from django.urls import URLPattern, URLResolver, get_resolver

ROOT = Path(__file__).parents[2]
NAMESPACES = (
    "mypage", "rewards_account", "messages_account", "surveys_account", "campaigns_account",
    "challenges_account",
    "community_account",
    "games_account",
    "referrals_account",
)  # fmt: skip
PAGE_ONLY = "on the page alone: "


def rows() -> list[tuple[list[str], str]]:
    """The names of pages, and what is said of them."""
    text = (ROOT / "docs/storefront.md").read_text()
    table = text.partition("<!-- account-calls -->")[2].partition("<!-- /account-calls -->")[0]
    cells = [line.strip("|").split(" | ") for line in table.strip().splitlines()[2:]]
    return [(re.findall(r"`(\w+)`", pages), call) for pages, _what, call in cells]


def own_pages() -> set[str]:
    found = set()
    for item in resolvers_of(get_resolver()):
        if item.namespace in NAMESPACES:
            found |= {one.name for one in item.url_patterns if isinstance(one, URLPattern)}
    return {name for name in found if name}


def resolvers_of(resolver: URLResolver) -> Iterator[URLResolver]:
    for item in resolver.url_patterns:
        if isinstance(item, URLResolver):
            yield item
            yield from resolvers_of(item)


def patterns_of(resolver: URLResolver) -> Iterator[URLPattern]:
    for item in resolver.url_patterns:
        if isinstance(item, URLResolver):
            yield from patterns_of(item)
        else:
            yield item


def calls() -> set[str]:
    """The addresses below /me, as the table writes them."""
    found = set()
    for item in get_resolver().url_patterns:
        if isinstance(item, URLResolver) and str(item.pattern) == "api/v1/":
            for one in patterns_of(item):
                path = re.sub(r"<\w+:(\w+?)(_id)?>", r"{\1}", f"/{one.pattern}")
                found.add(path.replace("/me/memberships/{membership}", "…"))
    return {path for path in found if path == "/me" or path.startswith(("/me/", "…"))}


def test_every_page_has_its_call_or_a_reason() -> None:
    told = [page for pages, _call in rows() for page in pages]
    assert sorted(told) == sorted(own_pages())


def test_the_calls_are_there() -> None:
    known = calls()
    for pages, call in rows():
        named = re.findall(r"`([/…][^`]*)`", call)
        assert [one for one in named if one not in known] == [], pages
        if not call.strip().startswith(PAGE_ONLY):
            assert named, pages
