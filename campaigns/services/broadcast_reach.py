"""How many a broadcast would reach if it were sent now, by which ways, and why it would not reach
the others."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from campaigns.channels import Channel
from campaigns.models import Broadcast, MessagingPolicy
from campaigns.selectors.broadcasts import audience_of, ways_of_broadcast
from campaigns.selectors.policies import get_policy
from campaigns.selectors.ways import usable_channels
from campaigns.services.broadcast_occasion import BROADCAST, occasion_of
from campaigns.services.gate import foresee
from campaigns.services.known import know
from campaigns.services.preferred_ways import first_ways
from members.models import Customer

PAGE = 2_000


@dataclass(frozen=True, slots=True)
class Reach:
    """Of so many in the audience so many are kept aside, and so many would be told by at least one
    way; by each way so many, and others not for which reason."""

    audience: int
    aside: int
    told: int
    by_way: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def untold(self) -> int:
        return self.audience - self.aside - self.told


def reach_of(broadcast: Broadcast, now: dt.datetime) -> Reach:
    """Looks at everybody in the audience, some queries for every few thousand of them."""
    members = audience_of(broadcast, now)
    audience = members.count()
    meant = members.filter(drawn__gte=broadcast.holdout) if broadcast.holdout else members
    ways, told = ways_of_broadcast(broadcast), 0
    policy, usable = get_policy(), {way.key for way in usable_channels()}
    by_way: Counter[str] = Counter()
    reasons: dict[str, Counter[str]] = {way.key: Counter() for way in ways}
    led = 0
    for page in _pages(meant):
        led += len(page)
        reached: set[int] = set()
        for way, people in _by_way(broadcast, ways, page):
            if way.key in usable:
                found = _reached(broadcast, way, people, policy, reasons[way.key], now)
            else:
                found = set()
                reasons[way.key]["channel_off"] += len(people)
            by_way[way.key] += len(found)
            reached |= found
        told += len(reached)
    return Reach(
        audience, audience - led, told, dict(by_way),
        {key: dict(+counted) for key, counted in reasons.items()},
    )  # fmt: skip


def _pages(members: object) -> Iterator[list[Customer]]:
    """By their keys, so that a page costs the same however many were before it."""
    after = 0
    while True:
        rows = members.filter(person__gt=after).order_by("person")  # type: ignore[attr-defined]
        people = list(rows.values_list("person", flat=True)[:PAGE])
        if not people:
            return
        after = people[-1]
        yield list(Customer.objects.filter(pk__in=people).order_by("pk"))


def _by_way(
    broadcast: Broadcast, ways: Sequence[Channel], page: Sequence[Customer]
) -> list[tuple[Channel, Sequence[Customer]]]:
    """Who is to be told by each; where one is enough, as the sending chooses it."""
    if not broadcast.only_first:
        return [(way, page) for way in ways]
    chosen = first_ways(
        customers=page, channels=ways, occasion=occasion_of(broadcast), topic=broadcast.topic
    )
    return [(way, [one for one in page if chosen[one.pk] == way]) for way in ways]


def _reached(
    broadcast: Broadcast, way: Channel, page: Sequence[Customer], policy: MessagingPolicy,
    reasons: Counter[str], now: dt.datetime,
) -> set[int]:  # fmt: skip
    known = know(customers=page, channel=way, policy=policy, now=now, only_looks=True)
    found = set()
    for customer in page:
        reason = foresee(
            customer=customer, channel=way, topic=broadcast.topic, priority=BROADCAST.priority,
            policy=policy, known=known,
        )  # fmt: skip
        if reason:
            reasons[reason] += 1
        else:
            found.add(customer.pk)
    return found
