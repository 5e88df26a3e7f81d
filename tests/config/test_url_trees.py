"""Every page of the back-office is found in the tree as it is among all, one after the other."""

import re

from django.urls import URLResolver, get_resolver, include, path
from django.urls.resolvers import RegexPattern

from config.url_trees import as_tree
from members.backoffice import home
from tests.api.test_routes import SAMPLES

MODULES = [f"{name}.backoffice.urls" for name in ("members", "loyalty", "rewards", "campaigns")]
SAME = ("func", "args", "kwargs", "url_name", "app_names", "namespaces", "route")


def routes(resolver: URLResolver, before: str = "") -> list[str]:
    found = []
    for item in resolver.url_patterns:
        route = before + str(item.pattern)
        found += routes(item, route) if isinstance(item, URLResolver) else [route]
    return found


def test_every_page_is_the_same_by_both_ways() -> None:
    flat = URLResolver(
        RegexPattern(r"^/"), [path("backoffice/", include(module)) for module in MODULES]
    )
    paths = {
        re.sub(r"<(?:(\w+):)?\w+>", lambda part: SAMPLES[part[1] or "str"], f"/{route}")
        for route in routes(flat)
    }
    assert len(paths) > 500
    for address in paths:
        found, known = get_resolver().resolve(address), flat.resolve(address)
        assert [getattr(found, name) for name in SAME] == [getattr(known, name) for name in SAME]


def test_a_page_is_looked_for_among_few() -> None:
    """At each step those of it alone are tried."""
    found = [
        max(sizes(item))
        for item in get_resolver().url_patterns
        if isinstance(item, URLResolver) and str(item.pattern) == "backoffice/"
    ]
    assert found
    assert max(found) < 70


def sizes(resolver: URLResolver) -> list[int]:
    own = [len(resolver.url_patterns)]
    for item in resolver.url_patterns:
        if isinstance(item, URLResolver):
            own += sizes(item)
    return own


def test_what_is_written_out_is_tried_before_what_stands_for_anything() -> None:
    tree = as_tree(
        [path("<slug:code>/edit/", home.home, name="any"), path("new/edit/", home.home, name="new")]
    )
    for word in ("new", "any"):
        found = URLResolver(RegexPattern(r"^/"), tree).resolve(f"/{word}/edit/")
        assert found.url_name == word
