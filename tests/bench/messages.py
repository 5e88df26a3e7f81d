"""Messages: how many are written, and put into words, in a second; how fast a worker hands them to
a mail server on this machine; and what it costs to look for what is due among a million. On a
database of its own, which is dropped afterwards."""

from __future__ import annotations

import argparse
import datetime as dt
import math
import time
from collections.abc import Callable

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from campaigns.channels import channel_named
from campaigns.models import Delivery
from campaigns.services.claims import claim
from campaigns.services.policies import set_policy
from campaigns.services.preparing import Batch, prepare
from campaigns.services.sending import AT_ONCE, send_waiting
from members.models import Customer
from members.services.audit import SYSTEM
from tests.bench import databases
from tests.bench.figures import Figures, Goal
from tests.campaigns.factories import tell_many
from tests.kill.mail_server import MailServer, mail_server

GOALS = {
    "ready": Goal("messages written, queued, judged and put into words, a second and worker", 500),
    "exponent": Goal("claiming what is due, its cost against how many are due, exponent", 1.1,
                     at_most=True),
    "idle": Goal("nothing due among all that wait, ms", 5, at_most=True),
}  # fmt: skip
DATABASE = "bench_messages"
AT_A_TIME = 500
DUE = (1_000, 10_000)
LIMIT = 100

# As many wait for their quiet hours to end.
_WAITING = """
    WITH people AS (
        INSERT INTO campaigns_message (public_id, customer_id, occasion, occurrence, topic, locale,
                                       values, facts, created_at)
        SELECT gen_random_uuid(), %(customer)s, 'gift', 'waits:' || n, 'points', 'en', '{}', '{}',
               now()
          FROM generate_series(1, %(count)s) n RETURNING id)
    INSERT INTO campaigns_delivery (public_id, message_id, channel, state, reason, detail, priority,
                                    available_at, attempts, subject, text, reference,
                                    counts_clicks, counts_opens)
    SELECT gen_random_uuid(), id, 'email', 'queued', 'quiet', '', 10 + id %% 4,
           now() + interval '1 day', 0, '', '', '', false, false FROM people
"""
_COME_DUE = """
    UPDATE campaigns_delivery SET available_at = now() - interval '1 minute'
     WHERE id IN (SELECT id FROM campaigns_delivery WHERE state = 'queued' AND reason = 'quiet'
                   ORDER BY id LIMIT %s)
"""
_WAIT_AGAIN = """
    UPDATE campaigns_delivery SET available_at = now() + interval '1 day' WHERE state = 'queued'
"""


def rounds(options: argparse.Namespace) -> list[Figures]:
    databases.create(DATABASE)
    try:
        with databases.used(DATABASE), mail_server() as server:
            bench = Messages(server, options.seconds)
            found = [bench.round() for _ in range(options.rounds)]
            return [figures | bench.due(options.customers) for figures in found[:1]] + found[1:]
    finally:
        databases.drop(DATABASE)


class Messages:
    """Gifts to as many customers, by e-mail, at any hour."""

    def __init__(self, server: MailServer, seconds: float) -> None:
        self.server, self.seconds, self.count = server, seconds, 0
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        call_command("migrate", verbosity=0)
        at_any_hour = {"quiet_from": dt.time(0), "quiet_until": dt.time(0)}
        set_policy(changes=at_any_hour, actor=SYSTEM)

    def round(self) -> Figures:
        written, prepared, sent, messages = 0.0, 0.0, 0.0, 0
        while written + prepared + sent < self.seconds:
            customers = self._customers()
            written += _timed(lambda c=customers: tell_many(c, now=timezone.now()))  # type: ignore[misc]
            prepared += _timed(self._prepare)
            sent += _timed(self._send)
            messages += AT_A_TIME
        assert self.server.taken.total() == self.count
        return {
            "ready": messages / (written + prepared),
            "written and queued a second": messages / written,
            "judged and put into words a second": messages / prepared,
            "with the conversation with the mail server, a second": messages / sent,
        }

    def due(self, waiting: int) -> Figures:
        """What it takes to claim all that is due, of as many that wait."""
        [customer] = Customer.objects.bulk_create([Customer(external_id="bench-waits")])
        with connection.cursor() as cursor:
            cursor.execute(_WAITING, {"customer": customer.pk, "count": waiting})
            cursor.execute("VACUUM ANALYZE campaigns_delivery")
        idle = min(_timed(lambda: claim(channel="email", limit=LIMIT, now=timezone.now()))
                   for _ in range(5))  # fmt: skip
        took = {due: self._claimed(due) for due in DUE}
        fewest, most = DUE
        slope = math.log(took[most] / took[fewest]) / math.log(most / fewest)
        return {
            "exponent": slope, "idle": 1000 * idle,
            f"claiming {fewest:,} due of {waiting:,}, s": took[fewest],
            f"claiming {most:,} due of {waiting:,}, s": took[most],
        }  # fmt: skip

    def _claimed(self, due: int) -> float:
        with connection.cursor() as cursor:
            cursor.execute(_COME_DUE, [due])

        def claim_all() -> None:
            claimed = 0
            while found := claim(channel="email", limit=LIMIT, now=timezone.now()):
                claimed += len(found)
            assert claimed == due

        took = _timed(claim_all)
        with connection.cursor() as cursor:
            cursor.execute(_WAIT_AGAIN)
            cursor.execute("VACUUM campaigns_delivery")
        return took

    def _customers(self) -> list[Customer]:
        first, self.count = self.count, self.count + AT_A_TIME
        names = [f"bench-{number}" for number in range(first, self.count)]
        return Customer.objects.bulk_create(
            Customer(external_id=name, given_name="Ana", email=f"{name}@example.com")
            for name in names
        )

    def _prepare(self) -> None:
        """As a worker does, and undone afterwards, so that the same can be sent."""
        channel, batch = channel_named("email"), Batch.load()
        assert channel is not None
        with transaction.atomic():
            found = claim(channel="email", limit=AT_A_TIME, now=timezone.now())
            for first in range(0, len(found), AT_ONCE):
                ready = prepare(found[first : first + AT_ONCE], channel, batch, timezone.now())
                assert len(ready) == AT_ONCE
            transaction.set_rollback(True)

    def _send(self) -> None:
        while send_waiting(limit=LIMIT):
            pass
        assert not Delivery.objects.exclude(state="sent").exists()


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
