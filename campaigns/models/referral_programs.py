"""What programs promise to those who bring friends, by version."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.models import Program


class ReferralProgram(models.Model):
    """Whether a program has members bring friends. What it gives is in its published terms."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        LIVE = "live", _("Live")
        PAUSED = "paused", _("Paused")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.OneToOneField(
        Program, on_delete=models.PROTECT, related_name="referral_program"
    )
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.DRAFT)
    # What is written and not published yet, as in `campaigns.referral_definitions`; empty: nothing.
    draft = models.JSONField(default=dict, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+",
        db_index=False,
    )  # fmt: skip
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="referral_program_status", condition=Q(status__in=["draft", "live", "paused"])
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="referral_program_stays", operation=pgtrigger.Delete),
            pgtrigger.FSM(
                name="referral_program_goes_on", field="status",
                transitions=[("draft", "live"), ("live", "paused"), ("paused", "live")],
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"referrals of {self.program_id}"


class ReferralTerms(models.Model):
    """What was promised from a moment on. Who came by it is paid by it, whatever comes later."""

    referral_program = models.ForeignKey(
        ReferralProgram, on_delete=models.PROTECT, related_name="terms", db_index=False
    )
    number = models.PositiveIntegerField()
    body = models.JSONField()
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+",
        db_index=False,
    )  # fmt: skip

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["referral_program", "number"], name="referral_terms_number"
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="referral_terms_stay", operation=pgtrigger.Update | pgtrigger.Delete
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"
