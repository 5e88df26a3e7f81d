"""When a challenge rests: what is bought then does not count."""

from __future__ import annotations

import datetime as dt

from campaigns.models import Campaign, Challenge


def rest(campaign: Campaign, now: dt.datetime) -> None:
    """Of a campaign that is none: nothing."""
    challenge = _of(campaign)
    if challenge is not None:
        challenge.pauses = [*challenge.pauses, [now.isoformat(), None]]
        challenge.save(update_fields=["pauses"])


def go_on(campaign: Campaign, now: dt.datetime) -> None:
    challenge = _of(campaign)
    if challenge is not None and challenge.pauses:
        *before, (since, _open) = challenge.pauses
        challenge.pauses = [*before, [since, now.isoformat()]]
        challenge.save(update_fields=["pauses"])


def _of(campaign: Campaign) -> Challenge | None:
    return Challenge.objects.filter(campaign=campaign).first()
