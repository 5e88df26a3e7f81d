"""What is in a mystery gift is drawn when it is handed out, once, and how it was drawn is kept."""

from __future__ import annotations

import secrets

from django.db.models import F
from django.utils.translation import gettext as _

from rewards.errors import RewardRefusedError
from rewards.models import Redemption, Reward
from rewards.selectors.prizes import filled_pools, prizes_left
from rewards.selectors.rewards import rewards
from rewards.weights import fallen_on


def handed_out(redemption: Redemption) -> Reward:
    """What somebody gets who is handed it out: itself, or what is drawn from it now."""
    mystery = redemption.reward.kind == Reward.Kind.MYSTERY
    return draw_prize(redemption) if mystery else redemption.reward


def draw_prize(redemption: Redemption) -> Reward:
    """Draw among what is left, by weight, and take it from its stock. Draws once: what was drawn
    before stays. The caller holds the redemption and saves it. Raises RewardRefusedError where
    nothing is left."""
    if redemption.drawn is not None:
        return redemption.drawn
    gift = rewards().get(pk=redemption.reward_id)
    _lock_stock(gift)
    left = prizes_left(gift, filled_pools([gift]))
    total = sum(item.weight for item in left)
    if not total:
        raise RewardRefusedError(_("Nothing is left in it."), code="sold_out")
    number = secrets.randbelow(total)
    prize = fallen_on(left, number).prize
    redemption.drawn, redemption.drawn_stocked = prize, prize.stock is not None
    redemption.draw = {
        "number": number, "weights": [[item.prize.code, item.weight] for item in left],
    }  # fmt: skip
    if redemption.drawn_stocked:
        Reward.objects.filter(pk=prize.pk).update(taken=F("taken") + 1)
    return rewards().get(pk=prize.pk)


def _lock_stock(gift: Reward) -> None:
    """Those of which there are only so many, in the order of their keys, as they are now."""
    prizes = {item.prize_id: item.prize for item in gift.prizes.all()}
    counted = Reward.objects.filter(pk__in=prizes, stock__isnull=False).order_by("pk")
    locked = counted.select_for_update(no_key=True).values_list("pk", "stock", "taken")
    for pk, stock, taken in locked:
        prizes[pk].stock, prizes[pk].taken = stock, taken
