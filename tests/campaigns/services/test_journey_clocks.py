"""What leads into journeys by its events, and by which clock their steps are due."""

import datetime as dt
import zoneinfo
from collections import Counter

import pytest
from django.utils import timezone

from campaigns.journey_times import next_moment
from campaigns.models import Message
from campaigns.ready_journeys import ready_journey
from campaigns.services.consents import choose_time_zone
from campaigns.services.journey_starts import follow_joined, follow_orders
from campaigns.services.journey_steps import take_due, zone_of
from campaigns.services.journeys import create_journey, publish_journey
from loyalty.models import Membership
from members.models import Customer, OutboxEvent
from members.services.audit import SYSTEM
from tests.loyalty.factories import make_program, make_wallet, order, record

pytestmark = pytest.mark.django_db
BEGIN = dt.datetime(2023, 1, 10, 10, tzinfo=dt.UTC)


def test_joining_and_an_order_lead_in_by_their_events() -> None:
    program = make_program(at=BEGIN)
    for code in ("welcome", "order"):
        ready = ready_journey(code)
        assert ready is not None
        journey = create_journey(
            program=program, name=code, trigger=ready.trigger,
            body={**ready.body, "holdout": 0, "goal": ""}, actor=SYSTEM, now=BEGIN,
        )  # fmt: skip
        publish_journey(journey=journey, actor=SYSTEM, now=BEGIN)
    now = timezone.now()
    record(order("A1", "20", at=now), now=now)
    by_kind = {"membership.joined": follow_joined, "customers.changed": follow_orders}
    for _again in range(2):
        for kind, consumer in by_kind.items():
            consumer(list(OutboxEvent.objects.filter(kind=kind)))
        take_due()
    told_now = sorted(Message.objects.values_list("occasion", flat=True))
    assert told_now == ["order_earned", "welcome"]
    take_due(clock=lambda: now + dt.timedelta(days=40))
    take_due(clock=lambda: now + dt.timedelta(days=60))
    assert Counter(Message.objects.values_list("occasion", flat=True)).most_common(1)[0][1] == 1


@pytest.mark.parametrize(
    ("zone", "at", "expected"),
    [
        # 02:30 does not exist on 31 March 2024 in Berlin, and is there twice on 27 October.
        ("Europe/Berlin", "2024-03-31T00:30", "2024-03-31T01:30"),
        ("Europe/Berlin", "2024-10-26T22:30", "2024-10-27T00:30"),
        ("Asia/Kuala_Lumpur", "2024-12-31T18:00", "2024-12-31T18:30"),
        ("America/New_York", "2024-02-29T12:00", "2024-03-01T07:30"),
    ],
)
def test_a_time_of_the_clock_is_found_also_in_nights_that_change_it(
    zone: str, at: str, expected: str
) -> None:
    read = [dt.datetime.fromisoformat(each).replace(tzinfo=dt.UTC) for each in (at, expected)]
    assert next_moment(read[0], zoneinfo.ZoneInfo(zone), dt.time(2, 30)) == read[1]


def test_a_clock_that_somebody_chose_is_theirs() -> None:
    make_wallet(make_program(at=BEGIN), at=BEGIN)
    Customer.objects.update(country="GR")
    member = Membership.objects.select_related("customer", "program").get()
    assert str(zone_of(member)) == "Europe/Athens"
    choose_time_zone(customer=member.customer, time_zone="Asia/Tokyo", actor=SYSTEM)
    assert str(zone_of(member)) == "Asia/Tokyo"
