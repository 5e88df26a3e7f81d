"""Where the shop's pages get the storefront script: one file, small, kept by browsers."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from members.api.public_answers import kept

SOURCE = Path(__file__).parent / "storefront" / "storefront.js"
# A shop sees a new version within the hour.
KEPT = 3_600


@require_safe
def storefront_script(request: HttpRequest) -> HttpResponse:
    """The script, as small as the browser can read it."""
    packs = "gzip" in request.headers.get("Accept-Encoding", "")
    content = packed() if packs else SOURCE.read_bytes()
    response = HttpResponse(content, content_type="text/javascript; charset=utf-8")
    if packs:
        response["Content-Encoding"] = "gzip"
    # Pages of other places load it, also those that ask for what is meant for them.
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    patch_vary_headers(response, ("Accept-Encoding",))
    return kept(request, response, seconds=KEPT)


@cache
def packed() -> bytes:
    """Compressed once for each process."""
    return gzip.compress(SOURCE.read_bytes(), 9, mtime=0)
