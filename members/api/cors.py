"""Which pages of others may speak to the API from a browser.

Only what a member's token opens, and what is public: everything else is for servers, and gets no
such headers. No cookie counts here, so nothing is ever allowed with credentials.
"""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from members.selectors.merchants import get_merchant

OWN = "/api/v1/me"
PUBLIC = "/api/v1/storefront"
METHODS = "GET, POST, PUT, PATCH, DELETE"
SENT = "Authorization, Content-Type, Idempotency-Key, Accept-Language"
TOLD = (
    "ETag, Idempotent-Replayed, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After"
)
PREFLIGHT_KEPT = "7200"


def preflight(request: HttpRequest) -> HttpResponse | None:
    """The answer to a browser that asks before it sends; None to every other request."""
    asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
    if not asks or not _is_open(request.path_info):
        return None
    response = HttpResponse(status=HTTPStatus.NO_CONTENT)
    if _allowed(request):
        response["Access-Control-Allow-Methods"] = METHODS
        response["Access-Control-Allow-Headers"] = SENT
        response["Access-Control-Max-Age"] = PREFLIGHT_KEPT
    return response


def tell_browser(request: HttpRequest, response: HttpResponse) -> None:
    """Say whose pages may read this answer."""
    path = request.path_info
    if not _is_open(path):
        return
    if _is_below(path, PUBLIC):
        response["Access-Control-Allow-Origin"] = "*"
    else:
        patch_vary_headers(response, ("Origin",))
        if "Origin" not in request.headers or not _allowed(request):
            return
        response["Access-Control-Allow-Origin"] = request.headers["Origin"]
    response["Access-Control-Expose-Headers"] = TOLD


def may_use(request: HttpRequest, origins: tuple[str, ...] = ()) -> bool:
    """Whether a page may use a token that is for these origins, or for all of the shop's. What is
    no page, a server or an app, says no origin."""
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    if origins and origin not in origins:
        return False
    return _is_here(request, origin) or origin in get_merchant().shop_origins


def _allowed(request: HttpRequest) -> bool:
    return _is_below(request.path_info, PUBLIC) or may_use(request)


def _is_here(request: HttpRequest, origin: str) -> bool:
    return origin == f"{request.scheme}://{request.get_host()}"


def _is_open(path: str) -> bool:
    return _is_below(path, OWN) or _is_below(path, PUBLIC)


def _is_below(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")
