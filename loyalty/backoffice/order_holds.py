"""Holding an order back, releasing it, confirming it early: the effect first, with a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from loyalty.backoffice.links import order_url
from loyalty.backoffice.lots import LotRow, lot_rows
from loyalty.backoffice.reason_forms import ReasonForm
from loyalty.models import Order
from loyalty.services.order_holds import (
    HoldPreview,
    confirm_order,
    hold_order,
    preview_hold,
    release_order,
)
from members.errors import DomainError
from members.forms import errors_on, posted
from members.policy import acting, staff_view
from members.responses import htmx_redirect


@dataclass(frozen=True, slots=True)
class Act:
    """One of the three things: its words, its service, and whether there is nothing to do."""

    change: Callable[..., Order]
    title: Promise
    text: Promise
    verb: Promise
    done: Promise
    idle: Promise

    def is_idle(self, order: Order) -> bool:
        if self.change is confirm_order:
            return order.confirmed_at is not None
        return (order.held_at is not None) == (self.change is hold_order)


ACTS = {
    "hold": Act(
        hold_order,
        _("Hold order %s back?"),
        _("What it earned cannot be spent until somebody releases it. Nothing is taken away."),
        _("Hold back"),
        _("Order %s is held back."),
        _("This order is held back already."),
    ),
    "release": Act(
        release_order,
        _("Release order %s?"),
        _("What it earned goes on waiting for what the program says, or has waited long enough."),
        _("Release"),
        _("Order %s was released."),
        _("This order is not held back."),
    ),
    "confirm": Act(
        confirm_order,
        _("Confirm order %s early?"),
        _("What it earned can be spent at once. This cannot be undone; a refund still takes back."),
        _("Confirm early"),
        _("Order %s was confirmed."),
        _("This order was confirmed already."),
    ),
}


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("orders.hold")
def order_hold(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """The dialog of one of the three."""
    order = get_object_or_404(Order, pk=pk)
    chosen = ACTS[act]
    form = ReasonForm(posted(request))
    problem, preview = _look(order, chosen)
    if request.method == "POST" and not problem and form.is_valid():
        with errors_on(form):
            chosen.change(
                order=order,
                actor=acting(request),
                reason=form.cleaned_data["reason"],
                now=timezone.now(),
            )
            messages.success(request, str(chosen.done) % order.external_id)
            # Much of the page changes with it, so the dialog ends in a fresh one.
            return htmx_redirect(request, order_url(order))
    context = {
        "title": str(chosen.title) % order.external_id,
        "order": order,
        "act": chosen,
        "form": form,
        "problem": problem,
        "effects": preview.wallets if preview else [],
        "lots": _rows(preview) if preview else [],
        "back": order_url(order),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "loyalty/backoffice/order_hold.html", context, status=status)


def _look(order: Order, act: Act) -> tuple[str, HoldPreview | None]:
    """Why there is nothing to do, or what it would do."""
    if act.is_idle(order):
        return str(act.idle), None
    try:
        return "", preview_hold(act.change, order=order, now=timezone.now())
    except DomainError as error:
        return str(error.message), None


def _rows(preview: HoldPreview) -> list[LotRow]:
    return lot_rows(preview.lots, timezone.now())
