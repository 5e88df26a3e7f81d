"""Webhooks: how many a worker sends in a second to a receiver on this machine, beside a bare loop
that only sends; and what it costs an order that somebody wants to be told of it. On a database of
its own, which is dropped afterwards."""

from __future__ import annotations

import argparse
import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor

from django.core.management import call_command
from django.utils import timezone

from campaigns.models import WebhookDelivery, WebhookEndpoint
from campaigns.services.webhook_deliveries import THREADS, deliver_due
from campaigns.services.webhook_endpoints import create_endpoint, switch_off, switch_on
from campaigns.services.webhook_telling import tell_endpoints
from campaigns.webhook_requests import post
from loyalty.models import Transfer
from loyalty.services.orders import record_orders
from loyalty.services.programs import apply_definition
from members.public_events import PublicEvent
from members.selectors.told_customers import SAMPLE, CustomerData
from members.services.audit import SYSTEM
from tests.bench import databases
from tests.bench.figures import Figures, Goal
from tests.campaigns.receiver import Receiver, receiving
from tests.loyalty.factories import define, order

GOALS = {
    "sent": Goal("deliveries by a worker / requests of a bare loop"),
    "told": Goal("orders in batches of 100 while a webhook wants them / while none does", 0.8),
}
DATABASE = "bench_webhooks"
AT_ONCE = 500
BATCH = 100


def rounds(options: argparse.Namespace) -> list[Figures]:
    databases.create(DATABASE)
    try:
        with databases.used(DATABASE), receiving() as receiver:
            bench = Webhooks(receiver, options.seconds)
            return [bench.round() for _ in range(options.rounds)]
    finally:
        databases.drop(DATABASE)


class Webhooks:
    """One webhook that gets everything, and a program whose orders it hears of."""

    def __init__(self, receiver: Receiver, seconds: float) -> None:
        self.receiver, self.seconds, self.count = receiver, seconds, 0
        call_command("migrate", verbosity=0)
        apply_definition(define(), actor=SYSTEM, now=timezone.now())
        self.endpoint: WebhookEndpoint = create_endpoint(
            url=receiver.url, actor=SYSTEM, now=timezone.now()
        )[0]

    def round(self) -> Figures:
        bare, sent = self._bare(), self._sent()
        wanted = self._orders()
        switch_off(endpoint=self.endpoint, actor=SYSTEM, now=timezone.now())
        unwanted = self._orders()
        switch_on(endpoint=self.endpoint, actor=SYSTEM)
        return {
            "sent": sent / bare, "told": wanted / unwanted,
            "deliveries a second, one worker": sent, "requests a second, bare loop": bare,
            "orders a second, a webhook wants them": wanted,
            "orders a second, nobody does": unwanted,
        }  # fmt: skip

    def _sent(self) -> float:
        """Only the sending: what is sent is written down before the clock runs."""
        sent, spent = 0, 0.0
        while spent < self.seconds:
            self._tell(AT_ONCE)
            began = time.perf_counter()
            sent += deliver_due(seconds=60)
            spent += time.perf_counter() - began
        assert not WebhookDelivery.objects.exclude(state="delivered").exists()
        return sent / spent

    def _bare(self) -> float:
        body, began = b'{"type": "customer.created"}', time.perf_counter()
        with ThreadPoolExecutor(THREADS) as threads:
            done = list(threads.map(lambda _n: post(self.receiver.url, body, {}), range(AT_ONCE)))
        assert all(outcome.succeeded for outcome in done)
        return AT_ONCE / (time.perf_counter() - began)

    def _tell(self, number: int) -> None:
        now = timezone.now()
        self.count += number
        tell_endpoints(
            [
                PublicEvent(
                    "customer.created", f"bench {self.count - place}", now, "",
                    CustomerData(customer=SAMPLE),
                )
                for place in range(number)
            ],
            now=now,
        )  # fmt: skip

    def _orders(self) -> float:
        recorded, spent = 0, 0.0
        while spent < self.seconds:
            now = timezone.now() - dt.timedelta(minutes=1)
            self.count += BATCH
            orders = [
                order(f"B{self.count - place}", "10", at=now, buyer=f"b{place}")
                for place in range(BATCH)
            ]
            began = time.perf_counter()
            record_orders(orders, now=now, transfer_source=Transfer.Source.API)
            spent += time.perf_counter() - began
            recorded += BATCH
        return recorded / spent
