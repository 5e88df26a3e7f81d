"""Settings → Sign-in: where else customers may sign in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.forms import errors_on, posted
from members.models import SignInProvider
from members.policy import acting, staff_view
from members.selectors.sign_in_providers import list_providers
from members.services.sign_in_providers import add_provider, change_provider, remove_provider

ACTION = "sign_in.manage"
LIST = "backoffice:sign_in_provider_list"


class ProviderForm(forms.Form):
    """The checks are the service's. The secret is written, and never shown."""

    name = forms.CharField(
        label=_l("Name"), max_length=40,
        help_text=_l("As customers read it: Continue with Google."),
    )  # fmt: skip
    code = forms.CharField(
        label=_l("Code"), max_length=32,
        help_text=_l("In the address below, and never changed: google."),
    )  # fmt: skip
    issuer = forms.CharField(
        label=_l("Issuer"), max_length=255,
        widget=forms.URLInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_l("Google: https://accounts.google.com. Others say it in their documents."),
    )  # fmt: skip
    client_id = forms.CharField(
        label=_l("Client ID"), max_length=191,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    secret = forms.CharField(
        label=_l("Secret"), max_length=500, required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    is_on = forms.BooleanField(label=_l("Customers can use it"), required=False)

    def __init__(self, data: Any = None, *, provider: SignInProvider | None = None) -> None:
        kept = ("name", "issuer", "client_id", "is_on")
        initial: dict[str, Any] = {"is_on": True}
        if provider is not None:
            initial = {name: getattr(provider, name) for name in kept}
        super().__init__(data, initial=initial, auto_id="provider_%s")
        self.fields["secret"].required = provider is None
        if provider is not None:
            del self.fields["code"]
            self.fields["secret"].help_text = _(
                "Empty: the one that is kept stays. Another issuer needs one of its own, and with"
                " it is forgotten which accounts were whose."
            )


@require_safe
@staff_view("sign_in.view")
def provider_list(request: HttpRequest) -> HttpResponse:
    """All of them, with how many customers use each."""
    context = {"title": _("Sign-in"), "providers": list_providers()}
    return render(request, "backoffice/sign_in_provider_list.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(ACTION)
def provider_create(request: HttpRequest) -> HttpResponse:
    """The form for another one."""
    form = ProviderForm(posted(request))
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            found = add_provider(actor=acting(request), **form.cleaned_data)
            messages.success(request, _("Customers can sign in with %s now.") % found.name)
            return redirect("backoffice:sign_in_provider", found.code)
    return _page(request, _("Another provider"), form, None)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(ACTION)
def provider(request: HttpRequest, code: str) -> HttpResponse:
    """One of them: what is kept, and the address that it sends people back to."""
    found = get_object_or_404(SignInProvider, code=code)
    form = ProviderForm(posted(request), provider=found)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            change_provider(actor=acting(request), provider=found, **form.cleaned_data)
            messages.success(request, _("Saved."))
            return redirect("backoffice:sign_in_provider", found.code)
    return _page(request, found.name, form, found)


@require_POST
@staff_view(ACTION)
def provider_remove(request: HttpRequest, code: str) -> HttpResponse:
    """It is gone, and with it whose accounts there were whose."""
    found = get_object_or_404(SignInProvider, code=code)
    remove_provider(actor=acting(request), provider=found)
    messages.success(request, _("%s is removed.") % found.name)
    return redirect(LIST)


def _page(
    request: HttpRequest, title: str, form: ProviderForm, found: SignInProvider | None
) -> HttpResponse:
    context = {
        "title": title,
        "form": form,
        "provider": found,
        "back_url": settings.SITE_URL + reverse("social_done", args=[found.code if found else "x"]),
        "breadcrumbs": [(str(_("Sign-in")), reverse(LIST))],
    }
    status = 422 if form.is_bound else 200
    return render(request, "backoffice/sign_in_provider.html", context, status=status)
