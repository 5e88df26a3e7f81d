"""What a merchant wants of a program: a figure, how much of it, and by when."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.programs import Program
from members.models.telling import tells


class Goal(models.Model):
    """So much of a metric (`loyalty.goals.metrics`) by the end of a day. What it was when the goal
    was set is its baseline: progress is counted from there.

    What is wanted may change while it is open; once closed, nothing does.
    """

    class Metric(models.TextChoices):
        MEMBERS = "members", _("Members")
        ENROLLED = "enrollment_share", _("Buyers who are members")
        ACTIVE = "active_share", _("Active members")
        REDEEMED = "redemption_rate", _("Redemption rate")
        REPEATED = "repeat_rate", _("Members who buy again")
        REVENUE = "member_revenue", _("Revenue of members")
        AVERAGE = "average_order", _("Average order of members")
        LIABILITY = "liability_share", _("Liability of a month’s revenue")
        COST = "cost_share", _("Cost of members’ revenue")
        TIER = "tier_share", _("Members of a tier")
        PURCHASES = "purchases_per_member", _("Purchases of a member")
        VALUE = "member_value", _("Value of a member in three months")
        SEVERAL = "several_categories", _("Members who buy several categories")
        RETAINED = "retention_rate", _("Retention")
        SECOND = "repurchase_rate", _("Repurchase")
        LOST = "churn_rate", _("Churn")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        REACHED = "reached", _("Reached")
        MISSED = "missed", _("Missed")
        GIVEN_UP = "given_up", _("Given up")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="goals")
    metric = models.CharField(_("what"), max_length=24, choices=Metric.choices)
    # Of which tier, by its code: members of it or of a higher one.
    tier_code = models.CharField(_("tier"), max_length=32, blank=True, default="")
    target = models.DecimalField(_("how much"), max_digits=18, decimal_places=4)
    # None: there was nothing to measure by then.
    baseline = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    starts_on = models.DateField(_("from"))
    due_on = models.DateField(_("by"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("owner"),
    )  # fmt: skip
    note = models.CharField(_("note"), max_length=500, blank=True, default="")
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    closed_at = models.DateTimeField(null=True)
    closed_note = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["due_on", "id"]
        constraints = [
            models.CheckConstraint(
                name="goal_metric_known",
                condition=Q(
                    metric__in=[
                        "members", "enrollment_share", "active_share", "redemption_rate",
                        "repeat_rate", "member_revenue", "average_order", "liability_share",
                        "cost_share", "tier_share", "purchases_per_member", "member_value",
                        "several_categories", "retention_rate", "repurchase_rate", "churn_rate",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="goal_of_a_tier",
                condition=(Q(metric="tier_share") & ~Q(tier_code=""))
                | (~Q(metric="tier_share") & Q(tier_code="")),
            ),
            models.CheckConstraint(name="goal_days", condition=Q(due_on__gt=F("starts_on"))),
            models.CheckConstraint(name="goal_target", condition=Q(target__gte=0)),
            models.CheckConstraint(
                name="goal_closed",
                condition=Q(state="open", closed_at=None)
                | Q(state__in=["reached", "missed", "given_up"], closed_at__isnull=False),
            ),
            # Two goals for one figure contradict each other, or are one.
            models.UniqueConstraint(
                fields=["program", "metric", "tier_code"],
                name="goal_one_open",
                condition=Q(state="open"),
            ),
        ]  # fmt: skip
        triggers = [
            *tells("told.goals", "state"),
            pgtrigger.Trigger(
                name="goal_closed_stays",
                operation=pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                condition=pgtrigger.Condition("OLD.state <> 'open'"),
                func="""
                    RAISE EXCEPTION 'a closed goal does not change' USING ERRCODE = 'SL010';
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.get_metric_display()


class GoalPoint(models.Model):
    """What a goal's metric was at the end of a day. Derived: measured from what is known of the
    day, and again by the rebuild."""

    goal = models.ForeignKey(Goal, on_delete=models.CASCADE, related_name="points")
    day = models.DateField()
    # None: there was nothing to measure.
    value = models.DecimalField(max_digits=18, decimal_places=4, null=True)

    class Meta:
        ordering = ["goal", "day"]
        constraints = [
            models.UniqueConstraint(fields=["goal", "day"], name="goal_point_once"),
        ]

    def __str__(self) -> str:
        return f"{self.goal_id} {self.day}: {self.value}"
