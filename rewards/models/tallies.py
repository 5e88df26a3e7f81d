"""How much of each reward was handed out, by day: what pages would have to count anew each time."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q

from rewards.models.rewards import Reward

# What was handed out and kept, by the day on which that was, in the time zone of its program. Each
# change of a redemption adds a line of its own, so nobody waits for anybody; lines are brought
# together later (`rewards.services.tallies`), and their sum is right before and after.
ADD_LINE = """
    INSERT INTO rewards_rewardtally (reward_id, day, taken, used, units, gathered)
    SELECT r.id, (c.at AT TIME ZONE p.time_zone)::date, sum(c.sign),
           sum(c.sign * (c.status = 'used')::int), sum(c.sign * c.units), false
      FROM (VALUES (NEW.reward_id, NEW.issued_at, NEW.status, NEW.units, 1),
                   (OLD.reward_id, OLD.issued_at, OLD.status, OLD.units, -1))
           c (reward_id, at, status, units, sign)
      JOIN rewards_reward r ON r.id = c.reward_id
      JOIN loyalty_program p ON p.id = r.program_id
     WHERE c.at IS NOT NULL AND c.status IN ('issued', 'used', 'expired')
     GROUP BY 1, 2
    HAVING (sum(c.sign), sum(c.sign * (c.status = 'used')::int), sum(c.sign * c.units))
           <> (0, 0, 0);
    RETURN NULL;
"""


def counted_by_day() -> pgtrigger.Trigger:
    """Of redemptions: whoever writes them."""
    return pgtrigger.Trigger(
        name="redemption_counted",
        operation=pgtrigger.Insert | pgtrigger.Update,
        when=pgtrigger.After,
        func=ADD_LINE,
    )


class RewardTally(models.Model):
    """What became of a reward that was handed out on a day: the sum of all lines of the day."""

    reward = models.ForeignKey(
        Reward, on_delete=models.PROTECT, related_name="tallies", db_index=False
    )
    day = models.DateField()
    # Handed out and not given up since; how many of these were used; what they cost members, in
    # the smallest units of the reward's wallet type.
    taken = models.IntegerField()
    used = models.IntegerField()
    units = models.BigIntegerField()
    # The one line of the day into which others were brought together.
    gathered = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reward", "day"], condition=Q(gathered=True), name="reward_tally_of_day"
            )
        ]
        indexes = [
            models.Index(fields=["reward", "day"], name="reward_tally_days"),
            models.Index(fields=["id"], name="reward_tally_loose", condition=Q(gathered=False)),
        ]

    def __str__(self) -> str:
        return f"{self.reward} · {self.day}"
