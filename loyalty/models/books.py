"""The accountants' view of the ledger: periods that are closed, and looks at whether all agrees."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from loyalty.models.programs import Program
from members.models import Job


class ClosedPeriod(models.Model):
    """Books of a program that do not change any more, from `since` to `until`.

    What is told late of a day in it is booked on the first open day. Opened again it stays as a
    row that says by whom and why.
    """

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="closed_periods")
    # The day after the period before; NULL: from the beginning.
    since = models.DateField(null=True)
    until = models.DateField()
    closed_at = models.DateTimeField()
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    # What a unit was worth when the books were closed, by wallet type key, as decimal text.
    unit_values = models.JSONField(default=dict)
    # What was booked in the period, by wallet type key: {"units": net, "movements": count}, and of
    # "discounts": {"money": net, "lines": count}. Worked out once it is closed; NULL until then.
    booked = models.JSONField(null=True)
    reopened_at = models.DateTimeField(null=True)
    reopened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    reopen_reason = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["program", "-until"]
        constraints = [
            models.UniqueConstraint(
                fields=["program", "until"],
                name="closed_period_once",
                condition=Q(reopened_at=None),
            ),
            models.CheckConstraint(
                name="closed_period_days", condition=Q(since=None) | Q(since__lte=F("until"))
            ),
            models.CheckConstraint(
                name="closed_period_reopened",
                condition=Q(reopened_at=None, reopen_reason="")
                | Q(reopened_at__isnull=False) & ~Q(reopen_reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program}: {self.until}"


class SelfCheck(models.Model):
    """One look at all rules of the books, by a job: the history of whether they held."""

    # Forgotten some day; what was found stays.
    job = models.OneToOneField(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField()
    # NULL while some rules are still to be looked at, or where it was stopped.
    finished_at = models.DateTimeField(null=True)
    looked_at = models.PositiveSmallIntegerField(default=0)
    # Who asked for it; nobody where it ran by itself.
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="self_check_times",
                condition=Q(finished_at=None) | Q(finished_at__gte=F("started_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"self-check #{self.pk}"


class SelfCheckFinding(models.Model):
    """A rule that did not hold, and the first of the rows that broke it."""

    self_check = models.ForeignKey(SelfCheck, on_delete=models.CASCADE, related_name="findings")
    # A key of `loyalty.ledger.checks.RULES`.
    rule = models.CharField(max_length=200)
    count = models.PositiveIntegerField()
    rows = models.JSONField(default=list)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["self_check", "rule"], name="finding_once"),
        ]

    def __str__(self) -> str:
        return f"{self.rule}: {self.count}"
