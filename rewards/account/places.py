"""Where a member finds a reward, and what they took, if that is not a code to be shown."""

from __future__ import annotations

from django.urls import reverse

from loyalty.models import Membership
from rewards.models import FulfillmentTask, Redemption, Reward


def reward_place(found: Reward, member: Membership) -> str:
    """Where it is taken: an event and something to read have pages of their own."""
    event, item = getattr(found, "event", None), getattr(found, "content_item", None)
    if event is not None:
        return reverse("rewards_account:event", args=[event.public_id])
    if item is not None:
        return reverse("rewards_account:content", args=[item.public_id])
    return reverse("rewards_account:reward", args=[member.public_id, found.public_id])


def place_of(redemption: Redemption) -> str:
    """Nothing where it is a code to be shown."""
    reward = redemption.reward
    if reward.sent:
        task = FulfillmentTask.objects.filter(redemption=redemption).first()
        return reverse("rewards_account:parcel", args=[task.public_id]) if task else ""
    if reward.kind in (Reward.Kind.EVENT_SEAT, Reward.Kind.CONTENT):
        return reward_place(reward, redemption.membership)
    return ""
