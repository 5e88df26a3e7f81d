"""Short ways to messages. All go through the services."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from campaigns.approved_words import Approved
from campaigns.channels import channel_named
from campaigns.models import Delivery, Journey, Message
from campaigns.news import News
from campaigns.occasions import occasion_named
from campaigns.ready_journeys import ready_journey
from campaigns.services.journeys import create_journey
from campaigns.services.messages import write_messages
from campaigns.services.policies import set_occasion
from campaigns.services.sending import send_waiting
from campaigns.services.templates import Words, save_words
from loyalty.models import Membership, Program
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled
from members.services.outbox import deliver_waiting
from tests.loyalty.factories import make_program

VALUES = {
    "gift": "50 Beans", "giver": "Noah", "words": "", "code": "", "until": "", "tier": "Gold",
    "benefits": "", "reward": "5 off",
}  # fmt: skip


def switch_on(code: str, *channels: str, topic: str = "", at: dt.datetime | None = None) -> Any:
    occasion = occasion_named(code)
    assert occasion is not None
    return set_occasion(
        occasion=occasion, is_on=True, channels=channels or ("email", "inbox"),
        topic=topic or occasion.topic, actor=SYSTEM, now=at or timezone.now(),
    )  # fmt: skip


def tell(
    customer: Customer, occurrence: str = "one", *, code: str = "gift",
    membership: Membership | None = None, at: dt.datetime | None = None, channels: Any = ("email",),
    topic: str = "", **values: str,
) -> Message | None:  # fmt: skip
    """Have one message written; nothing where it was written before."""
    written = tell_all(
        [(customer, occurrence, membership)], code=code, at=at, channels=channels, topic=topic,
        **values,
    )  # fmt: skip
    return written[0] if written else None


def tell_all(
    whom: Sequence[tuple[Customer, str, Membership | None]], *, code: str = "gift",
    at: dt.datetime | None = None, channels: Any = ("email",), topic: str = "", **values: str,
) -> list[Message]:  # fmt: skip
    """The same to several, each at its occurrence; what was written before is not among them."""
    occasion = occasion_named(code)
    assert occasion is not None
    setting = switch_on(code, *channels, topic=topic, at=at)
    news = [
        News(customer, occurrence, lambda: {**VALUES, **values}, membership)
        for customer, occurrence, membership in whom
    ]
    now = at or timezone.now()
    return write_messages(occasion=occasion, setting=setting, news=news, now=now)


def tell_many(customers: Sequence[Customer], *, now: dt.datetime) -> None:
    """A gift to each, by e-mail."""
    occasion = occasion_named("gift")
    assert occasion is not None
    setting = switch_on("gift", "email", at=now)
    news = [News(one, f"gift:{one.pk}", lambda: VALUES) for one in customers]
    for first in range(0, len(news), 500):
        write_messages(occasion=occasion, setting=setting, news=news[first : first + 500], now=now)


def write(
    code: str,
    subject: str,
    body: str,
    *,
    channel: str = "inbox",
    locale: str = "en",
    text: str = "",
    approved: Approved | None = None,
) -> Any:
    occasion, found = occasion_named(code), channel_named(channel)
    assert occasion is not None
    assert found is not None
    return save_words(
        occasion=occasion, channel=found, locale=locale, words=Words(subject, body, text, approved),
        actor=SYSTEM, now=timezone.now(),
    )  # fmt: skip


def make_journey(program: Program | None = None, code: str = "welcome") -> Journey:
    """A draft from a ready-made one."""
    ready = ready_journey(code)
    assert ready is not None
    return create_journey(
        program=program or make_program(), name=str(ready.name), trigger=ready.trigger,
        body=ready.body, actor=SYSTEM, now=timezone.now(),
    )  # fmt: skip


def send(at: dt.datetime | None = None, limit: int = 100) -> int:
    return send_waiting(limit=limit, clock=lambda: at or timezone.now())


def work(kind: str, at: dt.datetime, counted: str = "told") -> int:
    """As the schedule has it done; how many it was, by what the job counts."""
    job = run_scheduled(kind=kind, now=at)
    return job.result.get(counted, 0) if job else 0


def follow() -> None:
    """What waits in the outbox has been followed up."""
    while deliver_waiting():
        pass


def states(**which: Any) -> list[tuple[str, str]]:
    rows = Delivery.objects.filter(**which).order_by("message_id", "channel", "pk")
    return list(rows.values_list("state", "reason"))
