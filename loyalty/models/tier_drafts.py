"""Tiers that are being written: what a program's ladder may become."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from loyalty.models.programs import Program


class TierDraft(models.Model):
    """The draft beside a program's tiers; it counts for nothing. Published, it is a tier set, and
    this row is gone."""

    program = models.OneToOneField(
        Program, primary_key=True, on_delete=models.CASCADE, related_name="tier_draft"
    )
    # As a program file says them; validated by `loyalty.tier_definitions`.
    tiers = models.JSONField()
    # The number of the tier set that it was written beside; 0: there were no tiers.
    beside = models.PositiveIntegerField()
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    written_at = models.DateTimeField()
    # Who wants it published by a second person.
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField(null=True)
    # Why the second person sent it back.
    sent_back = models.CharField(max_length=500, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="tier_draft_asked",
                condition=Q(asked_by=None, asked_at=None)
                | Q(asked_by__isnull=False, asked_at__isnull=False, sent_back=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program_id}: draft"
