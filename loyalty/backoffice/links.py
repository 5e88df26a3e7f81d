"""Where the screens of loyalty lead to and come from."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from loyalty.models import Order, Program
from members.models import Customer

Crumbs = list[tuple[str, str]]


def customer_url(customer: Customer) -> str:
    return reverse("backoffice:customer", args=[customer.public_id])


def customer_crumbs(customer: Customer) -> Crumbs:
    """From the list of customers down to one of them."""
    return [
        (_("Customers"), reverse("backoffice:customer_list")),
        (str(customer), customer_url(customer)),
    ]


def order_url(order: Order) -> str:
    return reverse("loyalty_backoffice:order_page", args=[order.pk])


def order_crumbs(order: Order) -> Crumbs:
    """From the list of customers down to one of somebody's orders."""
    crumbs = customer_crumbs(order.customer) if order.customer else []
    return [*crumbs, (_("Order %s") % order.external_id, order_url(order))]


def program_url(program: Program) -> str:
    return reverse("loyalty_backoffice:program_page", args=[program.code])


def program_crumbs(program: Program | None = None) -> Crumbs:
    """From the list of programs down to one of them."""
    crumbs = [(_("Programs"), reverse("loyalty_backoffice:program_list"))]
    return [*crumbs, (program.name, program_url(program))] if program else crumbs
