"""Static files of the front-end packages, straight from node_modules, by an allow-list.

`{% static "tabler/css/tabler.min.css" %}` is `node_modules/@tabler/core/dist/css/tabler.min.css`:
each prefix stands for one folder of one package, and only files matching its patterns exist.
"""

import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core import checks
from django.core.files.storage import FileSystemStorage, Storage
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from config.compression import PACKED


@dataclass(frozen=True)
class NodePackage:
    """Which files of a package are served."""

    folder: str
    patterns: tuple[str, ...]

    def allows(self, path: str) -> bool:
        return any(fnmatchcase(path, pattern) for pattern in self.patterns)


# Maps are listed too: the manifest storage follows the references to them in the minified files.
PACKAGES: dict[str, NodePackage] = {
    "tabler": NodePackage(
        "@tabler/core/dist",
        (
            "css/tabler.min.css*",
            "css/tabler.rtl.min.css*",
            "js/tabler.min.js*",
        ),
    ),
    "echarts": NodePackage("echarts/dist", ("echarts.common.min.js",)),
    "inter": NodePackage("@fontsource-variable/inter", ("index.css", "files/*.woff2")),
}


class NodePackageFinder(BaseFinder):
    """Finds static files in node_modules."""

    def __init__(self, app_names: Iterable[str] | None = None) -> None:
        self.root = Path(settings.NODE_MODULES)

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        missing = sorted(
            package.folder
            for package in PACKAGES.values()
            if not (self.root / package.folder).is_dir()
        )
        if not missing:
            return []
        return [
            checks.Warning(
                f"Front-end packages are not installed: {', '.join(missing)}.",
                hint="Run `make setup`.",
                id="setia.W001",
            )
        ]

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        prefix, _, inner = path.replace("\\", "/").partition("/")
        package = PACKAGES.get(prefix)
        found: list[str] = []
        if package is not None and package.allows(inner):
            folder = (self.root / package.folder).resolve()
            file = (folder / inner).resolve()
            if file.is_file() and file.is_relative_to(folder):
                found.append(str(file))
        if find_all:
            return found
        return found[0] if found else None

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        for prefix, package in PACKAGES.items():
            folder = self.root / package.folder
            if not folder.is_dir():
                continue
            storage = FileSystemStorage(location=folder)
            storage.prefix = prefix  # type: ignore[attr-defined]
            for file in sorted(folder.rglob("*")):
                inner = file.relative_to(folder).as_posix()
                if file.is_file() and package.allows(inner):
                    yield inner, storage


class PackingMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """In production static files have packed copies beside them. In development they are packed
    as they are sent, so that a phone waits there no longer than it does later."""

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponseBase:
        answer: FileResponse = WhiteNoiseMiddleware.serve(static_file, request)
        accepted = request.headers.get("Accept-Encoding", "")
        is_text = answer.get("Content-Type", "").startswith(PACKED)
        file = answer.file_to_stream if answer.status_code == 200 else None
        if file is None or not is_text or "gzip" not in accepted:
            return answer
        with file:
            body = gzip.compress(file.read(), 6, mtime=0)
        packed = HttpResponse(body, headers={**answer.headers, "Content-Length": str(len(body))})
        packed["Content-Encoding"] = "gzip"
        patch_vary_headers(packed, ["Accept-Encoding"])
        return packed
