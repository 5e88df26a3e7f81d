"""The demonstration's journeys: two that run, and some people under way."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from campaigns.journey_entrants import Wanted
from campaigns.models import Journey
from campaigns.ready_journeys import ready_journey
from campaigns.selectors.journeys import version_in_force
from campaigns.services.journey_entries import enter
from campaigns.services.journey_steps import take_due
from campaigns.services.journeys import create_journey, publish_journey
from loyalty.demo.parts import register_demo_part
from loyalty.models import Membership, Program
from members.services.audit import SYSTEM

# After the messages, so that what these have told is not told again.
PART = "told_messages_journeys"
RUNNING = ("welcome", "milestones")
PEOPLE = 150


def register() -> None:
    """Called once, when the application is ready."""
    register_demo_part(PART, show_journeys)


def show_journeys(program: Program) -> None:
    """Begun some days ago, so that people are at different steps."""
    if Journey.objects.exists():
        return
    now = timezone.now()
    begun = now - dt.timedelta(days=12)
    for code in RUNNING:
        _run(program, code, begun)
    _lead(program, begun, now)


@transaction.atomic
def _run(program: Program, code: str, at: dt.datetime) -> None:
    ready = ready_journey(code)
    assert ready is not None
    journey = create_journey(
        program=program, name=str(ready.name), trigger=ready.trigger, body=ready.body,
        actor=SYSTEM, now=at,
    )  # fmt: skip
    publish_journey(journey=journey, actor=SYSTEM, now=at)


def _lead(program: Program, begun: dt.datetime, now: dt.datetime) -> None:
    """The newest members are welcomed, some each day."""
    journey = Journey.objects.get(program=program, trigger="joined")
    found = version_in_force(journey)
    assert found is not None
    members = Membership.objects.filter(program=program, status=Membership.Status.ACTIVE)
    own = members.exclude(customer__email=settings.SETIA_DEMO_CUSTOMER).order_by("-pk")
    keys = list(own.values_list("pk", flat=True)[:PEOPLE])
    days = (now - begun).days
    for day in range(days):
        at = begun + dt.timedelta(days=day)
        with transaction.atomic():
            enter(found, [Wanted(pk, "joined") for pk in keys[day::days]], at)
        take_due(limit=PEOPLE, clock=lambda at=at: at)  # type: ignore[misc]
