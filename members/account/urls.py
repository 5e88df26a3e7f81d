"""Sign-in pages that differ from those that come with the sign-in library."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path


def closed(request: HttpRequest) -> HttpResponse:
    """An address is what a person is known by here; staff change it, on the customer's page."""
    raise Http404


urlpatterns = [
    path("email/", closed),
]
