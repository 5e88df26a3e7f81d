"""A known order that is told with other content: what it says by now takes the place of what it
said. What it earned is reconciled by whoever calls."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from django.utils.translation import gettext as _

from loyalty.errors import OrderConflictError
from loyalty.models import Order, OrderLine, Tender
from loyalty.services.maturities import times_of
from loyalty.services.order_batches import Opened, hold_people
from loyalty.services.order_checks import refuse_order_ahead
from loyalty.services.order_inputs import OrderInput, order_times, with_whole_line
from loyalty.services.tender_inputs import paid_by_kind
from members.errors import FieldError
from members.prepared import KeptQuery, run_prepared, update_row
from members.selectors.merges import were_one

_HELD: KeptQuery[Order] = KeptQuery(lambda pk: Order.objects.filter(pk=pk), ending=" FOR UPDATE")
_TAKEN_OVER = (
    "status", "total", "tax_total", "taxes_included", "shipping_total", "discount_total", "channel",
    "store", "payment_method",
)  # fmt: skip
_TIMES = ("paid_at", "fulfilled_at", "completed_at", "sequence", "changed_at")


def rewrite_order(order: OrderInput, known: Opened, body_hash: bytes, now: dt.datetime) -> bool:
    """A known order with other content: take the new content, keep its place and its
    evaluations. False: the message is older than what is known, and changes nothing."""
    stored = _HELD.one(known.order_id)
    if _is_outdated(order, stored):
        return False
    refuse_order_ahead(order, now, known=stored)
    claims = stored.customer_id is None and known.customer_id is not None
    _refuse_another(order, stored, known, claims=claims)
    if claims:
        hold_people([known.customer_id])
        stored.customer_id = known.customer_id
        stored.refunds.filter(customer=None).update(customer=known.customer_id)
    _take_over_times(order, stored, now)
    for name in _TAKEN_OVER:
        setattr(stored, name, getattr(order, name))
    stored.coupons = list(order.coupons)
    stored.body_hash = body_hash
    update_row(stored, "customer", *_TAKEN_OVER, *_TIMES, "coupons", "body_hash")
    _write_lines(order, stored)
    return True


def _refuse_another(order: OrderInput, stored: Order, known: Opened, *, claims: bool) -> None:
    if not claims and not were_one(stored.customer_id, known.customer_id):
        raise OrderConflictError(
            _("Order %(number)s belongs to another customer.") % {"number": order.external_id},
            errors=[FieldError("customer", _("An order does not change hands."), "immutable")],
        )
    if stored.currency != order.currency:
        raise OrderConflictError(
            _("Order %(number)s was placed in %(currency)s.")
            % {"number": order.external_id, "currency": stored.currency},
            errors=[FieldError("currency", _("An order keeps its currency."), "immutable")],
        )


def _write_lines(order: OrderInput, stored: Order) -> None:
    for table in ("orderline", "tender"):
        run_prepared(f"DELETE FROM loyalty_{table} WHERE order_id = %s", [stored.pk])
    OrderLine.objects.bulk_create(
        OrderLine(
            order=stored, line_no=line.line_no, sku=line.sku, name=line.name,
            category=line.category,
            tags=list(line.tags), quantity=line.quantity, unit_price=line.unit_price,
            discount=line.discount, total=line.total, tax=line.tax, stored_value=line.stored_value,
            brand=line.brand, unit_cost=line.unit_cost,
        )
        for line in with_whole_line(order)
    )  # fmt: skip
    Tender.objects.bulk_create(
        Tender(order=stored, kind=kind, amount=amount)
        for kind, amount in paid_by_kind(order.paid).items()
    )


def _is_outdated(order: OrderInput, stored: Order) -> bool:
    """Whether a newer message came before, by the source's count, else by its time of change."""
    if order.sequence is not None and stored.sequence is not None:
        return order.sequence < stored.sequence
    if order.changed_at is not None and stored.changed_at is not None:
        return order.changed_at < stored.changed_at
    return False


def _take_over_times(order: OrderInput, stored: Order, now: dt.datetime) -> None:
    times = order_times(replace(order, placed_at=stored.placed_at), times_of(stored), now)
    stored.paid_at, stored.fulfilled_at = times.paid_at, times.fulfilled_at
    stored.completed_at = times.completed_at
    if order.sequence is not None:
        stored.sequence = order.sequence
    if order.changed_at is not None:
        stored.changed_at = order.changed_at
