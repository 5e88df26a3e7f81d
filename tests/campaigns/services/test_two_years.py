"""Two years of one member's life, day by day: exactly the messages that are due,
in their language and by their clock, none twice, none without consent, none in quiet hours."""

import datetime as dt
import zoneinfo
from collections import Counter

import pytest
from django.utils import timezone

from campaigns.journey_times import next_moment
from campaigns.models import Delivery, Message
from campaigns.quiet_hours import is_quiet
from campaigns.ready_journeys import ready_journey
from campaigns.selectors.journeys import live_journeys
from campaigns.services.consents import choose_time_zone, set_consents
from campaigns.services.journey_starts import follow_joined, follow_orders, look_for
from campaigns.services.journey_steps import take_due, zone_of
from campaigns.services.journeys import create_journey, publish_journey
from campaigns.services.sending import send_waiting
from loyalty.models import Membership, Program
from loyalty.services.facts import write_facts
from members.models import Customer, OutboxEvent
from members.services.audit import SYSTEM
from tests.campaigns.factories import write
from tests.loyalty.factories import make_program, make_wallet, order, record

pytestmark = pytest.mark.django_db
ATHENS = zoneinfo.ZoneInfo("Europe/Athens")
# A leap year, and the one before it.
BEGIN = dt.datetime(2023, 1, 10, 10, tzinfo=dt.UTC)
END = dt.datetime(2025, 1, 10, 10, tzinfo=dt.UTC)
CODES = (
    "statement", "birthday", "anniversary", "first-order", "quiet", "year", "milestones",
    "expiring",
)  # fmt: skip
# What is earned can be used for a year, and a unit is worth a cent.
UNIT = {"unit_value": "0.01", "expiry": {"kind": "months", "length": 12}}
BUYS = [dt.datetime(2023, month, 20, 9, tzinfo=dt.UTC) for month in (1, 2, 3, 12)] + [
    dt.datetime(2024, 3, 30, 9, tzinfo=dt.UTC)
]


def club() -> Membership:
    program: Program = make_program(at=BEGIN, time_zone="UTC", unit=UNIT)
    for code in CODES:
        ready = ready_journey(code)
        assert ready is not None
        body = {**ready.body, "holdout": 0}
        journey = create_journey(
            program=program, name=code, trigger=ready.trigger, body=body, actor=SYSTEM, now=BEGIN
        )
        publish_journey(journey=journey, actor=SYSTEM, now=BEGIN)
    make_wallet(program, "c1", BEGIN)
    Customer.objects.update(
        email="eleni@example.com", locale="el", country="GR", birthday=dt.date(1992, 2, 29)
    )
    return Membership.objects.select_related("customer").get()


def live_on(until: dt.datetime) -> None:
    """At night members are looked for, and led on; in the morning again, and a buy is told as it
    is."""
    night, buys = BEGIN.replace(hour=1), list(BUYS)
    while night < until:
        for found in live_journeys():
            look_for(found, night)
        for at in (night, night + dt.timedelta(hours=6, minutes=30)):
            take_due(clock=lambda at=at: at)
            send_waiting(clock=lambda at=at: at)
        if buys and buys[0].date() == night.date():
            placed = buys.pop(0)
            record(order(f"A{placed:%y%m}", "150", at=placed), now=placed)
            write_facts(list(Customer.objects.values_list("pk", flat=True)), now=placed)
        night += dt.timedelta(days=1)


def told() -> list[tuple[str, dt.date]]:
    rows = Delivery.objects.filter(channel="email", state="sent").order_by("sent_at", "pk")
    return [
        (row.message.occasion, row.sent_at.astimezone(ATHENS).date())
        for row in rows.select_related("message")
        if row.sent_at
    ]


# Seven hundred mornings, each with all that a night does.
@pytest.mark.timeout(600)
def test_two_years_of_a_members_life() -> None:
    member = club()
    for code in ("statement", "come_back"):
        write(code, "Γεια", "Γεια σου", locale="el")
    set_consents(
        customer=member.customer, wanted={("email", "offers"): False}, source="staff",
        actor=SYSTEM, now=BEGIN,
    )  # fmt: skip
    live_on(END)
    found = Counter(name for name, _day in told())
    days = [day for name, day in told() if name == "birthday"]
    assert days == [dt.date(2023, 2, 28), dt.date(2024, 2, 29)]
    anniversaries = [day for name, day in told() if name == "anniversary"]
    assert anniversaries == [dt.date(2024, 1, 10), dt.date(2025, 1, 10)]
    # A month in which something happened is told once, on its first morning after.
    assert [day for name, day in told() if name == "statement"] == [
        dt.date(2023, 2, 1), dt.date(2023, 3, 1), dt.date(2023, 4, 1), dt.date(2024, 1, 1),
        dt.date(2024, 4, 1),
    ]  # fmt: skip
    assert [day for name, day in told() if name == "year_review"] == [
        dt.date(2024, 1, 4), dt.date(2025, 1, 4)
    ]  # fmt: skip
    assert found["milestone"] == 1
    # Each of four lots at each of three distances; what was earned last outlives the two years.
    assert [f"{day:%y-%m-%d}" for name, day in told() if name == "expiring"] == [
        "23-11-22", "23-12-22", "23-12-23", "24-01-14", "24-01-21", "24-01-22", "24-02-14",
        "24-02-20", "24-03-14", "24-10-22", "24-11-21", "24-12-14",
    ]  # fmt: skip
    worth = Message.objects.filter(occasion="expiring").values_list("values__worth", flat=True)
    assert Counter(worth) == {"1,50\xa0$": 9, "3,00\xa0$": 3}
    # And nothing else, all of it in their language.
    assert found == {
        "statement": 5, "birthday": 2, "anniversary": 2, "first_order": 1, "year_review": 2,
        "milestone": 1, "expiring": 12,
    }  # fmt: skip
    assert {row.locale for row in Message.objects.all()} == {"el"}
    # They said no to offers, so what waits for them is told on their own page alone.
    assert found["come_back"] == 0
    waits = Message.objects.filter(occasion="come_back")
    assert {row.locale for row in waits} == {"el"}
    assert Delivery.objects.filter(message__in=waits, channel="email").exclude(
        state="suppressed", reason="unsubscribed"
    ).count() == 0  # fmt: skip
    # 60 and 90 days after the orders that were followed by so much silence.
    assert waits.count() == 6
    assert _in_quiet_hours() == []
    assert _twice() == []


def _in_quiet_hours() -> list[Delivery]:
    begins, ends = dt.time(21), dt.time(8)
    return [
        row
        for row in Delivery.objects.filter(channel="email", sent_at__isnull=False)
        if row.sent_at and is_quiet(row.sent_at, ATHENS, begins, ends)
    ]


def _twice() -> list[tuple[str, int]]:
    rows = Message.objects.values_list("occasion", "created_at__date")
    return [(str(key), count) for key, count in Counter(rows).items() if count > 1]


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
        for kind, follow in by_kind.items():
            follow(list(OutboxEvent.objects.filter(kind=kind)))
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
    member = club()
    assert str(zone_of(member)) == "Europe/Athens"
    choose_time_zone(customer=member.customer, time_zone="Asia/Tokyo", actor=SYSTEM)
    assert str(zone_of(member)) == "Asia/Tokyo"
