"""Where somebody who has signed in belongs."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import user_logged_in
from django.contrib.auth.views import redirect_to_login
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from members.account.proofs import page_of_joining, remember_proof
from members.models import Customer, User
from members.navigation import first_page
from members.policy import role_of
from members.services.first_visit import first_visit_token
from members.services.sign_in import link_customer

CUSTOMERS_PAGE = "mypage:home"


@receiver(user_logged_in)
def link_after_sign_in(request: HttpRequest, user: User, **details: Any) -> None:
    """The code (or the password of a proved address) has shown who this is."""
    link_customer(user)
    elsewhere = details.get("sociallogin")
    if elsewhere is not None and (page := page_of_joining(elsewhere)):
        remember_proof(request, elsewhere.proof, page)


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """Send staff to the back-office, customers to their page, and strangers to sign in."""
    user = request.user
    if not isinstance(user, User):
        # Customers are not told that: they come to their own door where there are any.
        if first_visit_token() and not Customer.objects.exists():
            return render(request, "backoffice/not_begun.html")
        return redirect_to_login(request.get_full_path(), login_url=_entrance())
    if role_of(user) is not None:
        return redirect(first_page(request))
    if link_customer(user) is not None and (url := _customers_page()):
        return redirect(url)
    return render(request, "account/no_place.html", status=403)


def _entrance() -> str:
    """Customers sign in with a code, and most who come here are customers."""
    return reverse("account_request_login_code")


def _customers_page() -> str:
    try:
        return reverse(CUSTOMERS_PAGE)
    except NoReverseMatch:
        return ""
