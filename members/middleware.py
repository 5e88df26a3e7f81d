"""What every page is in: the merchant, its time zone, and answers to errors of the domain."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from members.errors import DomainError, NotFoundError
from members.responses import is_htmx
from members.selectors.merchants import get_merchant

# Programs are told instants with their offset, and errors as problem details.
WITHOUT_PAGES = ("/api/", "/static/")


class MerchantMiddleware:
    """Reads the merchant once for a page and writes its times in the merchant's time zone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(WITHOUT_PAGES):
            return self.get_response(request)
        merchant = get_merchant()
        request.merchant = merchant  # type: ignore[attr-defined]
        with timezone.override(zoneinfo.ZoneInfo(merchant.time_zone)):
            return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """What is not there is a page that is not there; what cannot be done is said as such."""
        if not isinstance(error, DomainError) or request.path.startswith(WITHOUT_PAGES):
            return None
        if isinstance(error, NotFoundError):
            raise Http404(str(error.message)) from error
        if not is_htmx(request):
            return None
        # Becomes a toast; what is on the page stays as it is.
        messages.error(request, str(error.message))
        response = HttpResponse(status=200)
        response["HX-Reswap"] = "none"
        return response
