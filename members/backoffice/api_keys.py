"""Keys with which shops, tills and programs speak to the API."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import trigger_client_event

from members.backoffice.forms import ApiKeyForm, ApiKeyRotationForm
from members.forms import errors_on, posted
from members.policy import acting, staff_view
from members.selectors.api_keys import get_api_key, key_limits, list_api_keys
from members.services.api_keys import create_api_key, revoke_api_key, rotate_api_key


@require_safe
@staff_view("api_keys.view")
def api_key_list(request: HttpRequest) -> HttpResponse:
    """The keys in use, and those that were."""
    keys = list_api_keys()
    context = {
        "keys": [(key, key_limits(key)) for key in keys if key.state == "active"],
        "former": [key for key in keys if key.state != "active"],
    }
    return render(request, "backoffice/api_key_list.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("api_keys.manage")
def api_key_create(request: HttpRequest) -> HttpResponse:
    """Make a key and show it, this once."""
    form = ApiKeyForm(posted(request), auto_id="key_%s")
    back_url = reverse("backoffice:api_key_list")
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            key, secret = create_api_key(
                actor=acting(request),
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                expires_at=form.expires_at(),
                **form.limits(),
            )
            title = _("Copy the key now")
            context = {"title": title, "key": key, "secret": secret, "back_url": back_url}
            response = render(request, "backoffice/api_key_created.html", context)
            trigger_client_event(response, "api-key-changed", {})
            return response
    title = _("New API key")
    context = {"title": title, "form": form, "back_url": back_url, "submit": _("Make the key")}
    status = 422 if form.is_bound else 200
    return render(request, "backoffice/api_key_form.html", context, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("api_keys.manage")
def api_key_rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a key another secret and show it, this once."""
    key = get_api_key(pk)
    form = ApiKeyRotationForm(posted(request), auto_id="rotation_%s")
    back_url = reverse("backoffice:api_key_list")
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            rotated, secret = rotate_api_key(
                actor=acting(request), key=key, hours=form.cleaned_data["hours"],
                now=timezone.now(),
            )  # fmt: skip
            title = _("Copy the key now")
            context = {"title": title, "key": rotated, "secret": secret, "back_url": back_url}
            response = render(request, "backoffice/api_key_created.html", context)
            trigger_client_event(response, "api-key-changed", {})
            return response
    title = _("Another secret for “%(name)s”") % {"name": key.name}
    context = {
        "title": title, "form": form, "back_url": back_url, "submit": _("Make the secret")
    }  # fmt: skip
    status = 422 if form.is_bound else 200
    return render(request, "backoffice/api_key_form.html", context, status=status)


@require_POST
@staff_view("api_keys.manage")
def api_key_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End a key; who uses it is refused from now on."""
    key = get_api_key(pk)
    revoke_api_key(actor=acting(request), key=key)
    messages.success(request, _("The key “%(name)s” is revoked.") % {"name": key.name})
    return redirect("backoffice:api_key_list")
