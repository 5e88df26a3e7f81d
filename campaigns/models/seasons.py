"""The merchant's year: seasons in which they sell more, and what each quarter shall come to."""

from __future__ import annotations

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models import Program
from loyalty.models.orders import MoneyField


class Season(models.Model):
    """A time of the year that comes again: by the same day, by a weekday, by Easter, or as written
    down for each year."""

    class Rule(models.TextChoices):
        DAY = "day", _("The same day every year")
        WEEKDAY = "weekday", _("A weekday of a month")
        EASTER = "easter", _("Easter")
        ORTHODOX_EASTER = "orthodox", _("Orthodox Easter")
        WRITTEN = "written", _("As written down for each year")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="seasons", db_index=False
    )
    name = models.CharField(_("name"), max_length=60)
    rule = models.CharField(max_length=8, choices=Rule.choices)
    month = models.PositiveSmallIntegerField(null=True)
    day = models.PositiveSmallIntegerField(null=True)
    # 0 is Monday; which of the month: 1 to 4, or -1 for the last.
    weekday = models.PositiveSmallIntegerField(null=True)
    nth = models.SmallIntegerField(null=True)
    # It begins so many days after what the rule finds; below zero: before.
    shift = models.SmallIntegerField(default=0)
    days = models.PositiveSmallIntegerField(default=1)
    # What one click begins in it, a code of `campaigns.campaign_templates`.
    template = models.CharField(max_length=32, default="points-weekend")
    archived_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["program", "name"], condition=Q(archived_at=None), name="season_name"
            ),
            models.CheckConstraint(
                name="season_days",
                condition=Q(days__gte=1, days__lte=120, shift__gte=-120, shift__lte=120),
            ),
            models.CheckConstraint(
                name="season_by_its_rule",
                condition=Q(rule="day", month__gte=1, month__lte=12, day__gte=1, day__lte=31)
                | Q(rule="weekday", month__gte=1, month__lte=12, weekday__lte=6,
                    nth__in=[1, 2, 3, 4, -1])
                | Q(rule__in=["easter", "orthodox", "written"]),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name


class SeasonDates(models.Model):
    """When a season is in one year, where that is not left to its rule."""

    season = models.ForeignKey(
        Season, on_delete=models.CASCADE, related_name="dates", db_index=False
    )
    year = models.PositiveSmallIntegerField()
    starts_on = models.DateField()
    # The last day of it.
    ends_on = models.DateField()

    class Meta:
        ordering = ["season", "year"]
        constraints = [
            models.UniqueConstraint(fields=["season", "year"], name="season_dates_once"),
            models.CheckConstraint(
                name="season_dates_end_later", condition=Q(ends_on__gte=F("starts_on"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.season} {self.year}"


class QuarterPlan(models.Model):
    """What a quarter shall come to, and what its campaigns may cost together."""

    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="quarter_plans", db_index=False
    )
    year = models.PositiveSmallIntegerField()
    quarter = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(4)]
    )
    aim = models.CharField(_("aim"), max_length=200, blank=True, default="")
    # What members shall buy for, and the budget that campaigns share; None: not said.
    revenue = MoneyField(null=True)
    budget = MoneyField(null=True)

    class Meta:
        ordering = ["program", "year", "quarter"]
        constraints = [
            models.UniqueConstraint(
                fields=["program", "year", "quarter"], name="quarter_plan_once"
            ),
            models.CheckConstraint(
                name="quarter_plan_quarter", condition=Q(quarter__gte=1, quarter__lte=4)
            ),
            models.CheckConstraint(
                name="quarter_plan_money",
                condition=(Q(revenue=None) | Q(revenue__gt=0)) & (Q(budget=None) | Q(budget__gt=0)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program}: {self.year}/{self.quarter}"
