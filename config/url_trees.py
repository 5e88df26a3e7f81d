"""Addresses as a tree: Django tries one pattern after the other, and a page of the back-office had
six hundred before it. Here those that begin with the same words are tried once they have begun so.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from django.urls import URLPattern, URLResolver, include
from django.urls.resolvers import RoutePattern

Pattern = URLPattern | URLResolver


def included(module: str) -> Any:
    """As `include(module)`, for `path`."""
    found = import_module(module)
    patterns = as_tree(found.urlpatterns)
    app_name = getattr(found, "app_name", None)
    return include((patterns, app_name) if app_name else patterns)


def as_tree(patterns: Iterable[Pattern]) -> list[Pattern]:
    """The same addresses. What is written out is tried before what stands for anything, so that no
    address is found behind another one that would do as well."""
    ended: list[Pattern] = []
    branches: dict[str, list[Pattern]] = {}
    for pattern in patterns:
        beginning, rest = _parted(pattern)
        if rest is None:
            ended.append(pattern)
        else:
            branches.setdefault(beginning, []).append(rest)
    tree: list[Pattern] = []
    for beginning, further in branches.items():
        tree.append(URLResolver(RoutePattern(beginning), as_tree(further)))
    tree.sort(key=lambda branch: "<" in str(branch.pattern))
    # Whatever is no plain address, such as those of another module, stays behind as it is.
    return [*ended, *tree]


def _parted(pattern: Pattern) -> tuple[str, URLPattern | None]:
    """Its first step, such as "programs/", and the pattern of what follows; None: there is no more
    than one step."""
    route = str(pattern.pattern)
    beginning, slash, rest = route.partition("/")
    plain = isinstance(pattern, URLPattern) and isinstance(pattern.pattern, RoutePattern)
    if not plain or not slash or not rest or "<path:" in beginning:
        return route, None
    assert isinstance(pattern, URLPattern)
    further = RoutePattern(rest, name=pattern.name, is_endpoint=True)
    return beginning + slash, URLPattern(further, pattern.callback, pattern.default_args,
                                         pattern.name)  # fmt: skip
