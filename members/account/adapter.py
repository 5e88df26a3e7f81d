"""How sign-in behaves here: nobody signs up, mail goes by the outbox, each lands where they
belong."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm, RequestLoginCodeForm, ResetPasswordForm
from allauth.core import context as allauth_context
from django.contrib.sites.shortcuts import get_current_site
from django.forms import Field
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

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


class AskedByMail:
    """A form of allauth that asks for an address, by the name that it has everywhere else."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Field] = self.fields  # type: ignore[attr-defined]
        for name in {"login", "email"} & fields.keys():
            fields[name].label = _("E-mail")


class PasswordForm(AskedByMail, LoginForm):  # type: ignore[misc]
    """Set as the form `login`."""


class NewPasswordForm(AskedByMail, ResetPasswordForm):  # type: ignore[misc]
    """Set as the form `reset_password`."""


class CodeRequestForm(AskedByMail, RequestLoginCodeForm):  # type: ignore[misc]
    """Set as the form `request_login_code`.

    Known and unknown addresses get the same answer; only the owner of the mailbox learns more.
    """

    def clean_email(self) -> str:
        provide_user(self.cleaned_data["email"])
        return str(super().clean_email())
