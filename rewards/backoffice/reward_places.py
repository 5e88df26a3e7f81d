"""Rewards, for the search box."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q
from django.http import HttpRequest

from members.places import Place
from members.policy import is_allowed
from rewards.backoffice.links import reward_url
from rewards.models import Reward

# So many of a name are enough to see that more of it must be typed.
MOST = 50


def find_rewards(request: HttpRequest, typed: str) -> Iterator[Place]:
    """Those whose name or program has each of the words."""
    if not is_allowed(request.user, "programs.view"):
        return
    found = Reward.objects.select_related("program")
    for word in typed.split():
        found = found.filter(Q(name__icontains=word) | Q(program__name__icontains=word))
    for reward in found.order_by("name", "pk")[:MOST]:
        yield Place(reward.name, reward_url(reward), "gift", reward.program.name)
