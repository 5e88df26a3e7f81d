"""What a customer did, summed up: the numbers that segments ask about."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Case, ExpressionWrapper, F, Value, When
from django.db.models.functions import Extract

from members.models.customers import Customer

_DAY_OF_YEAR = (
    "EXTRACT(MONTH FROM %(expressions)s AT TIME ZONE 'UTC') * 100"
    " + EXTRACT(DAY FROM %(expressions)s AT TIME ZONE 'UTC')"
)


def _money(**details: object) -> models.DecimalField:  # type: ignore[type-arg]
    return models.DecimalField(max_digits=18, decimal_places=4, default=0, **details)  # type: ignore[arg-type]


def _worked_out(condition: models.Q, number: object, digits: int = 18) -> models.GeneratedField:
    """A figure that follows from the others; NULL where it makes no sense."""
    kind = models.DecimalField(max_digits=digits, decimal_places=2)
    return models.GeneratedField(
        expression=Case(
            When(condition, then=ExpressionWrapper(number, output_field=kind)),
            default=Value(None),
            output_field=kind,
        ),
        output_field=kind,
        db_persist=True,
    )


class CustomerFacts(models.Model):
    """One row for each customer. Derived: it can be thrown away and worked out anew from orders,
    returns and activities. Money in the shop's currency."""

    customer = models.OneToOneField(
        Customer, on_delete=models.CASCADE, primary_key=True, related_name="facts"
    )
    orders = models.PositiveIntegerField(default=0)
    ordered = _money()
    returned = _money()
    goods = _money()
    discounts = _money()
    first_order_at = models.DateTimeField(null=True)
    last_order_at = models.DateTimeField(null=True)
    categories = ArrayField(models.CharField(max_length=128), default=list)
    # Number of activities by type.
    activities = models.JSONField(default=dict)
    # Percent of those who ever ordered who spent less; worked out for all at once, every night.
    spend_percentile = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    # As of when it was worked out.
    as_of = models.DateTimeField()
    spend = models.GeneratedField(
        expression=F("ordered") - F("returned"),
        output_field=models.DecimalField(max_digits=18, decimal_places=4),
        db_persist=True,
    )
    average_order = _worked_out(
        models.Q(orders__gt=0), (F("ordered") - F("returned")) / F("orders")
    )
    purchase_cycle = _worked_out(
        models.Q(orders__gt=1),
        Extract(
            ExpressionWrapper(
                F("last_order_at") - F("first_order_at"), output_field=models.DurationField()
            ),
            "epoch",
        )
        / Value(Decimal(86400))
        / (F("orders") - Value(1)),
    )
    discount_share = _worked_out(
        models.Q(goods__gt=0), Value(Decimal(100)) * F("discounts") / F("goods")
    )
    returns_share = _worked_out(
        models.Q(ordered__gt=0), Value(Decimal(100)) * F("returned") / F("ordered")
    )

    class Meta:
        indexes = [
            models.Index(fields=["spend"], name="facts_spend"),
            models.Index(fields=["last_order_at", "customer"], name="facts_last_order"),
            # What was worked out since some time.
            models.Index(fields=["as_of"], name="facts_as_of"),
            # Month × 100 + day, by the clock of Greenwich.
            models.Index(
                models.Func("first_order_at", template=_DAY_OF_YEAR), "customer",
                name="facts_day_of_first_order", condition=~models.Q(first_order_at=None),
            ),
            GinIndex(fields=["categories"], name="facts_categories"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.orders} orders"
