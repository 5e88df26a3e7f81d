"""What a member's earlier facts came to, so that an order need not go through all of them."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from loyalty.models.memberships import Membership
from loyalty.models.orders import MoneyField


class TierCheckpoint(models.Model):
    """Where a member stood by all that is dated before `at`. Derived; dropped by triggers as soon
    as something dated earlier is told or changes, and written anew by whoever then goes through
    everything. Members with short histories have none."""

    membership = models.OneToOneField(
        Membership, primary_key=True, on_delete=models.CASCADE, related_name="tier_checkpoint"
    )
    # By which tiers, in which time zone and currency it was worked out; else it counts for nothing.
    basis = models.TextField()
    counts_units = models.BooleanField()
    at = models.DateTimeField()
    joined_at = models.DateTimeField()
    began = models.DateTimeField()
    tiers_since = models.DateTimeField()
    # The state of the course: see `loyalty.tiers.states`.
    rank = models.PositiveSmallIntegerField()
    total = MoneyField()
    turn = models.DateTimeField(null=True)
    due = models.DateTimeField(null=True)
    landing = models.PositiveSmallIntegerField(default=0)
    held = models.DateTimeField(null=True)
    anew = models.DateTimeField(null=True)
    # What a rolling window still counts, by day; and how the tier has changed so far.
    carried = models.JSONField(default=dict)
    changes = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="tier_checkpoint_in_order",
                condition=Q(began__lte=F("tiers_since"), tiers_since__lt=F("at")),
            ),
            models.CheckConstraint(
                name="tier_checkpoint_ranks",
                condition=Q(rank__lte=5, landing__lte=5),
            ),
            # A period ends, or a window rolls.
            models.CheckConstraint(
                name="tier_checkpoint_window",
                condition=Q(turn=None) | Q(held=None, anew=None, carried={}),
            ),
            models.CheckConstraint(
                name="tier_checkpoint_changes", condition=~Q(changes=[]) & ~Q(basis="")
            ),
        ]
        indexes = [
            models.Index(
                fields=["membership"], name="tier_checkpoint_units", condition=Q(counts_units=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership_id}: {self.at}"
