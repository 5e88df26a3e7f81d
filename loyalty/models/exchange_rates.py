"""What currencies are worth in others, and by which rates orders count in programs.

Two views say how money of orders adds up for programs: `loyalty_countedorder` has each order in its
own currency, and once more for each program that converted it, in that one's; and
`loyalty_countedrefund` what came back of them. Whoever adds up for a program asks for its currency,
and for `program_id` being it or NULL. `rate` is by what money of the order's lines counts, and
`as_told` is the order's total in its own currency.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.orders import Order
from loyalty.models.programs import Program


class RateField(models.DecimalField):  # type: ignore[type-arg]
    """Ten digits behind the point: a coin of the smallest currency in the largest one."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs["max_digits"] = 20
        kwargs["decimal_places"] = 10
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]


class ExchangeRate(models.Model):
    """From a day on one of a currency is so much of another one, until a later rate."""

    given = models.CharField(_("currency"), max_length=3)
    wanted = models.CharField(_("in"), max_length=3)
    valid_from = models.DateField(_("from"))
    rate = RateField(_("rate"))
    source = models.CharField(
        _("source"), max_length=80, blank=True, default="",
        help_text=_("Who published it, as your bank."),
    )  # fmt: skip
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    # Who wrote it last, as the audit log names them.
    changed_by = models.CharField(max_length=200)

    class Meta:
        ordering = ["-valid_from", "given", "wanted"]
        constraints = [
            models.UniqueConstraint(
                fields=["given", "wanted", "valid_from"], name="exchange_rate_once"
            ),
            models.CheckConstraint(name="exchange_rate_positive", condition=Q(rate__gt=0)),
            models.CheckConstraint(
                name="exchange_rate_of_two",
                condition=Q(given__regex="^[A-Z]{3}$")
                & Q(wanted__regex="^[A-Z]{3}$")
                & ~Q(given=F("wanted")),
            ),
        ]

    def __str__(self) -> str:
        return f"1 {self.given} = {self.rate.normalize():f} {self.wanted}"


class OrderRate(models.Model):
    """A rate that came with an order: one of its currency is so much of another one."""

    order = models.ForeignKey(
        Order, on_delete=models.CASCADE, related_name="told_rates", db_index=False
    )
    currency = models.CharField(max_length=3)
    rate = RateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "currency"], name="order_rate_once"),
            models.CheckConstraint(name="order_rate_positive", condition=Q(rate__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.rate.normalize():f} {self.currency}"


class OrderConversion(models.Model):
    """By which rate an order counts in a program of another currency: kept with its first judgment
    there, and used for all that follows, whatever the table says by then."""

    class Source(models.TextChoices):
        ORDER = "order", _("With the order")
        TABLE = "table", _("From the table of rates")

    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, related_name="conversions", db_index=False
    )
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    rate = RateField()
    # Digits of the currency behind the point, so that the database rounds as the rules do.
    digits = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=8, choices=Source.choices)
    exchange_rate = models.ForeignKey(
        ExchangeRate, null=True, on_delete=models.PROTECT, related_name="conversions"
    )
    inverse = models.BooleanField(default=False)
    # As the row of the table said it then.
    dated = models.DateField(null=True)
    told_by = models.CharField(max_length=80, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "program"], name="order_converted_once"),
            models.CheckConstraint(name="order_conversion_positive", condition=Q(rate__gt=0)),
            models.CheckConstraint(
                name="order_conversion_source",
                condition=Q(source="order", exchange_rate=None, dated=None)
                | Q(source="table", exchange_rate__isnull=False, dated__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order} at {self.rate.normalize():f} {self.currency}"


class MissingRate(models.Model):
    """There was no rate when a program would have converted an order: so it says which of the two
    reasons it was that the order does not count there."""

    order = models.ForeignKey(
        Order, on_delete=models.CASCADE, related_name="missing_rates", db_index=False
    )
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "program"], name="missing_rate_once"),
        ]

    def __str__(self) -> str:
        return f"{self.order} in {self.program}"
