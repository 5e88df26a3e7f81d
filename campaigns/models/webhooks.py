"""Webhooks: where events go, with which secrets they are signed, and what became of each."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.webhook_addresses import without_secrets
from loyalty.models import Program


class WebhookEndpoint(models.Model):
    """An address of somebody who is told. From the moment that it is on it gets what happens; what
    happened while it was off is not told."""

    class Off(models.TextChoices):
        BY_HAND = "by_hand", _("Switched off")
        GONE = "gone", _("It answered that it is gone (410)")
        FAILING = "failing", _("It failed for days")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    url = models.CharField(_("address"), max_length=2000)
    description = models.CharField(_("what it is for"), max_length=200, blank=True, default="")
    # Empty: all there are, also those that come with a later version.
    types = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    # None: of all programs, and what belongs to none.
    program = models.ForeignKey(Program, null=True, on_delete=models.PROTECT, related_name="+")
    enabled = models.BooleanField(_("is told"), default=True)
    off_why = models.CharField(max_length=16, choices=Off.choices, blank=True, default="")
    off_at = models.DateTimeField(null=True)
    # Since when nothing has reached it; None: the last attempt did, or there was none.
    failing_since = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="webhook_endpoint_url", condition=Q(url__regex=r"^https?://")
            ),
            models.CheckConstraint(
                name="webhook_endpoint_off",
                condition=Q(enabled=True, off_why="", off_at=None)
                | Q(enabled=False, off_at__isnull=False)
                & Q(off_why__in=["by_hand", "gone", "failing"]),
            ),
        ]

    def __str__(self) -> str:
        return self.description or self.open_url

    @property
    def open_url(self) -> str:
        """The address for those who may not change it: what follows its host may be a secret."""
        return without_secrets(self.url)


class WebhookSecret(models.Model):
    """What signs what an endpoint is told. Only a seed is kept: with the installation's key the
    secret is worked out from it, so the database alone, or a backup of it, tells nobody's."""

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="secrets")
    seed = models.BinaryField(max_length=32)
    # Of the secret: tells which of the installation's keys it was made with.
    fingerprint = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()
    # It signs beside its successor until then; None: it has none.
    expires_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint"], name="webhook_secret_one_current",
                condition=Q(expires_at=None),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"secret #{self.pk}"


class WebhookEvent(models.Model):
    """Something that has happened, as it is told: its key in the table is its sequence."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    type = models.CharField(max_length=64)
    # By which the same thing is the same.
    key = models.CharField(max_length=160, unique=True)
    # The program's code; empty: of none.
    program = models.CharField(max_length=64, blank=True, default="")
    data = models.JSONField()
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        triggers = [
            pgtrigger.Protect(name="webhook_event_stays", operation=pgtrigger.Update),
        ]

    def __str__(self) -> str:
        return f"{self.type} #{self.pk}"


class WebhookDelivery(models.Model):
    """An event on its way to an endpoint. Claimed by moving `next_at` ahead, as the outbox is: a
    worker that dies loses it when that time has come."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Failed")
        CANCELED = "canceled", _("Not sent")

    # What can be sent again.
    UNDELIVERED = (State.FAILED, State.CANCELED)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    event = models.ForeignKey(WebhookEvent, on_delete=models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    # Since it was begun, or begun again: which wait of the schedule comes next.
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    # Of the last answer; None: none came.
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="webhook_delivery_once"),
            models.CheckConstraint(
                name="webhook_delivery_state",
                condition=Q(state="waiting", next_at__isnull=False, finished_at=None)
                | Q(state__in=["delivered", "failed", "canceled"], next_at=None,
                    finished_at__isnull=False),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                fields=["endpoint", "next_at", "id"], name="webhook_delivery_due",
                condition=Q(state="waiting"),
            ),
            models.Index(fields=["endpoint", "state", "id"], name="webhook_delivery_log"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.event} → {self.endpoint}"


class WebhookAttempt(models.Model):
    """One request to an endpoint, and what it answered."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="attempts")
    at = models.DateTimeField()
    took_ms = models.PositiveIntegerField()
    # None: no answer came; then `error` says why.
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True, default="")
    # What the answer began with.
    body = models.CharField(max_length=1000, blank=True, default="")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="webhook_attempt_answered", condition=Q(status__isnull=False) | ~Q(error="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id}: {self.status or self.error}"
