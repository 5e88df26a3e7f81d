"""What is read at once about the people of several messages, so that each can be judged."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Q

from campaigns.addresses import digest_of
from campaigns.channels import Channel
from campaigns.models import (
    BlockedAddress,
    Consent,
    Delivery,
    MessagingPolicy,
)
from campaigns.selectors.consents import said_of_counting
from campaigns.selectors.ways import addresses_of_devices
from campaigns.topics import TOPICS
from members.models import Customer
from members.prepared import run_prepared

# Those that ask this of one customer take turns; always in this order, so that none wait for each
# other.
_TAKE_TURNS = """
    SELECT pg_advisory_xact_lock(hashtext('campaigns.cap'), c.hash)
      FROM (SELECT DISTINCT hashint8(id) AS hash FROM unnest(%s::bigint[]) id ORDER BY 1) c
"""
_ZONES = """
    SELECT customer_id, time_zone FROM campaigns_contactpreference
     WHERE customer_id = ANY(%s::bigint[])
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A delivery that counts, or may. `had`: it went out, or is just going. Those of one message
    to several devices count once."""

    message: int
    priority: int
    had: bool


@dataclass(slots=True)
class Known:
    """Of one channel. `said`: by customer and topic; `places`: by customer and delivery."""

    said: Mapping[tuple[int, str], str]
    zones: Mapping[int, str]
    blocked: frozenset[bytes]
    # Where each is reached; who is not, is left out.
    addresses: Mapping[int, str]
    places: defaultdict[int, dict[int, Place]] = field(default_factory=lambda: defaultdict(dict))
    # By who has it now and which it is.
    devices: Mapping[tuple[int, UUID], str] = field(default_factory=dict)

    def address_of(self, delivery: Delivery, customer: Customer) -> str:
        """Where it goes; empty: nowhere."""
        if delivery.device is not None:
            return self.devices.get((customer.pk, delivery.device), "")
        return self.addresses.get(customer.pk, "")

    def is_blocked(self, address: str) -> bool:
        return digest_of(address) in self.blocked

    def is_full(self, delivery: Delivery, customer: Customer, cap: int) -> bool:
        """Whether they had as many as they may have, counting those that matter more."""
        return self._counted(customer, delivery.priority, delivery.message_id) >= cap

    def would_be_full(self, customer: Customer, priority: int, cap: int) -> bool:
        """The same of something that is not written yet."""
        return self._counted(customer, priority, None) >= cap

    def _counted(self, customer: Customer, priority: int, without: int | None) -> int:
        places = (one for one in self.places[customer.pk].values() if one.message != without)
        return len({one.message for one in places if one.had or one.priority < priority})

    def note_going(self, delivery: Delivery, customer: Customer) -> None:
        """What is needed does not count, whatever becomes of it."""
        if delivery.pk in self.places[customer.pk]:
            going = Place(delivery.message_id, delivery.priority, had=True)
            self.places[customer.pk][delivery.pk] = going

    def note_dropped(self, delivery: Delivery, customer: Customer) -> None:
        self.places[customer.pk].pop(delivery.pk, None)


def know(
    *, customers: Sequence[Customer], channel: Channel, policy: MessagingPolicy, now: dt.datetime,
    deliveries: Sequence[Delivery] = (), only_looks: bool = False,
) -> Known:  # fmt: skip
    """In a transaction: it is held until that ends that nobody else counts their messages.
    `deliveries`: what is for them. `only_looks`: nothing is sent after it, so nothing is held."""
    ids = sorted({customer.pk for customer in customers})
    if policy.cap and not only_looks:
        run_prepared(_TAKE_TURNS, [ids])
    by_way = Q(channel=channel.key) | said_of_counting()
    said = Consent.objects.filter(by_way, customer__in=ids)
    addresses = channel.addresses_of(customers)
    devices = addresses_of_devices(row.device for row in deliveries if row.device)
    digests = [digest_of(address) for address in (*addresses.values(), *devices.values())]
    blocked = BlockedAddress.objects.filter(channel=channel.key, digest__in=digests)
    known = Known(
        {(pk, topic): state for pk, topic, state in
         said.values_list("customer_id", "topic", "state")},
        dict(run_prepared(_ZONES, [ids])),
        frozenset(bytes(digest) for digest in blocked.values_list("digest", flat=True)),
        addresses, devices=devices,
    )  # fmt: skip
    if policy.cap:
        _count(known, ids, channel, now - dt.timedelta(days=policy.cap_days))
    return known


def _count(known: Known, ids: Sequence[int], channel: Channel, since: dt.datetime) -> None:
    """What they had since then, and what waits. What is needed is not counted, nor read what was no
    news any more by then: nothing is handed over after that (`gate`)."""
    had = Q(state__in=Delivery.COUNTED, handed_over_at__gt=since)
    needed = [topic.code for topic in TOPICS.values() if topic.needed]
    news = Q(message__stale_at__gt=since) | Q(message__stale_at=None)
    rows = Delivery.objects.filter(news, message__customer__in=ids, channel=channel.key)
    rows = rows.filter(had | Q(state=Delivery.State.QUEUED)).exclude(message__topic__in=needed)
    for customer, pk, message, state, priority in rows.values_list(
        "message__customer_id", "pk", "message_id", "state", "priority"
    ):
        went = state != Delivery.State.QUEUED
        known.places[customer][pk] = Place(message, priority, had=went)
