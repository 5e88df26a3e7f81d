"""Short ways to journeys. All go through the services."""

from __future__ import annotations

import datetime as dt
from typing import Any

from campaigns.journey_entrants import Wanted
from campaigns.models import Journey
from campaigns.selectors.journeys import version_in_force
from campaigns.services.journey_entries import enter
from campaigns.services.journey_steps import take_due
from campaigns.services.journeys import (
    create_journey,
    publish_journey,
)
from loyalty.models import Membership
from members.services.audit import SYSTEM
from tests.campaigns.factories import work
from tests.loyalty.factories import (
    NOW,
)

TELL = {"kind": "message", "message": "getting_started", "channels": ["inbox"]}
WAIT = {"kind": "wait", "days": 3}
TIERS = {"metric": "spend", "window": "lifetime", "tiers": [
    {"code": "basic", "name": "Basic"}, {"code": "gold", "name": "Gold", "threshold": 100},
    {"code": "top", "name": "Top", "threshold": 1000},
]}  # fmt: skip


def steps(*found: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": f"s{number}", **step} for number, step in enumerate(found, 1)]


def live(
    member: Membership, *found: dict[str, Any], trigger: str = "joined", at: dt.datetime = NOW,
    **body: Any,
) -> Journey:  # fmt: skip
    body = {"holdout": 0, "steps": steps(*found), **body}
    journey = create_journey(
        program=member.program, name="One", trigger=trigger, body=body, actor=SYSTEM, now=at
    )
    return publish_journey(journey=journey, actor=SYSTEM, now=at)


def begin(
    journey: Journey, *members: Membership, at: dt.datetime = NOW, occurrence: str = "one"
) -> int:
    found = version_in_force(journey)
    assert found is not None
    return enter(found, [Wanted(member.pk, occurrence) for member in members], at)


def go_on(at: dt.datetime) -> int:
    return take_due(clock=lambda: at)


def starts(at: dt.datetime) -> int:
    return work("journey_starts", at, "began")
