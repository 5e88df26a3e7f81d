"""What members save for, and what they want taken by itself."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q

from loyalty.models import Membership, Wallet
from rewards.models.rewards import Reward

# From when on one that waits (`a`) is to be looked at, by its wallet (`w`): at once where the
# balance is on the other side of what it waits for, else when time alone changes the balance.
LOOK_AT = """
    CASE WHEN (CASE WHEN w.debt_blocks AND w.owed > 0 THEN 0
                    ELSE greatest(w.balance - w.owed, 0) END >= {a}.balance) = {a}.armed
         THEN timestamptz 'epoch'
         ELSE nullif(w.next_change_at, timestamptz '9999-12-31 00:00:00+00') END"""
# A row is written. What is being posted to its wallet is waited for.
_CHOSEN = """
    SELECT {look_at} INTO NEW.look_at
      FROM loyalty_membership m
      JOIN rewards_reward r ON r.id = NEW.reward_id
      JOIN loyalty_wallet w ON w.account_id = m.account_id AND w.wallet_type_id = r.wallet_type_id
     WHERE m.id = NEW.membership_id
       FOR SHARE OF w;
    RETURN NEW;
""".format(look_at=LOOK_AT.format(a="NEW"))
# What a wallet holds has changed, or when it will: whoever wrote, a service or SQL.
WATCHED = ("balance", "owed", "debt_blocks", "next_change_at")
_HELD = """
    IF NOT EXISTS (SELECT FROM rewards_autotake) THEN
        RETURN NULL;
    END IF;
    UPDATE rewards_autotake a SET look_at = {look_at}
      FROM (SELECT NEW.*) w, loyalty_membership m, rewards_reward r
     WHERE m.account_id = w.account_id AND a.membership_id = m.id
       AND r.id = a.reward_id AND r.wallet_type_id = w.wallet_type_id
       AND a.look_at IS DISTINCT FROM {look_at};
    RETURN NULL;
""".format(look_at=LOOK_AT.format(a="a"))


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
    # From when on its balance may be on the other side: those that are due are looked at and no
    # others. Triggers say it, with each change of the row or of its wallet; None: nothing is ahead.
    look_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["membership", "reward"], name="auto_take_once"),
            models.CheckConstraint(name="auto_take_balance", condition=Q(balance__gt=0)),
        ]
        indexes = [
            models.Index(fields=["look_at"], name="auto_take_look_at", condition=~Q(look_at=None)),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="look_at_new", when=pgtrigger.Before, operation=pgtrigger.Insert, func=_CHOSEN
            ),
            pgtrigger.Trigger(
                name="look_at_changed", when=pgtrigger.Before, func=_CHOSEN,
                operation=pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
                    "balance", "armed", "membership_id", "reward_id"
                ),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.reward} · {self.membership}"


class AwaitedWallet(Wallet):
    """A wallet to those who wait for what it holds: the same table. Wallets begin with nothing."""

    class Meta:
        proxy = True
        triggers = [
            pgtrigger.Trigger(
                name="auto_takes_look_at", when=pgtrigger.After, func=_HELD,
                operation=pgtrigger.UpdateOf(*WATCHED),  # type: ignore[no-untyped-call]
                condition=pgtrigger.AnyChange(*WATCHED),
            ),
        ]  # fmt: skip
