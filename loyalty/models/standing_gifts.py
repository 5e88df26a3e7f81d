"""Members who give a share of what they earn, by themselves."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q

from loyalty.models.charities import Charity
from loyalty.models.memberships import Membership
from loyalty.models.wallet_types import WalletType


class StandingGift(models.Model):
    """A share of what a member earns from a day on goes to a charity once it can be spent.

    `earned` is what has become spendable since and was shared already, less what was taken back;
    `carry` what was left of a unit by rounding.
    """

    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="standing_gifts"
    )
    wallet_type = models.ForeignKey(
        WalletType, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    charity = models.ForeignKey(Charity, on_delete=models.PROTECT, related_name="standing_gifts")
    percent = models.DecimalField(max_digits=5, decimal_places=2)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    earned = models.BigIntegerField(default=0)
    carry = models.DecimalField(max_digits=9, decimal_places=6, default=Decimal(0))
    # Up to when what the member earned was looked at.
    looked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "wallet_type"], name="standing_gift_one",
                condition=Q(ended_at=None),
            ),
            models.CheckConstraint(
                name="standing_gift_percent", condition=Q(percent__gt=0, percent__lte=100)
            ),
            models.CheckConstraint(
                name="standing_gift_carry", condition=Q(carry__gte=0, carry__lt=1)
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.percent}% → {self.charity}"
