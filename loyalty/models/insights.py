"""What programs were month by month, which band each figure is to be in, and what those who joined
in a month did since. Figures are derived: they can be thrown away and measured anew."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from loyalty.models.orders import MoneyField
from loyalty.models.programs import Program

_FIRST_DAY = Q(month__day=1)


class InsightPoint(models.Model):
    """A figure at the end of a month; of the month that runs, at the end of its last day that was
    measured. `metric`: of `loyalty.goal_metrics`, or of a higher application."""

    program = models.ForeignKey(
        Program, on_delete=models.CASCADE, related_name="insight_points", db_index=False
    )
    metric = models.CharField(max_length=24)
    # Of which tier, by its code: members of it or of a higher one.
    tier_code = models.CharField(max_length=32, blank=True, default="")
    # Its first day.
    month = models.DateField()
    # At the end of which it was so.
    day = models.DateField()
    # None: there was nothing to measure.
    value = models.DecimalField(max_digits=18, decimal_places=4, null=True)

    class Meta:
        ordering = ["program", "month", "metric", "tier_code"]
        constraints = [
            models.UniqueConstraint(
                fields=["program", "month", "metric", "tier_code"], name="insight_point_once"
            ),
            models.CheckConstraint(
                name="insight_point_in_its_month",
                condition=_FIRST_DAY & Q(day__gte=F("month")),
            ),
            models.CheckConstraint(
                name="insight_point_of_a_tier",
                condition=Q(tier_code="") | Q(metric="tier_share"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program_id} {self.metric} {self.day}: {self.value}"


class TargetBand(models.Model):
    """Between what a figure of a program is to be, where it is not the usual band. None: open on
    that side."""

    program = models.ForeignKey(
        Program, on_delete=models.CASCADE, related_name="target_bands", db_index=False
    )
    metric = models.CharField(max_length=24)
    # The band of a tier is about those who are in this one, not in a higher one.
    tier_code = models.CharField(max_length=32, blank=True, default="")
    low = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    high = models.DecimalField(max_digits=18, decimal_places=4, null=True)

    class Meta:
        ordering = ["program", "metric", "tier_code"]
        constraints = [
            models.UniqueConstraint(
                fields=["program", "metric", "tier_code"], name="target_band_once"
            ),
            models.CheckConstraint(
                name="target_band_has_an_end",
                condition=Q(low__isnull=False) | Q(high__isnull=False),
            ),
            models.CheckConstraint(
                name="target_band_in_order",
                condition=Q(low=None) | Q(high=None) | Q(low__lte=F("high")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program_id} {self.metric}: {self.low} to {self.high}"


class CohortMonth(models.Model):
    """What the members who joined in one month did in another: sums of all of them."""

    program = models.ForeignKey(
        Program, on_delete=models.CASCADE, related_name="cohort_months", db_index=False
    )
    # The first days of the two months.
    joined = models.DateField()
    month = models.DateField()
    # How many joined, without those who left or were merged since.
    members = models.PositiveIntegerField()
    buyers = models.PositiveIntegerField()
    orders = models.PositiveIntegerField()
    # Less what came back of these orders.
    revenue = MoneyField()
    # Spent and donated, less what was taken back; of all units of the program but stored value.
    units = models.DecimalField(max_digits=24, decimal_places=4)

    class Meta:
        ordering = ["program", "joined", "month"]
        constraints = [
            models.UniqueConstraint(
                fields=["program", "joined", "month"], name="cohort_month_once"
            ),
            models.CheckConstraint(
                name="cohort_month_after_joining",
                condition=Q(joined__day=1, month__day=1, month__gte=F("joined")),
            ),
            models.CheckConstraint(
                name="cohort_month_counts",
                condition=Q(buyers__lte=F("members"), orders__gte=F("buyers")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program_id} {self.joined:%Y-%m} in {self.month:%Y-%m}"
