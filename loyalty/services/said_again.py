"""An order as it is kept, said again: for whoever tells only that it is off."""

from __future__ import annotations

from loyalty.models import Order
from loyalty.services.order_inputs import CustomerRef, LineInput, OrderInput
from loyalty.services.tender_inputs import TenderInput


def as_canceled(stored: Order) -> OrderInput:
    """All that it consists of, canceled. Two queries, or none where lines and tenders are there."""
    return OrderInput(
        external_id=stored.external_id, source=stored.source, placed_at=stored.placed_at,
        currency=stored.currency, total=stored.total, status=Order.Status.CANCELED,
        customer=CustomerRef(key=stored.customer_id) if stored.customer_id else None,
        lines=tuple(
            LineInput(
                line_no=line.line_no, total=line.total, quantity=line.quantity,
                unit_price=line.unit_price, discount=line.discount, tax=line.tax, sku=line.sku,
                name=line.name, category=line.category, tags=tuple(line.tags),
                stored_value=line.stored_value, brand=line.brand, unit_cost=line.unit_cost,
            )
            for line in sorted(stored.lines.all(), key=lambda line: line.line_no)
        ),
        tenders=tuple(
            TenderInput(tender.kind, tender.amount)
            for tender in sorted(stored.tenders.all(), key=lambda tender: tender.pk)
        ),
        tax_total=stored.tax_total, taxes_included=stored.taxes_included,
        shipping_total=stored.shipping_total, discount_total=stored.discount_total,
        channel=stored.channel, store=stored.store, payment_method=stored.payment_method,
        coupons=tuple(stored.coupons), paid_at=stored.paid_at, fulfilled_at=stored.fulfilled_at,
        completed_at=stored.completed_at, sequence=stored.sequence, changed_at=stored.changed_at,
    )  # fmt: skip
