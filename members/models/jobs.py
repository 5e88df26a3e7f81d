"""Long work that shows its progress, can be killed, and goes on where it stopped."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Job(models.Model):
    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        SUCCEEDED = "succeeded", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=64)
    label = models.CharField(max_length=200)
    # Two jobs with the same fingerprint are the same work: the second goes on where the first
    # stopped.
    fingerprint = models.CharField(max_length=64)
    params = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    done = models.BigIntegerField(default=0)
    # What an earlier run had done when this one began, so that the speed is this run's own.
    done_before = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    checkpoint = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    cancel_requested = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "fingerprint"],
                name="job_once_at_a_time",
                condition=models.Q(state__in=["queued", "running", "failed"]),
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0


class JobError(models.Model):
    """A row that a job could not take, and why. The rest of the work goes on."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="errors")
    file = models.CharField(max_length=16)
    row = models.BigIntegerField()
    column = models.CharField(max_length=64)
    value = models.CharField(max_length=200)
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["file", "row", "column"]
        constraints = [
            models.UniqueConstraint(fields=["job", "file", "row", "column"], name="job_error_once"),
        ]

    def __str__(self) -> str:
        return f"{self.file} row {self.row}, {self.column}: {self.reason}"
