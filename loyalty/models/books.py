"""The accountants' view of the ledger: periods that are closed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from loyalty.models.programs import Program


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
    # What was booked in the period, by wallet type key: {"units": net, "movements": count}. Worked
    # out once it is closed; NULL until then.
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
