"""Short ways to broadcasts. All go through the services."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from campaigns.broadcast_definitions import BroadcastDefinition
from campaigns.models import Broadcast, Message
from campaigns.selectors.broadcasts import broadcasts
from campaigns.services.broadcast_sending import KIND
from campaigns.services.broadcasts import create_broadcast, schedule_broadcast, write_words
from campaigns.services.templates import Words
from loyalty.models import Program
from members.models import Customer, Job
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled
from tests.loyalty.factories import make_program, make_wallet

# Nobody has quiet hours at noon.
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
MAIL = "<mj-section><mj-column><mj-text>Hello {{ given_name }}.</mj-text></mj-column></mj-section>"


def make_club(people: Iterable[str]) -> Program:
    """With a member of each number, who has an address."""
    program = make_program(time_zone="Europe/Athens")
    for who in people:
        make_wallet(program, who)
        Customer.objects.filter(external_id=who).update(email=f"{who}@example.com")
    return program


def person(number: str) -> Customer:
    return Customer.objects.get(external_id=number)


def make_broadcast(
    program: Program | None, *, words: str = "Hello {{ given_name }}.", **said: Any
) -> Broadcast:
    """A draft that is told in the inbox, by everybody who has not said no, unless `said`."""
    definition = BroadcastDefinition.model_validate(
        {"name": "Spring", "channels": ["inbox"], "topic": "points"} | said
    )
    made = create_broadcast(program=program, definition=definition, actor=SYSTEM, now=NOON)
    for channel in definition.channels:
        say(made, channel, MAIL if channel == "email" else words)
    return made


def draw_alike(broadcast: Broadcast) -> Broadcast:
    """Who is kept aside follows from names by chance: here it is always the same ones of eight."""
    for place, customer in enumerate(Customer.objects.order_by("pk"), start=1):
        Customer.objects.filter(pk=customer.pk).update(public_id=UUID(int=place))
    Broadcast.objects.filter(pk=broadcast.pk).update(public_id=UUID(int=99))
    return fresh(broadcast)


def say(broadcast: Broadcast, channel: str, words: str, locale: str = "en") -> None:
    write_words(
        broadcast=broadcast, channel=channel, locale=locale, words=Words("Spring", words),
        actor=SYSTEM, now=NOON,
    )  # fmt: skip


def schedule(broadcast: Broadcast, at: dt.datetime | None = None, **more: Any) -> Broadcast:
    """`at` None: now, which is noon."""
    return schedule_broadcast(broadcast=broadcast, send_at=at, actor=SYSTEM, now=NOON, **more)


def run(at: dt.datetime = NOON) -> Job | None:
    return run_scheduled(kind=KIND, now=at)


def told(broadcast: Broadcast) -> list[str]:
    """The numbers of who was told, in order."""
    rows = Message.objects.filter(occasion=f"broadcast-{broadcast.pk}")
    return sorted(rows.values_list("customer__external_id", flat=True))


def fresh(broadcast: Broadcast) -> Broadcast:
    return broadcasts().get(pk=broadcast.pk)
