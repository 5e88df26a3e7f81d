"""Merging a duplicate into a customer, and undoing it: what there will be is shown first."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from members.backoffice.forms import MergeForm
from members.errors import DomainError
from members.forms import errors_on, posted
from members.models import Customer
from members.policy import acting, staff_view
from members.responses import dialog_done, htmx_redirect, is_htmx
from members.selectors.customers import get_customer, search_customers
from members.selectors.duplicates import likely_duplicates
from members.selectors.merges import get_merge_of, told_apart
from members.services.merging import merge_customers, preview_merge, preview_undo, undo_merge

FOUND_AT_MOST = 12
SOURCE = "backoffice"


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("customers.merge")
def customer_merge(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Find the duplicate; then see both side by side, and merge them."""
    customer = get_customer(public_id)
    if customer.merged_into is not None:
        return redirect("backoffice:customer", public_id)
    chosen = request.GET.get("with", "")
    if chosen:
        return _confirm(request, customer, get_customer(chosen))
    query = request.GET.get("q", "").strip()[:200]
    hits = search_customers(query, limit=FOUND_AT_MOST) if query else likely_duplicates(customer)
    context = {
        **_page(customer, _("Merge a duplicate into %s") % customer),
        "query": query,
        "hits": [hit for hit in hits if hit.customer != customer],
    }
    template = "backoffice/customer_merge.html"
    return render(request, f"{template}#found" if is_htmx(request) else template, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("customers.merge")
def customer_merge_undo(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The dialog that parts a merged customer from the one it was merged into."""
    merge = get_merge_of(get_customer(public_id))
    problem = _("This merge was undone already.") if merge.undone_at else ""
    if request.method == "POST" and not problem:
        try:
            undo_merge(merge=merge, actor=acting(request), source=SOURCE, now=timezone.now())
        except DomainError as error:
            problem = str(error.message)
        else:
            message = _("%(kept)s and %(duplicate)s are two customers again.")
            words = {
                "kept": told_apart(merge.kept, merge.merged),
                "duplicate": told_apart(merge.merged, merge.kept),
            }
            messages.success(request, message % words)
            # Everything on the page is about other data now.
            return htmx_redirect(request, _url(merge.merged))
    preview = preview_undo(merge=merge, now=timezone.now()) if not problem else None
    context = {
        "title": _("Undo this merge?"),
        "merge": merge,
        "kept_name": told_apart(merge.kept, merge.merged),
        "duplicate_name": told_apart(merge.merged, merge.kept),
        "sections": preview.sections if preview else [],
        "problem": problem or (preview.problem if preview else ""),
        "back": _url(merge.merged),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "backoffice/customer_merge_undo.html", context, status=status)


def _confirm(request: HttpRequest, customer: Customer, duplicate: Customer) -> HttpResponse:
    form = MergeForm(posted(request))
    now = timezone.now()
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            merge_customers(
                kept=customer, merged=duplicate, actor=acting(request), source=SOURCE, now=now,
                reason=form.cleaned_data["reason"],
            )  # fmt: skip
            message = _("%(duplicate)s was merged into %(kept)s.")
            words = {
                "duplicate": told_apart(duplicate, customer),
                "kept": told_apart(customer, duplicate),
            }
            return dialog_done(
                request,
                url=_url(customer),
                message=message % words,
                undo_url=reverse("backoffice:customer_merge_undo", args=[duplicate.public_id]),
            )
    preview = preview_merge(kept=customer, merged=duplicate, now=now)
    here = reverse("backoffice:customer_merge", args=[customer.public_id])
    other = reverse("backoffice:customer_merge", args=[duplicate.public_id])
    context = {
        **_page(customer, _("Merge these two?")),
        "kept_name": told_apart(customer, duplicate),
        "duplicate_name": told_apart(duplicate, customer),
        "preview": preview,
        "form": form,
        "choose_url": here,
        "swap_url": f"{other}?with={customer.public_id}",
    }
    status = 422 if form.is_bound else 200
    return render(request, "backoffice/customer_merge_confirm.html", context, status=status)


def _page(customer: Customer, title: str) -> dict[str, Any]:
    return {
        "customer": customer,
        "title": title,
        "back": _url(customer),
        "breadcrumbs": [
            (_("Customers"), reverse("backoffice:customer_list")),
            (customer.display_name, _url(customer)),
        ],
    }


def _url(customer: Customer) -> str:
    return reverse("backoffice:customer", args=[customer.public_id])
