"""Challenges for tests."""

from __future__ import annotations

import datetime as dt
from typing import Any

from campaigns.challenge_definitions import ChallengeDefinition
from campaigns.models import Challenge
from campaigns.selectors.challenges import challenges
from campaigns.services.campaigns import publish_campaign
from campaigns.services.challenges import create_challenge
from loyalty.models import Membership, Program
from members.services.audit import SYSTEM
from tests.loyalty.factories import NOW

DAY = dt.timedelta(days=1)
SPEND = {"kind": "spend", "amount": 50}


def draft(program: Program, *steps: dict[str, Any], **said: Any) -> Challenge:
    """Spend 50 for 100 points, from an hour before now for a week, if nothing else is said."""
    values: dict[str, Any] = {
        "name": "Coffee week", "title": "Coffee week", "units": 100,
        "steps": list(steps) or [SPEND],
        "starts_at": NOW - dt.timedelta(hours=1), "ends_at": NOW + 7 * DAY,
    }  # fmt: skip
    definition = ChallengeDefinition.model_validate(values | said)
    return create_challenge(program=program, definition=definition, actor=SYSTEM, now=NOW - DAY)


def launch(program: Program, *steps: dict[str, Any], at: dt.datetime = NOW - dt.timedelta(hours=1),
           **said: Any) -> Challenge:  # fmt: skip
    """Begun an hour ago."""
    made = draft(program, *steps, **said)
    publish_campaign(campaign=made.campaign, actor=SYSTEM, now=at)
    return challenges().get(pk=made.pk)


def member(number: str = "c1") -> Membership:
    return Membership.objects.select_related("program", "customer").get(
        customer__external_id=number
    )
