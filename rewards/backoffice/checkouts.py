"""A customer's carts: what is held for them now, and letting it go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.links import customer_crumbs, customer_url, order_url
from loyalty.backoffice.reason_forms import ReasonForm
from loyalty.models import Order, Transfer
from loyalty.selectors.memberships import list_memberships
from members.formatting import format_money, format_units
from members.forms import errors_on, posted
from members.models import Customer
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view
from members.responses import dialog_done
from members.selectors.erased import is_known
from rewards.models import Checkout
from rewards.selectors.checkouts import checkouts, checkouts_of
from rewards.services.asked_back import let_go_as_staff

Status = Checkout.Status


@dataclass(frozen=True, slots=True)
class CartRow:
    """A cart of a list. `order`: the address of its order's page, once that was told."""

    checkout: Checkout
    kept: list[str]
    order: str
    held: bool


@require_safe
@staff_view("customers.view")
def checkout_panel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A customer's carts, newest first."""
    customer = get_object_or_404(Customer, public_id=public_id)
    page = paginate(
        checkouts_of(list_memberships(customer)), request=request,
        orderings={"": ("-created_at", "-pk")}, default="", per_page=5,
    )  # fmt: skip
    context = {
        "customer": customer,
        "title": _("Carts"),
        "panel_id": "checkouts",
        "panel_icon": "shopping-cart",
        "panel_flush": True,
        "panel_refresh": "wallet-changed",
        "breadcrumbs": customer_crumbs(customer),
        "page": page,
        "rows": cart_rows(page.items),
        "may_act": is_known(customer) and is_allowed(request.user, "rewards.give"),
    }
    return render(request, "rewards/backoffice/checkout_panel.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rewards.give")
def checkout_cancel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Let go what is held for a cart; what comes back is said first."""
    found = get_object_or_404(checkouts(), public_id=public_id)
    form = ReasonForm(posted(request))
    back = customer_url(found.membership.customer)
    if form.is_valid():
        with errors_on(form):
            let_go_as_staff(
                checkout=found, reason=form.cleaned_data["reason"],
                source=Transfer.Source.BACKOFFICE.value, actor=acting(request), now=timezone.now(),
            )  # fmt: skip
            return dialog_done(
                request, url=back, changed="wallet", message=_("It was let go, and all came back.")
            )
    context = {
        "title": _("Let the cart %s go?") % found.cart,
        "checkout": found,
        "kept": kept_by(found),
        "form": form,
        "back": back,
    }
    status = 422 if form.errors else 200
    return render(request, "rewards/backoffice/checkout_cancel.html", context, status=status)


def cart_rows(found: Iterable[Checkout]) -> list[CartRow]:
    """Of carts as `checkouts` loads them; one query more for their orders."""
    found = list(found)
    numbers = [item.order_external_id for item in found if item.order_external_id]
    orders = {
        (order.source, order.external_id): order
        for order in Order.objects.filter(external_id__in=numbers)
    }
    now = timezone.now()
    rows = []
    for item in found:
        order = orders.get((item.source, item.order_external_id))
        held = item.status == Status.RESERVED and item.reserved_until > now
        rows.append(CartRow(item, kept_by(item), order_url(order) if order else "", held))
    return rows


def kept_by(found: Checkout) -> list[str]:
    """What it keeps, or had kept, in words."""
    said = [
        _("%(units)s pay %(money)s")
        % {
            "units": format_units(item.transfer.amount, item.wallet_type),
            "money": format_money(item.amount, found.currency),
        }
        for item in found.units.all()
    ]
    said += [item.redemption.reward.name for item in found.rewards.all()]
    said += [_("Voucher %s") % item.voucher.masked for item in found.vouchers.all()]
    said += [
        _("Gift card %(card)s pays %(money)s")
        % {"card": item.gift_card, "money": format_money(item.amount, found.currency)}
        for item in found.gift_cards.all()
    ]
    return said
