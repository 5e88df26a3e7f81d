"""What a customer has bought, what each purchase earned, and why not more."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from loyalty.account.chosen import Chosen, choose_membership
from loyalty.account.history_filters import PURCHASES, history_filters
from loyalty.account.pages import no_membership, render_months, render_page
from loyalty.models import Membership, Order, WalletType
from loyalty.selectors.exchange_rates import counted_in
from loyalty.selectors.given_back import paid_in_units
from loyalty.selectors.memberships import list_memberships
from loyalty.selectors.orders import earned_in, list_order_rows, orders
from loyalty.services.own_judgments import explain_own_order
from members.account.access import CustomerRequest, customer_view
from members.formatting import format_list, format_money, format_units
from members.paging import paginate
from members.timeline_view import TimelineEntry

PER_PAGE = 20
NEWEST_FIRST = {"newest": ("-placed_at", "-pk")}
CAME_BACK = {
    Order.Status.CANCELED: "cancelled",
    Order.Status.REFUNDED: "refunded",
    Order.Status.PARTLY_REFUNDED: "partly_refunded",
}


@require_safe
@customer_view
def purchases(request: CustomerRequest, public_id: uuid.UUID | None = None) -> HttpResponse:
    """Every purchase by month with what it earned, also nothing; HTMX is given the next rows."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    program = chosen.membership.program
    page = paginate(
        list_order_rows(request.customer).filter(counted_in(program)),
        request=request, orderings=NEWEST_FIRST, default="newest", per_page=PER_PAGE,
    )  # fmt: skip
    count = len(page.items)
    context = {
        "title": _("Purchases"),
        "summary": _("What each earned, and why."),
        "tabs": chosen.tabs("mypage:purchases_of"),
        "filters": history_filters(chosen, PURCHASES),
        "icon": "shopping-bag",
        "empty": (
            _("No purchase yet"),
            _("Show your card with your next purchase. It appears here with what it earned."),
        ),
        "added": ngettext("%d more purchase", "%d more purchases", count) % count,
    }
    return render_months(request, chosen, page, [_entry(order, chosen) for order in page], context)


@require_safe
@customer_view
def purchase(request: CustomerRequest, public_id: uuid.UUID, pk: int) -> HttpResponse:
    """One purchase of the customer's own: what each rule gave for it, and what did not apply."""
    memberships = list_memberships(request.customer)
    membership = next((item for item in memberships if item.public_id == public_id), None)
    order = orders().filter(customer=request.customer, pk=pk).first()
    if membership is None or order is None:
        raise Http404("This customer has no such purchase.")
    chosen = Chosen(membership, memberships)
    context = {
        "title": _title(order),
        "order": order,
        "state": CAME_BACK.get(Order.Status(order.status), ""),
        "earned": _in_words(order, membership),
        "paid": _paid(order, membership),
        "judgment": explain_own_order(order, membership),
        "breadcrumbs": [(_("Purchases"), reverse("mypage:purchases_of", args=[public_id]))],
        "several": len(memberships) > 1,
    }
    return render_page(request, "mypage/purchase.html", chosen, context)


def _entry(order: Order, chosen: Chosen) -> TimelineEntry:
    earned = earned_in(order, chosen.membership)
    return TimelineEntry(
        icon="shopping-bag",
        kind="success" if any(earned.values()) else "neutral",
        title=_title(order),
        moment=order.placed_at,
        text=_("Number %s") % order.external_id,
        amount=_words(earned),
        amount_kind="plus" if any(earned.values()) else "",
        url=reverse("mypage:purchase", args=[chosen.membership.public_id, order.pk]),
        badge=CAME_BACK.get(Order.Status(order.status), ""),
        id=f"purchase-{order.pk}",
    )


def _title(order: Order) -> str:
    amount = format_money(order.total, order.currency)
    if order.store:
        return _("Purchase of %(amount)s, %(store)s") % {"amount": amount, "store": order.store}
    return _("Purchase of %s") % amount


def _paid(order: Order, membership: Membership) -> list[str]:
    """What units of this program paid of it, in words."""
    return [
        _("%(units)s, worth %(money)s")
        % {
            "units": format_units(part.units, part.wallet_type),
            "money": format_money(part.amount, order.currency),
        }
        for part in paid_in_units([order.pk]).get(order.pk, [])
        if part.wallet_type.program_id == membership.program_id
    ]


def _in_words(order: Order, membership: Membership) -> str:
    return _words(earned_in(order, membership))


def _words(earned: dict[WalletType, int]) -> str:
    found = [format_units(units, kind, sign=True) for kind, units in earned.items() if units]
    return format_list(found) or _("Nothing earned")
