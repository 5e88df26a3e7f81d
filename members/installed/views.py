"""What browsers ask for when somebody adds the members' pages to the home screen."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import get_language, get_language_bidi
from django.views.decorators.http import require_safe

from members.branding import icon_url, icon_version
from members.installed.icons import draw_icon
from members.picture_files import YEAR
from members.selectors.merchants import get_merchant

# Android shows 192 and cuts 512 to its own shapes; iOS shows 180.
SIZES = (180, 192, 512)
WORKER = Path(__file__).parent / "card_keeper.js"


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """The merchant's name, color and icon; it opens with the card."""
    merchant = get_merchant()
    document = {
        "id": reverse("mypage:home"),
        "name": merchant.name,
        "short_name": merchant.name,
        "start_url": reverse("mypage:card"),
        "scope": "/",
        "display": "standalone",
        "lang": get_language(),
        "dir": "rtl" if get_language_bidi() else "ltr",
        "theme_color": merchant.accent_color,
        "background_color": "#ffffff",
        "icons": [
            {
                "src": icon_url(merchant, size),
                "sizes": f"{size}x{size}",
                "type": "image/png",
                "purpose": purpose,
            }
            for size in SIZES
            for purpose in ("any", "maskable")
        ],
    }
    response = JsonResponse(document, content_type="application/manifest+json")
    response["Cache-Control"] = "no-cache"
    return response


@require_safe
def app_icon(request: HttpRequest, size: int) -> HttpResponse:
    """The logo, or the first letter of the name, on the accent color."""
    if size not in SIZES:
        raise Http404("There is no icon of this size.")
    merchant = get_merchant()
    response = HttpResponse(
        draw_icon(merchant, size),
        content_type="image/png",
    )
    known = request.GET.get("v") == icon_version(merchant)
    response["Cache-Control"] = f"public, max-age={YEAR}, immutable" if known else "no-cache"
    return response


def forgets_card(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorate a page that only those see who are not signed in: the worker, which hears of every
    page, then lets go of the card that it kept for whoever was."""

    @wraps(view)
    def telling(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if not request.user.is_authenticated:
            response["Setia-Card"] = "forget"
        return response

    return telling


@require_safe
def card_keeper(request: HttpRequest) -> HttpResponse:
    """The worker, at an address above all that it may answer for."""
    response = HttpResponse(WORKER.read_bytes(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response
