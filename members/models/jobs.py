"""Long work that shows its progress, can be killed, and goes on where it stopped."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Job(models.Model):
    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        SUCCEEDED = "succeeded", _("Done")
        FAILED = "failed", _("Failed")
        CANCELED = "cancelled", _("Canceled")

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
    # When a worker was last asked to take it; null while nobody was.
    queued_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # Runs in a row that got no further than the one before: what kills its workers ends some day.
    attempts = models.PositiveSmallIntegerField(default=0)
    # The process that has it (members.services.job_workers), so that its death is known at once.
    worker = models.CharField(max_length=120, blank=True)
    # Not stored: what its parameters were before it was begun anew.
    replaced: dict[str, Any] | None = None

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

    @property
    def is_open(self) -> bool:
        """Whether it waits or runs."""
        return self.state in {self.State.QUEUED, self.State.RUNNING}

    @property
    def took(self) -> timedelta | None:
        """How long its last run was; None while there is none that has ended."""
        if self.is_open or self.started_at is None or self.finished_at is None:
            return None
        return max(self.finished_at - self.started_at, timedelta())


class JobError(models.Model):
    """A row that a job could not take, and why. The rest of the work goes on."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="errors")
    file = models.CharField(max_length=16)
    row = models.BigIntegerField()
    column = models.CharField(max_length=64)
    value = models.CharField(max_length=200)
    reason = models.CharField(max_length=300)
    # For programs; stable.
    code = models.CharField(max_length=64, default="invalid", db_default="invalid")

    class Meta:
        ordering = ["file", "row", "column"]
        constraints = [
            models.UniqueConstraint(fields=["job", "file", "row", "column"], name="job_error_once"),
        ]

    def __str__(self) -> str:
        return f"{self.file} row {self.row}, {self.column}: {self.reason}"


class JobLogLine(models.Model):
    """Something a job has to say while it runs. Of each job the newest lines are kept."""

    class Level(models.TextChoices):
        INFO = "info", _("Note")
        WARNING = "warning", _("Warning")
        ERROR = "error", _("Error")

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="log_lines")
    at = models.DateTimeField()
    level = models.CharField(max_length=8, choices=Level.choices, default=Level.INFO)
    text = models.CharField(max_length=500)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.text
