"""The customers' own pages: who may see them, and in whose language."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.cache import never_cache

from members.languages import language_of
from members.models import Customer, User
from members.policy import role_of
from members.selectors.merges import current

P = ParamSpec("P")


class CustomerRequest(HttpRequest):
    """A request whose customer is known; everything shown is looked up from `customer`."""

    user: User
    customer: Customer


CustomerView = Callable[Concatenate[CustomerRequest, P], HttpResponse]
AnyView = Callable[Concatenate[HttpRequest, P], HttpResponse]


def customer_view(view: CustomerView[P]) -> AnyView[P]:
    """Decorate a page of the customers' own: look-up and authorization in one.

    Strangers go to sign in by code, and staff who are no customers read why there is nothing to
    see; anybody else without a customer goes to where signing in leads. The page is in the language
    that the customer has chosen, and no cache keeps it.
    """

    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            entrance = reverse("account_request_login_code")
            return redirect_to_login(request.get_full_path(), entrance)
        customer = signed_in_customer(request)
        if customer is None and role_of(request.user) is not None:
            return render(request, "mypage/no_customer.html", status=404)
        if customer is None:
            return redirect("members:landing")
        known = cast(CustomerRequest, request)
        known.customer = customer
        language = language_of(customer) or translation.get_language() or ""
        with translation.override(language):
            response = view(known, *args, **kwargs)
        response.headers.setdefault("Content-Language", language)
        return response

    return never_cache(update_wrapper(guarded, view))


def signed_in_customer(request: HttpRequest) -> Customer | None:
    """Who reads a page that anybody may read, if it is a customer who has signed in."""
    if not isinstance(request.user, User):
        return None
    own = Customer.objects.filter(user=request.user).select_related("merged_into").first()
    return current(own) if own else None
