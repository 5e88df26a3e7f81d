"""Bringing in what happened in a shop before it was connected: a job, begun here."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from campaigns.backoffice.connection_forms import ExportForm, HistoryForm
from campaigns.backoffice.connections import url_of
from campaigns.backoffice.shop_files import text_of
from campaigns.models import Connection
from campaigns.selectors.connections import get_connection
from campaigns.services.connections import set_api_access
from campaigns.services.shop_exports import start_export_import
from campaigns.services.shop_histories import start_history
from members.backoffice.job_rows import job_url
from members.forms import errors_on, posted
from members.policy import acting, staff_view
from members.responses import htmx_redirect
from members.services.job_runs import queue_job


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("connections.manage")
def connection_history(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Ask for the shop's API, and begin."""
    found = get_connection(public_id)
    if found.kind not in Connection.SHOPS:
        raise Http404("Its history comes in files.")
    form = HistoryForm(posted(request), connection=found)
    if form.is_valid():
        data = form.cleaned_data
        with errors_on(form):
            if data["key"]:
                found = set_api_access(
                    connection=found, shop_url=data["shop_url"], key=data["key"],
                    secret=data.get("secret", ""), actor=acting(request),
                )  # fmt: skip
            job = start_history(connection=found, since=data["since"], actor=acting(request))
            queue_job(job)
            return htmx_redirect(request, job_url(job))
    context = {
        "title": _("History of %s") % found, "form": form, "submit": _("Bring it in"),
        "back": url_of(found), "effect": _effect(found),
    }  # fmt: skip
    return render(request, "backoffice/act.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("connections.manage")
def connection_export(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A file that Shopify has exported, brought in by the import that there is."""
    found = get_connection(public_id)
    if found.kind != Connection.Kind.SHOPIFY:
        raise Http404("There is no export that is known.")
    form = ExportForm(
        request.POST or None, request.FILES or None, initial={"program": found.program}
    )
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            job = start_export_import(
                connection=found, program=form.cleaned_data["program"],
                content=text_of(form.cleaned_data["file"]), actor=acting(request),
            )  # fmt: skip
            queue_job(job)
            return htmx_redirect(request, job_url(job))
    context = {
        "title": _("Orders exported from Shopify"), "form": form, "submit": _("Bring it in"),
        "back": url_of(found),
        "effect": _(
            "For orders that the API does not show any more. The file knows customers by their"
            " address only: those that are known here get their orders, the others are guests."
            " Canceled orders and those of which some was given back are left out and named."
        ),
    }  # fmt: skip
    return render(request, "backoffice/act.html", context, status=422 if form.errors else 200)


def _effect(found: Connection) -> str:
    if found.kind == Connection.Kind.SHOPIFY:
        return _(
            "In Shopify, make an app under Settings → Apps → Develop apps that may read orders, all"
            " orders and customers (read_orders, read_all_orders, read_customers), install it, and"
            " copy its access token. Orders earn by the rules in force when they were placed."
        )
    return _(
        "In WooCommerce, make a key that may read under Settings → Advanced → REST API. Orders earn"
        " by the rules in force when they were placed."
    )
