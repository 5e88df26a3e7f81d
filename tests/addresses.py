"""Every named address below a path, as Django knows them."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern


def addresses_below(prefix: str) -> Iterator[tuple[str, URLPattern, str]]:
    """Each name with its namespaces, its pattern as if all of it were one, and its whole route with
    the parameters."""
    return _below(get_resolver(), prefix, "", "")


def _below(
    resolver: URLResolver, prefix: str, path: str, namespace: str
) -> Iterator[tuple[str, URLPattern, str]]:
    for item in resolver.url_patterns:
        route = path + str(item.pattern)
        if isinstance(item, URLResolver):
            inner = f"{namespace}{item.namespace}:" if item.namespace else namespace
            yield from _below(item, prefix, route, inner)
        elif route.startswith(prefix) and item.name:
            whole = URLPattern(RoutePattern(route), item.callback, item.default_args, item.name)
            yield f"{namespace}{item.name}", whole, route
