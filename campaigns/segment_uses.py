"""Which journeys, campaigns and experiments ask whether somebody is in a segment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.urls import reverse
from django.utils.translation import gettext as _

from campaigns.models import Broadcast, Campaign, Experiment, Journey, JourneyVersion
from loyalty.segment_uses import Asking, segments_asked_for
from members.segment_uses import SegmentUse, register_segment_uses


def uses_of_segments() -> Iterable[SegmentUse]:
    """All versions of those that have not ended: whoever has begun goes on by an older one."""
    versions = JourneyVersion.objects.exclude(journey__status=Journey.Status.ENDED)
    asking = (item for version in versions.select_related("journey") for item in _asking(version))
    return segments_asked_for(_("journey"), asking)


def campaigns_asking() -> Iterable[SegmentUse]:
    """All that have not ended."""
    rows = Campaign.objects.exclude(status=Campaign.Status.ENDED).exclude(audience={})
    asking = (
        Asking(row.pk, row.audience, row.name,
               reverse("campaigns_backoffice:campaign", args=[row.public_id]))
        for row in rows
    )  # fmt: skip
    return segments_asked_for(_("promotion"), asking)


def broadcasts_asking() -> Iterable[SegmentUse]:
    """All that have not begun: afterwards it is settled who gets them."""
    rows = Broadcast.objects.exclude(status__in=Broadcast.BEGUN).exclude(audience={})
    asking = (
        Asking(row.pk, row.audience, row.name,
               reverse("messages_backoffice:broadcast", args=[row.public_id]))
        for row in rows
    )  # fmt: skip
    return segments_asked_for(_("broadcast"), asking)


def experiments_asking() -> Iterable[SegmentUse]:
    """Those that are still written: of one that runs its promotions ask."""
    rows = Experiment.objects.filter(status=Experiment.Status.DRAFT).exclude(audience={})
    asking = (
        Asking(row.pk, row.audience, row.name,
               reverse("experiments_backoffice:experiment", args=[row.public_id]))
        for row in rows
    )  # fmt: skip
    return segments_asked_for(_("experiment"), asking)


def register() -> None:
    """Called once, when the application is ready."""
    register_segment_uses("journeys", uses_of_segments)
    register_segment_uses("campaigns", campaigns_asking)
    register_segment_uses("broadcasts", broadcasts_asking)
    register_segment_uses("experiments", experiments_asking)


def _asking(version: JourneyVersion) -> Iterator[Asking]:
    journey = version.journey
    url = reverse("messages_backoffice:journey", args=[journey.public_id])
    conditions = [version.body.get("audience")]
    conditions += [step.get("when") for step in version.body.get("steps", ())]
    for when in conditions:
        if when:
            yield Asking(journey.pk, when, journey.name, url)
