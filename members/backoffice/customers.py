"""Finding customers, and creating and editing one."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from members.backoffice.forms import CustomerForm
from members.formatting import format_number
from members.forms import errors_on, posted
from members.list_files import ListFile, hand_out
from members.models import Customer
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view
from members.responses import dialog_done, htmx_redirect, is_htmx
from members.selectors.customer_values import values_in_use
from members.selectors.customers import (
    CustomerHit,
    count_customers,
    get_customer,
    search_customers,
    tagged_customers,
)
from members.services.customers import create_customer, update_customer

FOUND_AT_MOST = 50
PAGE = 25


ORDERINGS = {
    "-since": ("-pk",), "since": ("pk",),
    "name": ("family_name", "given_name", "pk"), "-name": ("-family_name", "-given_name", "-pk"),
}  # fmt: skip
# As an import of people calls them.
FILE: ListFile[Customer] = ListFile(
    "customers",
    {
        "id": lambda row: row.public_id,
        "external_id": lambda row: row.external_id,
        "email": lambda row: row.email,
        "phone": lambda row: row.phone,
        "given_name": lambda row: row.given_name,
        "family_name": lambda row: row.family_name,
        "locale": lambda row: row.locale,
        "country": lambda row: row.country,
        "tags": lambda row: "; ".join(row.tags),
        "since": lambda row: row.created_at,
    },
    personal=True,
)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("customers.view")
def customer_list(request: HttpRequest) -> HttpResponse:
    """Every customer, newest first, or those that the words in the URL find; sent, as a file."""
    query, tag = request.GET.get("q", "").strip()[:200], request.GET.get("tag", "")[:64]
    page, found = None, None
    hits: list[CustomerHit] = []
    if query:
        found = search_customers(query, limit=FOUND_AT_MOST + 1)
        hits = [hit for hit in found if not tag or tag in hit.customer.tags]
    everybody = tagged_customers(tag)
    if request.method == "POST":
        rows = [hit.customer for hit in hits[:FOUND_AT_MOST]] if query else everybody
        return hand_out(request, FILE, rows, orderings=ORDERINGS, default="-since")
    if not query:
        page = paginate(
            everybody, request=request, orderings=ORDERINGS, default="-since", per_page=PAGE
        )
        hits = [CustomerHit(customer, "") for customer in page.items]
    context = {
        "query": query,
        "tag": tag,
        "tags": _tags_to_choose(tag, found),
        "hits": hits[:FOUND_AT_MOST] if query else hits,
        "more": bool(query) and len(hits) > FOUND_AT_MOST,
        "page": page,
        "summary": _counted(),
        "found": _found(len(hits)) if query else "",
        "may_edit": is_allowed(request.user, "customers.edit"),
        "limit": FOUND_AT_MOST,
        "file": FILE.offered(request),
    }
    template = "backoffice/customer_list.html"
    return render(request, f"{template}#results" if is_htmx(request) else template, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("customers.edit")
def customer_create(request: HttpRequest) -> HttpResponse:
    """Add a customer and go to their page."""
    form = CustomerForm(posted(request))
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            customer = create_customer(actor=acting(request), **form.values())
            return htmx_redirect(request, reverse("backoffice:customer", args=[customer.public_id]))
    context = {
        "title": _("New customer"),
        "form": form,
        "submit": _("Create customer"),
        "back_url": reverse("backoffice:customer_list"),
    }
    status = 422 if form.is_bound else 200
    return render(request, "backoffice/customer_form.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("customers.edit")
def customer_edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Change a customer's details."""
    customer = get_customer(public_id)
    form = CustomerForm(posted(request), customer=customer)
    url = reverse("backoffice:customer", args=[public_id])
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            update_customer(customer=customer, actor=acting(request), changes=form.changes())
            message = _("Details saved.")
            return dialog_done(request, url=url, changed="customer", message=message)
    context = {
        "title": _("Edit %(name)s") % {"name": customer.display_name},
        "form": form,
        "submit": _("Save details"),
        "editing": True,
        "back_url": url,
    }
    status = 422 if form.is_bound else 200
    return render(request, "backoffice/customer_form.html", context, status=status)


def _tags_to_choose(chosen: str, found: Iterable[CustomerHit] | None) -> list[str]:
    """Those of whom a search has found, else the most frequent; and what the reader has chosen."""
    if found is None:
        tags = set(values_in_use("tags", ""))
    else:
        tags = {tag for hit in found for tag in hit.customer.tags}
    return sorted(tags | ({chosen} if chosen else set()), key=str.casefold)


def _counted() -> str:
    count = count_customers()
    if count is None:
        return _("Everybody in the programs that you see, and who is in none.")
    if not count:
        return _("Everybody your shop knows, enrolled in a program or not.")
    text = ngettext("%(number)s customer", "%(number)s customers", count)
    return text % {"number": format_number(count)}


def _found(count: int) -> str:
    if count > FOUND_AT_MOST:
        text = _("More than %(limit)s customers found. Type more to narrow it down.")
        return text % {"limit": FOUND_AT_MOST}
    text = ngettext("%(number)s customer found", "%(number)s customers found", count)
    return text % {"number": count}
