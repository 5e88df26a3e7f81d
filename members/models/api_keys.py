from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ApiKey(models.Model):
    """What a shop or till presents. Only a hash is kept; the key itself is shown once."""

    name = models.CharField(_("name"), max_length=100, help_text=_("Who uses it: “Web shop”."))
    prefix = models.CharField(max_length=12, unique=True)
    key_hash = models.BinaryField(max_length=32, unique=True)
    scopes = ArrayField(models.CharField(max_length=64))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    # The secret before the one that was made last, and how long it still opens.
    former_hash = models.BinaryField(max_length=32, null=True)
    former_until = models.DateTimeField(null=True)
    rotated_at = models.DateTimeField(null=True)
    # As of staff: keys of programs that it is limited to, which this application does not know;
    # none: all. And of a coalition the partner on whose behalf it speaks.
    programs = ArrayField(models.BigIntegerField(), default=list, db_default=[], blank=True)
    partner = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="api_key_former_secret_ends",
                condition=models.Q(former_hash=None, former_until=None)
                | models.Q(former_hash__isnull=False, former_until__isnull=False),
            ),
            models.CheckConstraint(
                name="api_key_of_partner_limited",
                condition=models.Q(partner=None) | ~models.Q(programs=[]),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def overlaps_until(self) -> datetime | None:
        """Until when the secret before opens as well; None: it does not."""
        until = self.former_until
        return until if until is not None and until > timezone.now() else None

    @property
    def state(self) -> str:
        """Whether it still opens anything: "active", "revoked" or "expired"."""
        if self.revoked_at is not None:
            return "revoked"
        expired = self.expires_at is not None and self.expires_at <= timezone.now()
        return "expired" if expired else "active"


class IdempotencyRecord(models.Model):
    """The answer once given for (API key, Idempotency-Key), replayed when the request comes
    again."""

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    request_hash = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField(null=True)  # NULL while the first is still running
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["api_key", "key"], name="idempotency_key_once"),
        ]

    def __str__(self) -> str:
        return self.key
