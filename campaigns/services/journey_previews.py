"""What a member would be told on which days, if they began now and nothing happened."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from campaigns.journey_definitions import (
    CheckStep,
    ClockStep,
    EndStep,
    JourneyDefinition,
    WaitStep,
)
from campaigns.journey_times import after, next_moment
from campaigns.journey_words import step_words
from campaigns.selectors.journeys import for_whom
from campaigns.services.journey_steps import zone_of
from loyalty.models import Membership


@dataclass(frozen=True, slots=True)
class Coming:
    at: dt.datetime
    words: str


@dataclass(frozen=True, slots=True)
class Preview:
    """`fits`: whether the condition of the journey holds for them."""

    member: Membership
    fits: bool
    time_zone: str
    coming: list[Coming]


@transaction.atomic
def preview_journey(
    *, definition: JourneyDefinition, member: Membership, now: dt.datetime
) -> Preview:
    """Conditions are answered as things are now. Nothing is written."""
    zone, at = zone_of(member), now
    found: list[Coming] = []
    step = definition.steps[0] if definition.steps else None
    while step is not None and not isinstance(step, EndStep):
        following = definition.after(step.key)
        match step:
            case WaitStep():
                at = after(at, zone, step.days, step.hours)
            case ClockStep():
                at = next_moment(at, zone, step.time)
            case CheckStep():
                following = following if for_whom(step.when, [member], now) else step.otherwise
            case _:
                found.append(Coming(at, step_words(step)))
        step = definition.step(following) if following else None
    fits = bool(for_whom(definition.audience, [member], now))
    return Preview(member, fits, str(zone), found)
