"""Which rewards are only for members of a segment."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _

from loyalty.segment_uses import Asking, segments_asked_for
from members.segment_uses import SegmentUse, register_segment_uses
from rewards.models import Reward


def uses_of_segments() -> Iterator[SegmentUse]:
    """Live rewards and drafts: an archived one that comes back is asked for anew."""
    found = Reward.objects.exclude(status=Reward.Status.ARCHIVED).exclude(when={})
    return segments_asked_for(_("reward"), map(_asking, found.select_related("program")))


def register() -> None:
    """Called once, when the application is ready."""
    register_segment_uses("rewards", uses_of_segments)


def _asking(reward: Reward) -> Asking:
    url = reverse("rewards_backoffice:reward_page", args=[reward.program.code, reward.code])
    return Asking(reward.pk, reward.when, f"{reward.name} ({reward.program.name})", url)
