"""Wallets, movements and orders of a customer: panels that each are a page of their own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from loyalty.backoffice.links import customer_crumbs
from loyalty.backoffice.lots import lot_rows
from loyalty.backoffice.movements import movement_rows
from loyalty.backoffice.orders import order_rows
from loyalty.card_words import card_summaries
from loyalty.models import Transfer
from loyalty.selectors.adjustment_requests import waiting_requests_of
from loyalty.selectors.balances import balances_of
from loyalty.selectors.lots import open_lots
from loyalty.selectors.memberships import list_memberships, wallet_ids
from loyalty.selectors.orders import list_order_rows
from loyalty.selectors.program_times import taking_members
from loyalty.selectors.transfers import history_of
from loyalty.services.member_cards import cards_of_all
from members.models import Customer
from members.paging import paginate
from members.policy import is_allowed, staff_view
from members.selectors.erased import is_known


@require_safe
@staff_view("customers.view")
def wallet_panel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What the customer holds in every program, and the way to change it."""
    customer = get_object_or_404(Customer, public_id=public_id)
    memberships = list_memberships(customer)
    balances = balances_of(memberships, timezone.now()) if memberships else {}
    cards = cards_of_all(memberships, timezone.now()) if memberships else {}
    # What was merged into another customer, or is of somebody erased, is only looked at here.
    is_current = is_known(customer)
    may_enroll = is_current and is_allowed(request.user, "customers.edit")
    joined = [membership.program_id for membership in memberships]
    joinable = (
        taking_members(timezone.now()).exclude(pk__in=joined).count()
        if may_enroll or not memberships
        else 0
    )
    context = {
        **_panel(customer, "wallets", _("Wallets"), "wallet"),
        "holdings": [
            (
                member,
                balances.get(member.pk, []),
                card_summaries(cards[member.pk], member.program.currency),
            )
            for member in memberships
        ],
        "may_adjust": is_current and is_allowed(request.user, "points.adjust"),
        "may_settle": is_current and is_allowed(request.user, "debts.settle"),
        "waiting": waiting_requests_of(customer, timezone.now()) if memberships else [],
        "may_enroll": may_enroll,
        "joinable": joinable,
    }
    return render(request, "loyalty/backoffice/wallet_panel.html", context)


@require_safe
@staff_view("customers.view")
def movement_panel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Everything that was added to or taken from the customer's wallets, newest first."""
    customer = get_object_or_404(Customer, public_id=public_id)
    found = history_of(list_memberships(customer))
    kind = request.GET.get("kind", "")
    if kind in Transfer.Kind.values:
        found = found.filter(kind=kind)
    page = paginate(
        found, request=request, orderings={"": ("-occurred_at", "-pk")}, default="", per_page=8
    )
    context = {
        **_panel(customer, "movements", _("Movements"), "history"),
        "panel_flush": True,
        "page": page,
        "rows": movement_rows(page, request.user, may_undo=is_known(customer)),
        "kinds": Transfer.Kind.choices,
        "kind": kind,
    }
    return render(request, "loyalty/backoffice/movement_panel.html", context)


@require_safe
@staff_view("customers.view")
def lot_panel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What the customer holds, lot by lot, those that expire first first."""
    customer = get_object_or_404(Customer, public_id=public_id)
    now = timezone.now()
    memberships = list_memberships(customer)
    page = paginate(
        open_lots(wallet_ids(memberships), now),
        request=request,
        orderings={"": ("due_at", "pk")},
        default="",
        per_page=6,
    )
    context = {
        **_panel(customer, "lots", _("Lots"), "stack-2"),
        "panel_flush": True,
        "page": page,
        "rows": lot_rows(page, now),
        "several": len(memberships) > 1,
        "may_extend": is_known(customer) and is_allowed(request.user, "lots.edit"),
    }
    return render(request, "loyalty/backoffice/lot_panel.html", context)


@require_safe
@staff_view("customers.view")
def order_panel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What the customer bought, and what each order earned."""
    customer = get_object_or_404(Customer, public_id=public_id)
    page = paginate(
        list_order_rows(customer),
        request=request,
        orderings={"": ("-placed_at", "-pk")},
        default="",
        per_page=6,
    )
    context = {
        **_panel(customer, "orders", _("Orders"), "receipt"),
        "panel_flush": True,
        "page": page,
        "rows": order_rows(page),
    }
    return render(request, "loyalty/backoffice/order_panel.html", context)


def _panel(customer: Customer, panel_id: str, title: str, icon: str) -> dict[str, Any]:
    return {
        "customer": customer,
        "title": title,
        "panel_id": panel_id,
        "panel_icon": icon,
        "panel_refresh": "wallet-changed",
        "breadcrumbs": customer_crumbs(customer),
    }
