"""Front-end packages are served from node_modules, and nothing but what the list allows."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.http import HttpResponse
from django.test import RequestFactory

from config.staticfiles import PACKAGES, NodePackageFinder, PackingMiddleware


@pytest.mark.parametrize(
    "path",
    [
        "tabler/css/tabler.min.css",
        "tabler/css/tabler.min.css.map",
        "tabler/js/tabler.min.js",
        "echarts/echarts.common.min.js",
        "inter/index.css",
    ],
)
def test_a_listed_file_is_found(path: str) -> None:
    found = finders.find(path)
    assert isinstance(found, str)
    assert "node_modules" in found
    assert Path(found).is_file()


@pytest.mark.parametrize(
    "path",
    [
        "tabler/package.json",
        "tabler/../package.json",
        "tabler/css/../../package.json",
        "echarts/echarts.js",
        "inter/files/../package.json",
        "axe-core/axe.min.js",
        "tabler",
        "",
    ],
)
def test_anything_else_is_not(path: str) -> None:
    assert NodePackageFinder().find(path) is None
    assert NodePackageFinder().find(path, find_all=True) == []


def test_what_is_listed_is_what_is_found() -> None:
    finder = NodePackageFinder()
    prefixes = set()
    for inner, storage in finder.list(None):
        prefix = storage.prefix  # type: ignore[attr-defined]
        prefixes.add(prefix)
        assert finder.find(f"{prefix}/{inner}") == storage.path(inner)
    assert prefixes == set(PACKAGES)


def test_in_development_too_styles_arrive_packed_and_are_not_sent_again() -> None:
    address = "/static/tabler/css/tabler.min.css"
    served = PackingMiddleware(lambda _request: HttpResponse(status=404))
    served.autorefresh = served.use_finders = True

    def ask(path: str = address, **headers: str) -> Any:
        return served(RequestFactory().get(path, headers=headers))

    plain, packed = ask(), ask(accept_encoding="gzip, br")
    whole = b"".join(plain)
    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert packed["Content-Length"] == str(len(packed.content))
    assert packed["Content-Type"] == plain["Content-Type"]
    assert "Accept-Encoding" in packed["Vary"]
    assert gzip.decompress(packed.content) == whole
    assert len(packed.content) < len(whole) / 5
    again = ask(accept_encoding="gzip", if_none_match=packed["ETag"])
    assert (again.status_code, b"".join(again)) == (304, b"")
    letters = ask("/static/inter/files/inter-latin-wght-normal.woff2", accept_encoding="gzip")
    assert letters.status_code == 200
    assert "Content-Encoding" not in letters


def test_missing_packages_are_told_by_the_checks(tmp_path: Path) -> None:
    finder = NodePackageFinder()
    assert finder.check() == []
    finder.root = tmp_path
    (warning,) = finder.check()
    assert warning.id == "setia.W001"
    assert "@tabler/core/dist" in warning.msg


def test_every_reference_in_the_packages_can_be_followed(tmp_path: Path) -> None:
    """The manifest storage of production refuses a file that points to one not collected."""
    storage = ManifestStaticFilesStorage(location=tmp_path, base_url="/static/")
    paths = {}
    for inner, source in NodePackageFinder().list(None):
        prefix = source.prefix  # type: ignore[attr-defined]
        with source.open(inner) as file:
            storage.save(f"{prefix}/{inner}", file)
        paths[f"{prefix}/{inner}"] = (storage, f"{prefix}/{inner}")
    results = list(storage.post_process(paths))
    assert len(results) >= len(paths)
    assert not [each for each in results if isinstance(each[2], Exception)]
