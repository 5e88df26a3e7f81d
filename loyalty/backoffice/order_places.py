"""Orders by their number, for the search box: those of guests, too, whom no customer stands for."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest
from django.utils.translation import gettext as _

from loyalty.backoffice.links import order_url
from loyalty.models import Order
from members.places import Place
from members.policy import is_allowed

# Two shops may number alike.
MOST = 5


def find_orders(request: HttpRequest, typed: str) -> Iterator[Place]:
    """By the whole number, as the shop writes it or with a # before it."""
    number = typed.strip().removeprefix("#")
    if not number or not is_allowed(request.user, "customers.view"):
        return
    wanted = {number, number.upper(), number.lower()}
    found = Order.objects.filter(external_id__in=wanted).select_related("customer")
    for order in found.order_by("-placed_at", "-pk")[:MOST]:
        buyer = str(order.customer) if order.customer else _("of a guest")
        yield Place(_("Order %s") % order.external_id, order_url(order), "receipt", buyer)
