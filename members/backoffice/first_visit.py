"""The first page of an installation: its administrator and its merchant, in one go."""

from __future__ import annotations

from typing import Any

from babel.numbers import get_territory_currencies
from django import forms
from django.conf import settings
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from members.errors import DomainError
from members.forms import add_domain_errors, posted
from members.merchant_form import MerchantForm
from members.selectors.merchants import DEFAULT_NAME, get_merchant
from members.services.first_visit import begin_installation, is_first_visit

BACKEND = "django.contrib.auth.backends.ModelBackend"


class AdministratorForm(forms.Form):
    """Who begins."""

    your_name = forms.CharField(
        label=gettext_lazy("Your name"), max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )  # fmt: skip
    email = forms.EmailField(
        label=gettext_lazy("Your e-mail address"), max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )  # fmt: skip
    password = forms.CharField(
        label=gettext_lazy("Password"), strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("At least eight characters."),
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def first_visit(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for both; afterwards this page is gone, and the home page says what comes next."""
    # As all pages of the back-office, whatever the browser asks for.
    with translation.override(settings.LANGUAGE_CODE):
        return _first_visit(request, token)


def _first_visit(request: HttpRequest, token: str) -> HttpResponse:
    if not is_first_visit(token):
        raise Http404
    current = get_merchant()
    person = AdministratorForm(posted(request))
    merchant = MerchantForm(posted(request), request.FILES or None, merchant=current)
    if current.name == DEFAULT_NAME:
        merchant.initial["name"] = ""
        merchant.initial["currency"] = likely_currency(request) or current.currency
        if request.method != "POST":
            merchant.fields["time_zone"].widget.attrs["data-own-zone"] = ""
    merchant.fields["name"].label = _("Name of the shop")
    if request.method == "POST" and all([person.is_valid(), merchant.is_valid()]):
        answer = _begin(request, token, person, merchant)
        if answer is not None:
            return answer
    context = {"person": person, "merchant_form": merchant}
    status = 422 if person.errors or merchant.errors else 200
    return render(request, "backoffice/first_visit.html", context, status=status)


def likely_currency(request: HttpRequest) -> str:
    """What is paid with where the browser's language is spoken: “de-CH” is Swiss francs."""
    for language, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        region = language.rpartition("-")[2].upper()
        found = get_territory_currencies(region) if "-" in language and len(region) == 2 else []
        if found:
            return str(found[0])
    return ""


def _begin(
    request: HttpRequest, token: str, person: AdministratorForm, merchant: MerchantForm
) -> HttpResponse | None:
    """None when the forms now say why not."""
    said: dict[str, Any] = person.cleaned_data
    try:
        user = begin_installation(
            token=token, name=said["your_name"], email=said["email"], password=said["password"],
            merchant=merchant.changes(),
        )  # fmt: skip
    except DomainError as error:
        mine = any(item.field in merchant.fields for item in error.errors)
        add_domain_errors(merchant if mine else person, error)
        return None
    login(request, user, backend=BACKEND)
    return redirect("backoffice:home")
