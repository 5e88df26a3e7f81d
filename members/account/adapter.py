"""How sign-in behaves here: nobody signs up, mail goes by the outbox, each lands where they
belong."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import RequestLoginCodeForm
from allauth.core import context as allauth_context
from django.contrib.sites.shortcuts import get_current_site
from django.http import HttpRequest
from django.urls import reverse

from members.selectors.merchants import get_merchant
from members.services.mail import queue_mail
from members.services.sign_in import provide_user


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Set as ACCOUNT_ADAPTER."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Customers come from the shop's data and staff by invitation; nobody by themselves."""
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return reverse("members:landing")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        request = allauth_context.request
        known = {
            "request": request,
            "email": email,
            "merchant": get_merchant(),
            "current_site": get_current_site(request),
        }
        message = self.render_mail(template_prefix, email, known | context)
        html = next((body for body, kind in getattr(message, "alternatives", ())), "")
        queue_mail(to=email, subject=message.subject, text=str(message.body), html=str(html))


class CodeRequestForm(RequestLoginCodeForm):  # type: ignore[misc]
    """Set as the form `request_login_code`.

    Known and unknown addresses get the same answer; only the owner of the mailbox learns more.
    """

    def clean_email(self) -> str:
        provide_user(self.cleaned_data["email"])
        return str(super().clean_email())
