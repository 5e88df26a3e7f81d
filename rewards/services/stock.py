"""Of which there are only so many: one is taken, and nobody takes the same."""

from __future__ import annotations

from django.utils.translation import gettext as _

from members.prepared import run_prepared
from rewards.errors import RewardRefusedError
from rewards.models import Redemption, Reward
from rewards.selectors.rewards import reward_now

# Whoever wants one of the same waits here for who has taken one, and then looks anew.
_TAKE = """
    UPDATE rewards_reward SET taken = taken + 1
     WHERE id = %s AND (stock IS NULL OR taken + kept < stock) RETURNING id
"""


def take_from_stock(taken: Redemption) -> None:
    """One for what is being taken, if there are only so many. Raises RewardRefusedError where the
    last one has gone to somebody else meanwhile."""
    if taken.stocked and not run_prepared(_TAKE, [taken.reward_id]):
        raise RewardRefusedError(_("All of them are taken."), code="sold_out")


def reward_as_it_is(reward: Reward) -> Reward:
    """The reward now; one of which there are so many is locked until it is taken."""
    locks = reward.stock is not None
    found = reward_now(reward.pk, locks=locks)
    # It was given a stock meanwhile.
    return reward_now(reward.pk, locks=True) if found.stock is not None and not locks else found
