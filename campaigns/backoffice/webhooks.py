"""Settings → Webhooks: who is told what happens, and with which secret it is signed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.backoffice.webhook_forms import EndpointForm, ReplayForm, RotationForm
from campaigns.backoffice.webhook_menu import NAMESPACE
from campaigns.backoffice.webhook_rows import delivery_rows
from campaigns.models import WebhookEndpoint
from campaigns.selectors.webhooks import (
    Wanted,
    deliveries,
    get_endpoint,
    given_up,
    list_endpoints,
)
from campaigns.services.webhook_endpoints import (
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    rotate_secret,
    switch_off,
    switch_on,
)
from campaigns.services.webhook_replays import start_replay
from campaigns.services.webhook_telling import send_ping
from campaigns.webhook_events import told_type
from members.backoffice.job_rows import job_url
from members.errors import DomainError
from members.forms import errors_on, posted
from members.policy import acting, is_allowed, staff_view
from members.responses import htmx_redirect
from members.services.job_runs import queue_job

ACTION = "webhooks.manage"
SHOWN = 8


@require_safe
@staff_view("webhooks.view")
def endpoint_list(request: HttpRequest) -> HttpResponse:
    """All of them, and whether what they are told arrives."""
    context = {
        "title": _("Webhooks"), "endpoints": list_endpoints(), "given_up": given_up(),
        "may_manage": is_allowed(request.user, ACTION),
    }  # fmt: skip
    return render(request, "webhooks/endpoint_list.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(ACTION)
def endpoint_create(request: HttpRequest) -> HttpResponse:
    """Make one and show its secret, this once."""
    form = EndpointForm(posted(request))
    if form.is_valid():
        with errors_on(form):
            endpoint, secret = create_endpoint(
                actor=acting(request), now=timezone.now(), **form.values()
            )
            return _show_secret(request, endpoint, secret)
    context = {
        "title": _("New webhook"), "form": form, "submit": _("Make the webhook"),
        "back_url": reverse(f"{NAMESPACE}:endpoint_list"), "breadcrumbs": _crumbs(),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "webhooks/endpoint_form.html", context, status=status)


@require_safe
@staff_view("webhooks.view")
def endpoint(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What it is told, how that goes, and what can be done about it."""
    found = get_endpoint(public_id)
    newest = deliveries(Wanted(endpoint=found)).order_by("-pk")[:SHOWN]
    now = timezone.now()
    context = {
        "title": str(found),
        "breadcrumbs": _crumbs(),
        "endpoint": found,
        "types": [kind for kind in map(told_type, found.types) if kind is not None],
        "secrets": [
            secret
            for secret in found.secrets.all()
            if secret.expires_at is None or secret.expires_at > now
        ],
        "rows": delivery_rows(newest),
        "page": None,
        "log_url": f"{reverse(f'{NAMESPACE}:delivery_list')}?endpoint={found.public_id}",
        "may_manage": is_allowed(request.user, ACTION),
    }
    return render(request, "webhooks/endpoint.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(ACTION)
def endpoint_edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Change what it is told, and where."""
    found = get_endpoint(public_id)
    form = EndpointForm(posted(request), endpoint=found)
    if form.is_valid():
        with errors_on(form):
            change_endpoint(endpoint=found, actor=acting(request), changes=form.values())
            messages.success(request, _("The webhook is changed."))
            return redirect(f"{NAMESPACE}:endpoint", found.public_id)
    context = {
        "title": _("Change the webhook"), "form": form, "submit": _("Save"),
        "back_url": _url(found), "breadcrumbs": [*_crumbs(), (str(found), _url(found))],
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "webhooks/endpoint_form.html", context, status=status)


@require_POST
@staff_view(ACTION)
def endpoint_switch(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """On or off, whichever it is not."""
    found = get_endpoint(public_id)
    if request.POST.get("on"):
        switch_on(endpoint=found, actor=acting(request))
        messages.success(request, _("It is told again what happens from now on."))
    else:
        switch_off(endpoint=found, actor=acting(request), now=timezone.now())
        messages.success(request, _("It is told nothing any more."))
    return redirect(f"{NAMESPACE}:endpoint", found.public_id)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(ACTION)
def endpoint_rotate(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Another secret, shown this once."""
    found = get_endpoint(public_id)
    form = RotationForm(posted(request))
    if form.is_valid():
        with errors_on(form):
            secret = rotate_secret(
                endpoint=found, actor=acting(request), now=timezone.now(), **form.cleaned_data
            )
            return _show_secret(request, found, secret)
    effect = _("Until the secret before ends, everything is signed with both, so either verifies.")
    return _dialog(request, found, form, _("Another secret"), effect, _("Make a secret"))


@require_POST
@staff_view(ACTION)
def endpoint_ping(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Send a test, and show what becomes of it."""
    found = get_endpoint(public_id)
    try:
        delivery = send_ping(endpoint=found, actor=acting(request), now=timezone.now())
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect(f"{NAMESPACE}:endpoint", found.public_id)
    return redirect(f"{NAMESPACE}:delivery", delivery.public_id)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(ACTION)
def endpoint_replay(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Send again all that has not arrived since a day; a job does it."""
    found = get_endpoint(public_id)
    form = ReplayForm(posted(request), initial={"since": timezone.localdate()})
    if form.is_valid():
        with errors_on(form):
            job = start_replay(endpoint=found, since=form.moment(), actor=acting(request))
            queue_job(job)
            return htmx_redirect(request, job_url(job))
    effect = _("Each is sent under the same id as before, so that nothing counts twice there.")
    return _dialog(request, found, form, _("Send again"), effect, _("Send again"))


@require_POST
@staff_view(ACTION)
def endpoint_delete(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Forget it, with its log."""
    found = get_endpoint(public_id)
    delete_endpoint(endpoint=found, actor=acting(request))
    messages.success(request, _("The webhook is deleted."))
    return redirect(f"{NAMESPACE}:endpoint_list")


@require_safe
@staff_view("webhooks.view")
def home_panel(request: HttpRequest) -> HttpResponse:
    """On the home page while something was given up."""
    context = {
        "title": _("Webhooks"), "panel_id": "webhooks", "panel_icon": "webhook",
        "given_up": given_up(),
    }  # fmt: skip
    return render(request, "webhooks/home_panel.html", context)


def _show_secret(request: HttpRequest, found: WebhookEndpoint, secret: str) -> HttpResponse:
    context = {
        "title": _("Copy the secret now"), "endpoint": found, "secret": secret,
        "back_url": _url(found),
    }  # fmt: skip
    return render(request, "webhooks/secret.html", context)


def _dialog(
    request: HttpRequest, found: WebhookEndpoint, form: Any, title: str, effect: str, submit: str
) -> HttpResponse:
    context = {
        "title": title, "effect": effect, "form": form, "submit": submit, "back": _url(found),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "backoffice/act.html", context, status=status)


def _url(found: WebhookEndpoint) -> str:
    return reverse(f"{NAMESPACE}:endpoint", args=[found.public_id])


def _crumbs() -> list[tuple[str, str]]:
    return [(_("Webhooks"), reverse(f"{NAMESPACE}:endpoint_list"))]
