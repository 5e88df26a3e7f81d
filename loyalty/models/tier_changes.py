"""How members' tiers have changed, as it was said once."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q

from loyalty.models.memberships import Membership


class TierChange(models.Model):
    """A member has another tier than was last said of them. A row never changes: what is told
    later makes another one, if it leads to another tier."""

    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="tier_changes", db_index=False
    )
    was = models.CharField(max_length=32)
    became = models.CharField(max_length=32)
    # From when on, and why: see `loyalty.tiers.facts.Why`.
    at = models.DateTimeField()
    why = models.CharField(max_length=16)
    why_key = models.CharField(max_length=64, blank=True, default="", db_default="")
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(name="tier_change_is_one", condition=~Q(was=F("became"))),
            models.CheckConstraint(
                name="tier_change_has_tiers", condition=~Q(was="") & ~Q(became="")
            ),
            models.CheckConstraint(
                name="tier_change_why",
                condition=Q(
                    why__in=[
                        "joined", "reached", "revoked", "review", "grace", "dropped_out",
                        "changed", "manual", "manual_ended",
                    ]
                ),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["membership", "-at", "-id"], name="tier_change_history"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="tier_change_immutable", operation=pgtrigger.Update | pgtrigger.Delete
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership_id}: {self.was} → {self.became}"
