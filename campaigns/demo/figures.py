"""The demonstration's figures: its messages of the last days went out, arrived, were followed."""

from __future__ import annotations

import datetime as dt
import random

from anymail.signals import AnymailTrackingEvent
from django.conf import settings
from django.utils import timezone

from campaigns.channels import Channel, channel_named
from campaigns.links import StopLink
from campaigns.models import ConsentChange, Delivery
from campaigns.services.claims import claim, give_back
from campaigns.services.consents import stop
from campaigns.services.inbox import mark_read
from campaigns.services.measuring import note_click
from campaigns.services.preparing import Batch, prepare
from campaigns.services.sent import Taken, mark_sent
from campaigns.services.tracking import note_event
from loyalty.demo.parts import register_demo_part
from loyalty.models import Program

# After the messages and the journeys, whose figures they are.
PART = "told_messages_measured"
HOUR = dt.timedelta(hours=1)
# By the clock of the shop, so that few have quiet hours.
NOON = dt.time(12)
MOST = 1_000
# Of a hundred mails and messages.
ARRIVE, FOLLOW, READ, DECLINE = 97, 24, 45, 2


def register() -> None:
    """Called once, when the application is ready."""
    register_demo_part(PART, show_figures)


def show_figures(program: Program) -> None:
    """Once: what people did is not made up anew when the demonstration is loaded again."""
    if Delivery.objects.filter(clicked_at__isnull=False).exists():
        return
    mail, now = channel_named("email"), timezone.now()
    assert mail is not None
    first = Delivery.objects.filter(channel=mail.key, state=Delivery.State.QUEUED)
    oldest = first.order_by("available_at").values_list("available_at", flat=True).first()
    if oldest is not None:
        _send(mail, program, oldest, now)
    _react(now, random.Random(19))


def _send(mail: Channel, program: Program, oldest: dt.datetime, now: dt.datetime) -> None:
    """Day by day, as they went out then; to nobody, because the people are not real. Who is shown
    around gets theirs now."""
    day = oldest.astimezone(program.zone).date()
    while (at := dt.datetime.combine(day, NOON, tzinfo=program.zone)) < now - 12 * HOUR:
        claimed = claim(channel=mail.key, limit=MOST, now=at)
        guide = settings.SETIA_DEMO_CUSTOMER
        own = [row for row in claimed if row.message.customer.email == guide]
        give_back(own, until=now)
        batch, others = Batch.load(), [row for row in claimed if row not in own]
        ready = prepare(others, mail, batch, at)
        mark_sent([Taken(item.delivery, "", at) for item in ready])
        day += dt.timedelta(days=1)


def _react(now: dt.datetime, chance: random.Random) -> None:
    """Told by the provider, and done by members, some hours afterwards."""
    told = Delivery.objects.filter(message__created_at__lt=now - 12 * HOUR)
    sent = told.filter(state=Delivery.State.SENT)
    people = sent.exclude(message__customer__email=settings.SETIA_DEMO_CUSTOMER)
    for row in people.select_related("message__customer").order_by("pk")[:MOST]:
        assert row.sent_at is not None
        later = min(now, row.sent_at + chance.uniform(0.2, 30) * HOUR)
        if row.channel == "inbox":
            if chance.randrange(100) < READ:
                mark_read(delivery=row, now=later)
            continue
        if chance.randrange(100) >= ARRIVE:
            continue
        name = {"delivery": str(row.public_id)}
        arrived = AnymailTrackingEvent(event_type="delivered", metadata=name)
        note_event(event=arrived, now=min(now, row.sent_at + HOUR / 60))
        if chance.randrange(100) < FOLLOW:
            target = str(row.message.values.get("link", settings.SITE_URL))
            note_click(delivery=row.public_id, target=target, now=later)
        elif chance.randrange(100) < DECLINE:
            _decline(row, later)


def _decline(row: Delivery, now: dt.datetime) -> None:
    customer, topic = row.message.customer, row.message.topic
    if topic == "orders":
        return
    link = StopLink(customer.public_id, row.public_id, row.channel, topic)
    source = ConsentChange.Source.LINK.value
    stop(customer=customer, link=link, topics=[topic], source=source, now=now)
