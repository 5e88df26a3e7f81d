"""Settings → Connections: which shops and tools tell what happens there, and how that goes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.backoffice.connection_forms import ConnectionForm, EditForm, SecretForm
from campaigns.backoffice.connection_menu import NAMESPACE
from campaigns.backoffice.messages_in import message_rows
from campaigns.models import Connection
from campaigns.selectors.connections import (
    Wanted,
    get_connection,
    health_of,
    is_slow,
    list_connections,
    troubled,
)
from campaigns.selectors.connections import messages as messages_in
from campaigns.services.connections import (
    change_connection,
    create_connection,
    delete_connection,
    renew_secret,
    set_secret,
    switch,
)
from campaigns.services.inbound import replay_failed
from members.formatting import format_number
from members.forms import errors_on, posted
from members.policy import acting, is_allowed, staff_view
from members.responses import htmx_redirect

ACTION = "connections.manage"
SHOWN = 8
# What a shop is asked to tell, as it names it.
TOPICS = {
    Connection.Kind.SHOPIFY: (
        "orders/create", "orders/updated", "orders/paid", "orders/fulfilled", "orders/cancelled",
        "orders/delete", "refunds/create", "customers/create", "customers/update",
        "customers/delete", "customers_email_marketing_consent/update",
        "customers_marketing_consent/update",
    ),
    Connection.Kind.WOOCOMMERCE: (
        "Order created", "Order updated", "Order deleted", "Order restored", "Customer created",
        "Customer updated", "Customer deleted",
    ),
    Connection.Kind.MAPPED: (),
}  # fmt: skip


@require_safe
@staff_view("connections.view")
def connection_list(request: HttpRequest) -> HttpResponse:
    """All of them, and how each does."""
    now = timezone.now()
    found = list_connections()
    health = health_of(found, now=now)
    rows = [(item, health[item.pk], is_slow(health[item.pk], now)) for item in found]
    context = {
        "title": _("Connections"), "rows": rows, "may_manage": is_allowed(request.user, ACTION)
    }  # fmt: skip
    return render(request, "connections/connection_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(ACTION)
def connection_create(request: HttpRequest) -> HttpResponse:
    """The first step; its page then says what to do in the shop."""
    form = ConnectionForm(posted(request))
    if form.is_valid():
        with errors_on(form):
            made = create_connection(actor=acting(request), now=timezone.now(), **form.cleaned_data)
            return redirect(f"{NAMESPACE}:connection", made.public_id)
    back = reverse(f"{NAMESPACE}:connection_list")
    return _form(request, form, _("New connection"), _("Go on"), back, _crumbs())


@require_safe
@staff_view("connections.view")
def connection(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What is still to be done for it, how it does, and what came in last."""
    found = get_connection(public_id)
    now = timezone.now()
    health = health_of([found], now=now)[found.pk]
    newest = messages_in(Wanted(connection=found)).order_by("-pk")[:SHOWN]
    context = {
        "title": found.name, "breadcrumbs": _crumbs(), "connection": found, "health": health,
        "slow": is_slow(health, now), "rows": message_rows(newest), "page": None,
        "address": address_of(found), "topics": TOPICS[Connection.Kind(found.kind)],
        "log_url": f"{reverse(f'{NAMESPACE}:message_list')}?connection={found.public_id}",
        "has_secret": bool(found.secret), "is_shop": found.kind in Connection.SHOPS,
        "may_manage": is_allowed(request.user, ACTION),
    }  # fmt: skip
    return render(request, "connections/connection.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(ACTION)
def connection_edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    found = get_connection(public_id)
    initial = {"name": found.name, "program": found.program.code if found.program else None}
    form = EditForm(posted(request), initial=initial)
    if form.is_valid():
        with errors_on(form):
            change_connection(connection=found, actor=acting(request), changes=form.cleaned_data)
            messages.success(request, _("The connection is changed."))
            return redirect(f"{NAMESPACE}:connection", found.public_id)
    crumbs = [*_crumbs(), (found.name, url_of(found))]
    return _form(request, form, _("Change the connection"), _("Save"), url_of(found), crumbs)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(ACTION)
def connection_secret(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Shopify makes its secret itself: it is pasted. The others get one of ours, shown once."""
    found = get_connection(public_id)
    if found.kind == Connection.Kind.SHOPIFY:
        return _paste_secret(request, found)
    if request.method == "POST":
        secret = renew_secret(connection=found, actor=acting(request))
        context = {
            "title": _("Copy the secret now"), "connection": found, "secret": secret,
            "back_url": url_of(found),
        }  # fmt: skip
        return render(request, "connections/secret.html", context)
    used = health_of([found], now=timezone.now())[found.pk].last_at is not None
    effect = _("It is shown once. A secret that was made before ends at once.")
    if used:
        effect = _("The secret that is in use ends at once: messages are refused until the other"
                   " side has the new one.")  # fmt: skip
    return _dialog(request, found, forms.Form(), effect, _("Make a secret"))


@require_POST
@staff_view(ACTION)
def connection_switch(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """On or off, whichever it is not."""
    found = get_connection(public_id)
    on = bool(request.POST.get("on"))
    switch(connection=found, on=on, actor=acting(request))
    words = _("What it tells is taken in again.") if on else _("Nothing is taken from it any more.")
    messages.success(request, words)
    return redirect(f"{NAMESPACE}:connection", found.public_id)


@require_POST
@staff_view(ACTION)
def connection_replay(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take in again all that failed."""
    found = get_connection(public_id)
    count = replay_failed(connection=found, actor=acting(request))
    words = ngettext(
        "%s message is taken in again.", "%s messages are taken in again.", count
    ) % format_number(count)
    messages.success(request, words)
    return redirect(f"{NAMESPACE}:connection", found.public_id)


@require_POST
@staff_view(ACTION)
def connection_delete(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Forget it, with its log."""
    delete_connection(connection=get_connection(public_id), actor=acting(request))
    messages.success(request, _("The connection is deleted."))
    return redirect(f"{NAMESPACE}:connection_list")


@require_safe
@staff_view("connections.view")
def home_panel(request: HttpRequest) -> HttpResponse:
    """On the home page while something fails or waits too long."""
    context = {
        "title": _("Connections"), "panel_id": "connections", "panel_icon": "plug-connected",
        "troubled": troubled(now=timezone.now()),
    }  # fmt: skip
    return render(request, "connections/home_panel.html", context)


def address_of(found: Connection) -> str:
    """Where the shop or the tool sends to."""
    path = reverse("connection_receive", args=[found.public_id])
    return f"{settings.SITE_URL.rstrip('/')}{path}"


def url_of(found: Connection) -> str:
    return reverse(f"{NAMESPACE}:connection", args=[found.public_id])


def _paste_secret(request: HttpRequest, found: Connection) -> HttpResponse:
    form = SecretForm(posted(request))
    if form.is_valid():
        with errors_on(form):
            set_secret(connection=found, secret=form.cleaned_data["secret"], actor=acting(request))
            messages.success(request, _("The secret is kept. Send a test from the shop."))
            return htmx_redirect(request, url_of(found))
    effect = _(
        "In Shopify under Settings → Notifications → Webhooks it stands below the list: “Your"
        " webhooks will be signed with …”. Of an app it is the client secret."
    )
    return _dialog(request, found, form, effect, _("Keep it"))


def _dialog(
    request: HttpRequest, found: Connection, form: forms.Form, effect: str, submit: str
) -> HttpResponse:
    context = {
        "title": _("Secret of %s") % found, "form": form, "submit": submit,
        "back": url_of(found), "effect": effect,
    }  # fmt: skip
    return render(request, "backoffice/act.html", context, status=422 if form.errors else 200)


def _form(
    request: HttpRequest, form: Any, title: str, submit: str, back: str,
    crumbs: list[tuple[str, str]],
) -> HttpResponse:  # fmt: skip
    context = {
        "title": title, "form": form, "submit": submit, "back_url": back, "breadcrumbs": crumbs
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "connections/connection_form.html", context, status=status)


def _crumbs() -> list[tuple[str, str]]:
    return [(_("Connections"), reverse(f"{NAMESPACE}:connection_list"))]
