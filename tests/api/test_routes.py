"""Every endpoint is found among those that begin with the same word, as it is among all."""

import pytest
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve

from members.api.routes import PREFIX, _by_word, resolve_path

SAMPLES = {
    "uuid": "6f9619ff-8b86-d011-b42d-00cf4fc964ff", "int": "7", "slug": "a-b", "str": "x y",
    "path": "x/y",
}  # fmt: skip


def routes(resolver, before=""):
    for item in resolver.url_patterns:
        route = before + str(item.pattern)
        if isinstance(item, URLResolver):
            yield from routes(item, route)
        elif isinstance(item, URLPattern) and f"/{route}".startswith(PREFIX):
            yield route


def filled(route):
    parts = []
    for part in route.split("/"):
        if part.startswith("<"):
            kind, _colon, _name = part[1:-1].rpartition(":")
            parts.append(SAMPLES[kind or "str"])
        else:
            parts.append(part)
    return "/" + "/".join(parts)


def test_every_endpoint_is_the_same_by_both_ways():
    paths = {filled(route) for route in routes(get_resolver()) if "^" not in route}
    assert len(paths) > 200
    same = ("func", "args", "kwargs", "url_name", "app_names", "namespaces", "route")
    for path in paths:
        found, known = resolve_path(path), resolve(path)
        assert [getattr(found, name) for name in same] == [getattr(known, name) for name in same]


def test_most_endpoints_are_looked_for_among_few():
    sizes = [
        sum(len(part.url_patterns) for part in found.url_patterns)
        for found in _by_word(None).values()
    ]
    assert max(sizes) < 60


@pytest.mark.parametrize("path", ["/api/v1/", "/api/v1/nothing", "/api/v1/orders/1/2/3/4/5"])
def test_an_address_that_is_none_is_answered_as_ever(path):
    assert resolve_path(path).func == resolve(path).func


def test_outside_of_the_prefix_nothing_is_found():
    with pytest.raises(Resolver404):
        resolve("/nothing/of/it")
