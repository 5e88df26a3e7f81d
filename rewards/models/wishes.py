"""What members save for, and what they want taken by itself."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from loyalty.models import Membership
from rewards.models.rewards import Reward


class RewardGoal(models.Model):
    """The reward that a member saves for; one at a time."""

    membership = models.OneToOneField(
        Membership, on_delete=models.PROTECT, related_name="reward_goal"
    )
    reward = models.ForeignKey(Reward, on_delete=models.PROTECT, related_name="goals")
    chosen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.reward} · {self.membership}"


class AutoTake(models.Model):
    """A member wants a reward taken for them as often as their balance comes to so much."""

    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="auto_takes", db_index=False
    )
    reward = models.ForeignKey(Reward, on_delete=models.PROTECT, related_name="auto_takes")
    # In the smallest units of the reward's wallet type.
    balance = models.BigIntegerField()
    # The balance is below it, or was since it was last reached: reaching it takes the reward.
    armed = models.BooleanField()
    # How often it was reached; names what was taken then.
    crossings = models.PositiveIntegerField(default=0)
    # Why nothing was taken when it was reached last.
    refusal = models.CharField(max_length=64, blank=True, default="")
    chosen_at = models.DateTimeField()
    reached_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["membership", "reward"], name="auto_take_once"),
            models.CheckConstraint(name="auto_take_balance", condition=Q(balance__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.reward} · {self.membership}"
