"""Which endpoint a path of the API leads to, found among those that begin with the same word.

Django tries one pattern after the other, and the API has some two hundred.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TypeGuard

from django.urls import (
    Resolver404,
    ResolverMatch,
    URLPattern,
    URLResolver,
    get_resolver,
    get_urlconf,
    resolve,
)
from django.urls.resolvers import RegexPattern, RoutePattern

Pattern = URLPattern | URLResolver
PREFIX = "/api/v1/"
# What is a member's own is so much that the word after this counts as well.
OWN = "me"


def resolve_path(path: str) -> ResolverMatch:
    """What `resolve` says of a path below the prefix. Raises Resolver404."""
    found = _by_word(get_urlconf()).get(_beginning(path[len(PREFIX) :]))
    if found is not None:
        try:
            return found.resolve(path)
        except Resolver404:
            pass
    # No endpoint begins so: whatever answers then, or the words of the refusal.
    return resolve(path)


@lru_cache
def _by_word(urlconf: str | None) -> dict[str, URLResolver]:
    """For each word that endpoints begin with, a resolver of these alone, in their order."""
    parts = [
        part
        for part in get_resolver(urlconf).url_patterns
        if isinstance(part, URLResolver) and f"/{part.pattern}" == PREFIX
    ]
    return {word: _only(parts, word) for part in parts for word in _words(part.url_patterns)}


def _only(parts: list[URLResolver], word: str) -> URLResolver:
    kept = [_with(part, list(_beginning_so(part.url_patterns, word))) for part in parts]
    return URLResolver(RegexPattern(r"^/"), kept)


def _with(part: URLResolver, items: list[Pattern]) -> URLResolver:
    return URLResolver(part.pattern, items, part.default_kwargs, part.app_name, part.namespace)


def _words(items: Iterable[Pattern]) -> Iterator[str]:
    for item in items:
        word = _word(item)
        if _adds_nothing(item):
            yield from _words(item.url_patterns)
        elif word is not None:
            yield word


def _beginning_so(items: Iterable[Pattern], word: str) -> Iterator[Pattern]:
    """Those that begin with the word, or may; of what adds nothing to them, these alone."""
    for item in items:
        if _adds_nothing(item):
            inner = list(_beginning_so(item.url_patterns, word))
            if inner:
                yield _with(item, inner)
        elif _word(item) in (word, None):
            yield item


def _adds_nothing(item: Pattern) -> TypeGuard[URLResolver]:
    """Whether it includes others as they are."""
    return isinstance(item, URLResolver) and str(item.pattern) == ""


def _word(item: Pattern) -> str | None:
    """What a route begins with; None: it may be anything."""
    if not isinstance(item.pattern, RoutePattern):
        return None
    route = str(item.pattern)
    word = _beginning(route)
    # What includes others says the whole word only if something stands behind it.
    whole = isinstance(item, URLPattern) or route.startswith(f"{word}/")
    return word if word and whole and not word.endswith("/") and "<" not in word else None


def _beginning(route: str) -> str:
    first, slash, rest = route.partition("/")
    return f"{first}/{rest.partition('/')[0]}" if slash and first == OWN else first
