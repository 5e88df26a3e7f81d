"""What can be in a mystery gift."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from rewards.models.rewards import Reward


class RewardPrize(models.Model):
    """A reward that may be drawn out of another one, with its weight among them."""

    reward = models.ForeignKey(Reward, on_delete=models.CASCADE, related_name="prizes")
    prize = models.ForeignKey(Reward, on_delete=models.PROTECT, related_name="in_gifts")
    weight = models.PositiveIntegerField(_("weight"))

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["reward", "prize"], name="reward_prize_once"),
            models.CheckConstraint(name="reward_prize_weight", condition=Q(weight__gt=0)),
            models.CheckConstraint(name="reward_prize_other", condition=~Q(prize=F("reward"))),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="reward_prize_fits",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                declare=[("fits", "boolean")],
                func="""
                    SELECT gift.kind = 'mystery' AND NOT prize.sent
                           AND prize.kind IN ('amount_off', 'percent_off', 'free_product',
                                              'free_shipping', 'access', 'partner_voucher',
                                              'experience')
                           AND gift.program_id = prize.program_id
                      INTO fits
                      FROM rewards_reward gift, rewards_reward prize
                     WHERE gift.id = NEW.reward_id AND prize.id = NEW.prize_id;
                    IF NOT fits THEN
                        RAISE EXCEPTION 'a prize is a plain reward of the same program'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            )
        ]

    def __str__(self) -> str:
        return f"{self.reward} · {self.prize}"
