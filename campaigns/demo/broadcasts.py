"""The demonstration's broadcasts: one that went out some days ago, with what became of it and what
it brought, one that is scheduled, and a draft."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from campaigns.broadcast_definitions import BroadcastDefinition
from campaigns.channels import channel_named
from campaigns.models import Broadcast, Delivery
from campaigns.services.broadcast_sending import KIND
from campaigns.services.broadcasts import create_broadcast, schedule_broadcast, write_words
from campaigns.services.preparing import Batch, prepare
from campaigns.services.sent import Taken, mark_sent
from campaigns.services.templates import Words
from loyalty.demo.parts import register_demo_part
from loyalty.models import Program
from loyalty.rules.calendar import localize
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled

# After the messages, and before people read them.
PART = "told_messages_broadcast"
NOON = dt.time(12)
HARVEST: dict[str, Any] = {
    "name": "Harvest week", "holdout": 30, "channels": ["email", "inbox"], "topic": "points",
    "order_days": 7,
}  # fmt: skip
EVENING: dict[str, Any] = {
    "name": "Tasting evening", "holdout": 10, "channels": ["email", "inbox"], "topic": "offers",
}  # fmt: skip
THANKS: dict[str, Any] = {"name": "Thank you for the year", "channels": ["inbox"]}
MAIL = """<mj-section>
  <mj-column>
    <mj-text mj-class="title">{title}</mj-text>
    <mj-text>Hello{{{{#given_name}}}} {{{{ given_name }}}}{{{{/given_name}}}},</mj-text>
    <mj-text>{text}</mj-text>
    <mj-button href="{{{{ link }}}}">{button}</mj-button>
  </mj-column>
</mj-section>"""


def register() -> None:
    """Called once, when the application is ready."""
    register_demo_part(PART, show_broadcasts)


def show_broadcasts(program: Program) -> None:
    """Made once, however often the demonstration is loaded."""
    if Broadcast.objects.exists():
        return
    now = timezone.now()
    at = _noon(program, now, -10)
    # Who is shown around has mails of their own.
    others = {"field": "customer.email", "op": "is_not", "value": settings.SETIA_DEMO_CUSTOMER}
    _send(_write(program, {**HARVEST, "audience": others}, at), at)
    coming = _write(program, EVENING, now)
    _say(coming, "An evening of tastings", "Come and taste what is new, on the house.", now)
    schedule_broadcast(
        broadcast=coming, send_at=_noon(program, now, 6), by_member_clock=True, actor=SYSTEM,
        now=now,
    )  # fmt: skip
    _write(program, THANKS, now)


@transaction.atomic
def _send(told: Broadcast, at: dt.datetime) -> None:
    """As it went out then, to nobody, because the people are not real; before a worker sees it."""
    _say(told, "Harvest week", "Seven days of what the fields have. You have {{ balance }}.", at)
    schedule_broadcast(broadcast=told, send_at=None, actor=SYSTEM, now=at)
    run_scheduled(kind=KIND, now=at)
    mail = channel_named("email")
    assert mail is not None
    rows = Delivery.objects.filter(message__occasion=told.occasion, channel=mail.key)
    ready = prepare(list(rows.order_by("pk")), mail, Batch.load(), at)
    mark_sent([Taken(item.delivery, "", at) for item in ready])
    run_scheduled(kind=KIND, now=at + dt.timedelta(minutes=5))


def _write(program: Program, said: dict[str, Any], at: dt.datetime) -> Broadcast:
    definition = BroadcastDefinition.model_validate(said)
    return create_broadcast(program=program, definition=definition, actor=SYSTEM, now=at)


def _say(broadcast: Broadcast, title: str, text: str, at: dt.datetime) -> None:
    mail = MAIL.format(title=title, text=text, button="To your page")
    for channel, body in (("email", mail), ("inbox", text)):
        write_words(
            broadcast=broadcast, channel=channel, locale="en", words=Words(title, body),
            actor=SYSTEM, now=at,
        )  # fmt: skip


def _noon(program: Program, now: dt.datetime, days: int) -> dt.datetime:
    day = now.astimezone(program.zone).date() + dt.timedelta(days=days)
    return localize(dt.datetime.combine(day, NOON), program.zone)
