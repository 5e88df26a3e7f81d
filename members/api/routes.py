"""Which endpoint a path of the API leads to, found among those that begin with the same word.

Django tries one pattern after the other, and the API has some two hundred.
"""

from __future__ import annotations

from functools import lru_cache

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
    words = {_word(item) for part in parts for item in part.url_patterns} - {None}
    return {word: _only(parts, word) for word in words if word is not None}


def _only(parts: list[URLResolver], word: str) -> URLResolver:
    kept = [
        URLResolver(
            part.pattern,
            [item for item in part.url_patterns if _word(item) in (word, None)],
            part.default_kwargs, part.app_name, part.namespace,
        )
        for part in parts
    ]  # fmt: skip
    return URLResolver(RegexPattern(r"^/"), kept)


def _word(item: URLPattern | URLResolver) -> str | None:
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
