"""What is told outside of orders, refunds and activities."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from loyalty.models import Activity, Order, Refund
from members.models import OutboxEvent
from members.models.telling import ToldRow
from members.plain_money import money_text
from members.public_events import CustomerRef, EventData, EventType, PublicEvent, named_rows
from members.selectors.told_customers import SAMPLE as CUSTOMER

State = Activity.State


class BuyerData(EventData):
    """Something that came from a system of the merchant's, by that system's number."""

    source: str
    external_id: str
    customer: CustomerRef | None = Field(description="Null: it is not known who it was.")


class OrderData(BuyerData):
    """An order as Setia has it; what it earned is told as movements of units."""

    status: Order.Status
    total: str = Field(description="Money as decimal text.")
    currency: str
    placed_at: dt.datetime
    changed: list[str] = Field(description="The columns that have changed; empty: it is new.")


class RefundData(BuyerData):
    """Money that was given back."""

    order_external_id: str = Field(description="Of which order; empty: of none that is known.")
    total: str = Field(description="Money as decimal text, above zero.")
    currency: str
    refunded_at: dt.datetime


class ActivityData(BuyerData):
    """Something that a customer did besides buying."""

    id: str = Field(description="The activity's id in the API.")
    type: str = Field(description="The code of the activity type.")
    subject: str = Field(description="What it was about, as a SKU.")
    state: Activity.State
    occurred_at: dt.datetime


_AT = "2026-03-01T09:30:00Z"
_BUYER = {"source": "webshop", "external_id": "10042", "customer": CUSTOMER}
_ORDER = _BUYER | {"status": "paid", "total": "24.90", "currency": "USD", "placed_at": _AT}
_ACTIVITY = _BUYER | {
    "id": "5f0f9f4e-9f35-4a52-8a5c-3a7f6d4a2c01", "external_id": "review-881", "type": "review",
    "subject": "mug-blue", "occurred_at": _AT,
}  # fmt: skip
ORDER_TYPES = (
    EventType(
        "order.recorded", _("An order was recorded."), OrderData,
        OrderData.model_validate(_ORDER | {"changed": []}),
    ),
    EventType(
        "order.changed", _("An order has another status, total or buyer."), OrderData,
        OrderData.model_validate(_ORDER | {"changed": ["status"]}),
    ),
)  # fmt: skip
REFUND_TYPES = (
    EventType(
        "refund.recorded", _("A refund was recorded."), RefundData,
        RefundData.model_validate(
            _BUYER | {"external_id": "R-77", "order_external_id": "10042", "total": "9.90",
                      "currency": "USD", "refunded_at": _AT}
        ),
    ),
)  # fmt: skip
ACTIVITY_TYPES = tuple(
    EventType(
        name, sentence, ActivityData, ActivityData.model_validate(_ACTIVITY | {"state": state})
    )
    for name, sentence, state in (
        ("activity.recorded", _("A customer did something."), State.PENDING),
        ("activity.approved", _("An activity counts."), State.APPROVED),
        ("activity.rejected", _("An activity was rejected."), State.REJECTED),
        ("activity.reversed", _("An activity was taken back."), State.REVERSED),
    )
)


def tell_orders(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    """Orders as they are now; the status is the one that was told."""
    named = named_rows(events, lambda row: ["order.recorded" if row.is_new else "order.changed"])
    orders = Order.objects.select_related("customer").in_bulk([item.row.id for item in named])
    for item in named:
        order = orders[item.row.id]
        values = _buyer(order) | {
            "status": item.row.became, "total": money_text(order.total), "currency": order.currency,
            "placed_at": order.placed_at, "changed": list(item.row.changed),
        }  # fmt: skip
        yield item.told("", OrderData.model_validate(values))


def tell_refunds(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, lambda row: ["refund.recorded"])
    refunds = Refund.objects.select_related("customer").in_bulk([item.row.id for item in named])
    for item in named:
        refund = refunds[item.row.id]
        values = _buyer(refund) | {
            "order_external_id": refund.order_external_id, "total": money_text(refund.total),
            "currency": refund.currency, "refunded_at": refund.refunded_at,
        }  # fmt: skip
        yield item.told("", RefundData.model_validate(values))


def tell_activities(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, _activity_names)
    rows = Activity.objects.select_related("customer", "type")
    activities = rows.in_bulk([item.row.id for item in named])
    for item in named:
        activity = activities[item.row.id]
        values = _buyer(activity) | {
            "id": str(activity.public_id), "type": activity.type.code, "state": item.row.became,
            "subject": activity.subject, "occurred_at": activity.occurred_at,
        }  # fmt: skip
        yield item.told("", ActivityData.model_validate(values))


def _activity_names(row: ToldRow) -> Iterable[str]:
    """One that needs nobody's approval counts as soon as it is recorded."""
    if row.is_new:
        yield "activity.recorded"
    if row.became in {State.APPROVED, State.REJECTED, State.REVERSED}:
        yield f"activity.{row.became}"


def _buyer(found: Any) -> dict[str, Any]:
    customer = found.customer
    return {
        "source": found.source, "external_id": found.external_id,
        "customer": CustomerRef.of(customer) if customer else None,
    }  # fmt: skip
