"""Sign-in pages that differ from those that come with the sign-in library."""

from __future__ import annotations

from allauth.account import views
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path

from members.account import social
from members.installed.views import forgets_card


def closed(request: HttpRequest, rest: str = "") -> HttpResponse:
    """An address is what a person is known by here; staff change it, on the customer's page. And
    accounts elsewhere are on the page about oneself."""
    raise Http404


urlpatterns = [
    path("login/", forgets_card(views.login), name="account_login"),
    path("login/code/", forgets_card(views.request_login_code), name="account_request_login_code"),
    path("email/", closed),
    path("3rdparty/", closed),
    path("3rdparty/<path:rest>", closed),
    path("social/<path:rest>", closed),
    path("with/<slug:code>/", social.begin, name="social_begin"),
    path("with/<slug:code>/done/", social.done, name="social_done"),
    path("elsewhere/<int:pk>/disconnect/", social.disconnect, name="social_disconnect"),
]
