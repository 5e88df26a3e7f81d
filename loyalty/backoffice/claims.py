"""Assigning a guest order to who bought it, and taking that back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from loyalty.backoffice.orders import earned_by
from loyalty.models import Order, Transfer
from loyalty.services.claims import claim_order, preview_claim, unclaim_order
from members.errors import DomainError
from members.models import Customer
from members.policy import acting, staff_view
from members.responses import htmx_redirect
from members.selectors.customers import get_customer, search_customers

FOUND_AT_MOST = 8
FOUND_ID = "claim-found"


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("customers.edit")
def order_claim(request: HttpRequest, pk: int) -> HttpResponse:
    """The dialog that finds who bought, says what they will earn, and gives them the order."""
    order = get_object_or_404(Order, pk=pk)
    if order.customer_id is not None:
        return _refused(request, order, _("This order has its customer already."))
    chosen = request.POST.get("customer", "") or request.GET.get("customer", "")
    if chosen:
        return _confirm(request, order, get_customer(chosen))
    query = request.GET.get("q", "").strip()[:200]
    context = {
        **_context(order, _("Who bought this?")),
        "query": query,
        "hits": search_customers(query, limit=FOUND_AT_MOST) if query else [],
        "found_id": FOUND_ID,
    }
    part = request.headers.get("HX-Target") == FOUND_ID
    template = "loyalty/backoffice/order_claim.html"
    return render(request, f"{template}#found" if part else template, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("customers.edit")
def order_unclaim(request: HttpRequest, pk: int) -> HttpResponse:
    """The dialog that makes an assigned order a guest's again."""
    order = get_object_or_404(Order.objects.select_related("customer"), pk=pk)
    if order.customer is None or order.claimed_at is None:
        return _refused(request, order, _("Nobody assigned this order to a customer."))
    customer = order.customer
    if request.method == "POST":
        try:
            unclaim_order(
                order=order, actor=acting(request), source=Transfer.Source.BACKOFFICE,
                now=timezone.now(),
            )  # fmt: skip
        except DomainError as error:
            return _refused(request, order, str(error.message))
        message = _("Order %(number)s is a guest order again; what it had earned was taken back.")
        return _done(request, order, message % {"number": order.external_id})
    moved = Transfer.objects.filter(order=order).select_related("wallet", "wallet_type")
    context = {
        **_context(order, _("Take this order away from %s?") % customer),
        "customer": customer,
        "earned": earned_by(moved),
    }
    return render(request, "loyalty/backoffice/order_unclaim.html", context)


def _confirm(request: HttpRequest, order: Order, customer: Customer) -> HttpResponse:
    if request.method == "POST":
        try:
            claim_order(
                order=order, customer=customer, actor=acting(request),
                source=Transfer.Source.BACKOFFICE, now=timezone.now(),
            )  # fmt: skip
        except DomainError as error:
            return _refused(request, order, str(error.message))
        message = _("Order %(number)s is %(customer)s’s now.")
        words = {"number": order.external_id, "customer": customer}
        undo = reverse("loyalty_backoffice:order_unclaim", args=[order.pk])
        return _done(request, order, message % words, undo)
    moved = preview_claim(order=order, customer=customer, now=timezone.now())
    context = {
        **_context(order, _("Assign this order to %s?") % customer),
        "customer": customer,
        "earned": earned_by(moved),
    }
    return render(request, "loyalty/backoffice/order_claim_confirm.html", context)


def _done(request: HttpRequest, order: Order, message: str, undo: str = "") -> HttpResponse:
    messages.success(request, message, extra_tags=f"undo:{undo}" if undo else "")
    return htmx_redirect(request, _url(order))


def _refused(request: HttpRequest, order: Order, problem: str) -> HttpResponse:
    context = {**_context(order, _("This cannot be done")), "problem": problem}
    return render(request, "loyalty/backoffice/order_claim_refused.html", context, status=422)


def _context(order: Order, title: str) -> dict[str, Any]:
    return {"title": title, "order": order, "back": _url(order)}


def _url(order: Order) -> str:
    return reverse("loyalty_backoffice:order_page", args=[order.pk])
