"""A refund before it is made: what it would take back, and recording it by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from loyalty.backoffice.links import order_crumbs, order_url
from loyalty.backoffice.movements import MovementRow, movement_rows
from loyalty.backoffice.refund_forms import RefundForm
from loyalty.errors import OrderConflictError
from loyalty.models import Order, Refund
from loyalty.selectors.given_back import GivenBack
from loyalty.services.order_inputs import RefundInput
from loyalty.services.refund_drafts import draft_refund, left_of, record_draft
from loyalty.services.refund_previews import WalletEffect, preview_refund
from members.errors import DomainError
from members.formatting import format_money
from members.forms import add_domain_errors, posted
from members.policy import acting, is_allowed, require, staff_view
from members.responses import is_htmx

LOOK = "preview"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a refund would give back in money, and what it would take back in units."""

    draft: RefundInput
    given_back: GivenBack
    effects: list[tuple[WalletEffect, list[MovementRow]]]


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("customers.view")
def order_refund(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose what comes back, see what that takes back, and record it."""
    records = request.method == "POST" and LOOK not in request.POST
    if records:
        require(request.user, "orders.refund")
    orders = Order.objects.select_related("customer").prefetch_related(
        "lines", "tenders", "refunds__lines"
    )
    order = get_object_or_404(orders, pk=pk)
    left = left_of(order)
    form = RefundForm(posted(request), order=order, left=left)
    if records:
        done = _known(request, order, form) or _record(request, order, form)
        if done is not None:
            return done
    shown = _shown(request, order, form) if form.is_bound and form.is_valid() else None
    context = {
        "order": order,
        "left": left,
        "form": form,
        "shown": shown,
        "failed": records and bool(form.errors),
        "may_record": is_allowed(request.user, "orders.refund"),
        "breadcrumbs": order_crumbs(order),
        "back": order_url(order),
        "title": _("Refund of order %s") % order.external_id,
    }
    template = "loyalty/backoffice/order_refund.html"
    if is_htmx(request):
        return render(request, "loyalty/backoffice/order_refund_effect.html", context)
    return render(request, template, context, status=422 if context["failed"] else 200)


def _draft(order: Order, form: RefundForm) -> RefundInput:
    data = form.cleaned_data
    number = _number(data)
    return draft_refund(order, data["chosen"], form.left, external_id=number, at=timezone.now())


def _number(data: dict[str, Any]) -> str:
    return f"staff-{data['key'].hex[:12]}"


def _shown(request: HttpRequest, order: Order, form: RefundForm) -> Shown | None:
    """The effect of the form as it stands; None when the form now says why there is none."""
    draft = _draft(order, form)
    try:
        preview = preview_refund(draft, now=draft.refunded_at)
    except DomainError as error:
        add_domain_errors(form, error)
        return None
    effects = [
        (effect, movement_rows(effect.movements, request.user)) for effect in preview.effects
    ]
    return Shown(draft, preview.given_back, effects)


def _known(request: HttpRequest, order: Order, form: RefundForm) -> HttpResponse | None:
    """The answer to a form that was sent already, whatever it says by now."""
    form.is_valid()
    key = form.cleaned_data.get("key")
    refunds = Refund.objects.filter(source=order.source)
    found = refunds.filter(external_id=_number(form.cleaned_data)).first() if key else None
    return _done(request, order, found) if found else None


def _record(request: HttpRequest, order: Order, form: RefundForm) -> HttpResponse | None:
    """Record it and go back to the order; None when the form now says why not."""
    if not form.is_valid():
        return None
    draft = _draft(order, form)
    try:
        refund = record_draft(
            order=order, draft=draft, actor=acting(request), now=draft.refunded_at
        )
    except OrderConflictError as error:
        # The same form, in the same moment.
        known = _known(request, order, form)
        if known is None:
            add_domain_errors(form, error)
        return known
    except DomainError as error:
        add_domain_errors(form, error)
        return None
    return _done(request, order, refund)


def _done(request: HttpRequest, order: Order, refund: Refund) -> HttpResponse:
    messages.success(
        request,
        _("The refund of %(money)s was recorded as %(number)s.")
        % {
            "money": format_money(refund.total, refund.currency),
            "number": refund.external_id,
        },
    )
    return redirect(order_url(order))
