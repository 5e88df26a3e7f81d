"""Who must have a second factor and has none sets it up before anything else of the back-office."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRedirect

from members.models import User
from members.program_scope import SCREENS
from members.selectors.merchants import get_merchant
from members.selectors.staff import must_set_up


class SecondFactorMiddleware:
    """Leads them there from each screen, the repair pages among them. Keys of the API are not
    people, and go on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(SCREENS) and lacks_second_factor(request):
            return _lead(request)
        return self.get_response(request)


def lacks_second_factor(request: HttpRequest) -> bool:
    """Whether whoever asks works here, must have one, and has none. Costs a query where their role
    needs one, and nothing where no role does."""
    merchant = getattr(request, "merchant", None) or get_merchant()
    if not merchant.two_factor_roles or not isinstance(request.user, User):
        return False
    return must_set_up(request.user, merchant.two_factor_roles)


def _lead(request: HttpRequest) -> HttpResponse:
    answer = redirect("mfa_activate_totp")
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(answer.url)
    return answer
