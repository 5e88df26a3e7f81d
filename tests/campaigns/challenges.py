"""Challenges for tests."""

from __future__ import annotations

import datetime as dt
from typing import Any

from campaigns.challenge_definitions import ChallengeDefinition
from campaigns.models import Challenge, ChallengeEntry, ChallengeWin
from campaigns.selectors.challenges import challenges
from campaigns.services.campaigns import publish_campaign
from campaigns.services.challenge_progress import measure_customers
from campaigns.services.challenges import create_challenge, join_challenge
from loyalty.models import Membership, Program
from members.models import Customer
from members.services.audit import SYSTEM
from tests.loyalty.factories import NOW, make_program, make_wallet

DAY = dt.timedelta(days=1)
SPEND = {"kind": "spend", "amount": 50}


def program_of_challenges() -> Program:
    """Orders earn nothing, so what there is comes from challenges."""
    made = make_program(time_zone="Europe/Athens", earning_rules=[])
    make_wallet(made)
    return made


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


def join(challenge: Challenge, number: str = "c1", at: dt.datetime = NOW) -> ChallengeEntry:
    return join_challenge(challenge=challenge, membership=member(number), now=at)


def measure(at: dt.datetime = NOW) -> None:
    measure_customers(list(Customer.objects.values_list("pk", flat=True)), now=at)


def fresh(entry: ChallengeEntry) -> ChallengeEntry:
    return ChallengeEntry.objects.get(pk=entry.pk)


def wins(**which: object) -> list[tuple[int, str, int]]:
    rows = ChallengeWin.objects.filter(**which).order_by("pk")
    return list(rows.values_list("number", "state", "attempt"))
