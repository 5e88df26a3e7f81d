"""Rewards that are given by themselves, on a day of the member's year."""

from __future__ import annotations

import uuid

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.models import Membership
from rewards.models.redemptions import Redemption
from rewards.models.rewards import Reward


class GiftDay(models.Model):
    """A reward that members are given once a year, on a day of their own."""

    class Day(models.TextChoices):
        BIRTHDAY = "birthday", _("Birthday")
        ENROLLMENT = "enrollment", _("Day of joining")
        FIRST_PURCHASE = "first_purchase", _("Day of the first purchase")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reward = models.ForeignKey(Reward, on_delete=models.PROTECT, related_name="gift_days")
    day = models.CharField(_("day"), max_length=16, choices=Day.choices)
    days_before = models.PositiveSmallIntegerField(_("days before"), default=0)
    # Codes of the tiers that have it; none: every member.
    tiers = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    message = models.CharField(_("what they read"), max_length=200, blank=True, default="")
    # Given from this moment on, and not any more from the other.
    since = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="gift_day_known", condition=Q(day__in=["birthday", "enrollment",
                                                            "first_purchase"])
            ),
            models.UniqueConstraint(fields=["reward", "day"], name="gift_day_once"),
            models.CheckConstraint(name="gift_day_ahead", condition=Q(days_before__lte=60)),
        ]  # fmt: skip
        triggers = [pgtrigger.Protect(name="gift_day_stays", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.reward} · {self.day}"


class GiftOccasion(models.Model):
    """What became of such a day of a member, once for each; no redemption: nothing, for it is not
    for their tier."""

    gift_day = models.ForeignKey(
        GiftDay, on_delete=models.PROTECT, related_name="occasions", db_index=False
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="gift_occasions"
    )
    # The birthday, or the anniversary; it may have been given some days ahead.
    day = models.DateField()
    redemption = models.OneToOneField(
        Redemption, null=True, on_delete=models.PROTECT, related_name="gift_occasion"
    )
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["gift_day", "membership", "day"], name="gift_occasion_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership_id}: {self.gift_day_id} on {self.day}"
