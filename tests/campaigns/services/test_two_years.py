"""Two years of four lives, day by day, with all the ready-made journeys: exactly the messages that
are due, in their language and by their clock, none twice, none without consent, none in quiet
hours."""

import datetime as dt
import zoneinfo
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import partial
from typing import NamedTuple
from unittest import mock

import pytest

from campaigns.models import Delivery, Message, Passage, PassageStep
from campaigns.occasions import occasion_named
from campaigns.quiet_hours import is_quiet
from campaigns.ready_journeys import READY
from campaigns.selectors.journey_starts import LOOK_UPS
from campaigns.selectors.journeys import live_journeys
from campaigns.services.consents import choose_time_zone, set_consents
from campaigns.services.journey_starts import look_for
from campaigns.services.journey_steps import take_due
from campaigns.services.journeys import create_journey, publish_journey
from campaigns.services.sending import send_waiting
from loyalty.models import Membership, Program
from loyalty.services.facts import write_facts
from members.models import Customer, OutboxEvent
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled
from rewards.models import Reward
from tests.campaigns.browsing import agree, keep, looked, put
from tests.campaigns.factories import follow, write
from tests.loyalty.factories import make_program, make_wallet, order, record
from tests.rewards.factories import offer, take
from tests.sharing import shared

# Two years with all that is done in them, before whichever test runs first.
pytestmark = [pytest.mark.django_db, pytest.mark.timeout(600), pytest.mark.long]
ATHENS = zoneinfo.ZoneInfo("Europe/Athens")
# A leap year, and the one before it.
BEGIN = dt.datetime(2023, 1, 10, 10, tzinfo=dt.UTC)
END = dt.datetime(2025, 1, 10, 10, tzinfo=dt.UTC)
# What is earned can be used for a year, and a unit is worth a cent.
UNIT = {"unit_value": "0.01", "expiry": {"kind": "months", "length": 12}}


class Life(NamedTuple):
    """Somebody who joins, where they live, and what they buy for 150."""

    number: str
    name: str
    locale: str
    country: str
    zone: str
    birthday: dt.date
    joins: dt.datetime
    buys: tuple[dt.datetime, ...]
    # What they said yes to by mail.
    wants: tuple[str, ...] = ("points", "offers")


def at(*day: int) -> dt.datetime:
    return dt.datetime(*day, tzinfo=dt.UTC)  # type: ignore[arg-type, misc]


ELENI = Life(
    "c1", "Eleni", "el", "GR", "Europe/Athens", dt.date(1992, 2, 29), BEGIN,
    (at(2023, 1, 20, 9), at(2023, 2, 20, 9), at(2023, 3, 20, 9), at(2023, 12, 20, 9),
     # In the evening before the clock is put forward.
     at(2024, 3, 30, 20)), ("points",),
)  # fmt: skip
LIN = Life(
    "c2", "Lin", "ms", "MY", "Asia/Kuala_Lumpur", dt.date(1990, 12, 31), at(2023, 3, 1, 16, 30),
    # The second, half an hour before the year ends there.
    (at(2023, 3, 5, 5), at(2023, 12, 31, 15, 30), at(2024, 2, 29, 4)),
)  # fmt: skip
NOAH = Life(
    "c3", "Noah", "en", "US", "America/New_York", dt.date(1985, 7, 4), at(2023, 10, 31, 15),
    # In the hour that is there twice, and before the one that is not there.
    (at(2023, 11, 5, 5, 30), at(2024, 3, 10, 6, 30), at(2024, 4, 10, 13)),
)  # fmt: skip
JOHN = Life(
    "c4", "John", "en", "GB", "Europe/London", dt.date(1970, 6, 1), at(2023, 5, 1, 12),
    (at(2023, 5, 2, 23), at(2023, 6, 2, 12), at(2023, 7, 2, 12)), (),
)  # fmt: skip
LIVES = (ELENI, LIN, NOAH, JOHN)
# Lin takes what the first order was enough for.
TAKES = at(2023, 3, 6, 5)
# Noah has agreed to it, and orders nothing for some weeks after either.
LEAVES, LOOKS = at(2024, 1, 20, 15), at(2024, 2, 20, 15)
TIERS = {
    "metric": "spend", "window": "rolling_12_months", "downgrade": "immediate",
    "tiers": [{"code": "basic", "name": "Basic"},
              {"code": "gold", "name": "Gold", "threshold": 360}],
}  # fmt: skip


class Clock:
    """What every clock shows, also those that nobody hands a time."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> dt.datetime:
        return self.now


def club() -> Program:
    """All the ready-made journeys, a tier and two rewards."""
    program: Program = make_program(at=BEGIN, time_zone="UTC", unit=UNIT, tiers=TIERS)
    for price, code in ((120, "coffee"), (550, "cake")):
        offer(program, code, name=code.title(), price=price)
    for ready in READY:
        body = {**ready.body, "holdout": 0}
        journey = create_journey(
            program=program, name=ready.code, trigger=ready.trigger, body=body, actor=SYSTEM,
            now=BEGIN,
        )  # fmt: skip
        publish_journey(journey=journey, actor=SYSTEM, now=BEGIN)
    for code in ("statement", "come_back", "win_back"):
        write(code, "Γεια", "Γεια σου", locale="el")
    return program


def join(program: Program, life: Life) -> None:
    make_wallet(program, life.number, life.joins)
    people = Customer.objects.filter(external_id=life.number)
    people.update(
        email=f"{life.name.lower()}@example.com", locale=life.locale,
        country=life.country, birthday=life.birthday,
    )  # fmt: skip
    if life in (LIN, NOAH):
        choose_time_zone(customer=people.get(), time_zone=life.zone, actor=SYSTEM)
    wanted = {("email", topic): topic in life.wants for topic in ("points", "offers")}
    set_consents(customer=people.get(), wanted=wanted, source="staff", actor=SYSTEM, now=life.joins)


def acts(program: Program) -> list[tuple[dt.datetime, Callable[[], object]]]:
    """What the four do, one after the other."""
    found: list[tuple[dt.datetime, Callable[[], object]]] = [
        (life.joins, partial(join, program, life)) for life in LIVES
    ]
    for life in LIVES:
        found += [(placed, partial(buy, life, placed)) for placed in life.buys]
    found += [(LEAVES, leave_cart), (LOOKS, look)]
    return sorted([*found, (TAKES, take_coffee)], key=lambda act: act[0])


def buy(life: Life, placed: dt.datetime) -> None:
    number = f"{life.name} {placed:%y%m%d}"
    record(order(number, "150", at=placed, buyer=life.number), now=placed)


def leave_cart() -> None:
    noah = Customer.objects.get(external_id=NOAH.number)
    keep()
    agree(noah, now=LEAVES)
    put(noah, "MUG", 1, LEAVES)


def look() -> None:
    looked(Customer.objects.get(external_id=NOAH.number), "MUG", LOOKS)


def take_coffee() -> None:
    lin = Membership.objects.get(customer__external_id=LIN.number)
    take(lin, Reward.objects.get(code="coffee"), "lin-coffee", at=TAKES)


def work_on(clock: Clock, now: dt.datetime) -> None:
    """What the worker does all the time."""
    clock.now = now
    # They wait by the clock of the database.
    if OutboxEvent.objects.filter(delivered_at=None).update(available_at=now):
        follow()
    take_due(clock=clock)
    send_waiting(clock=clock)


def days_worked_on(todo: list[tuple[dt.datetime, Callable[[], object]]]) -> set[dt.date]:
    """Each before and on a day on which somebody does or is told something; of the others every
    third: what came about or was due since the last one is found then, and whoever is told of it is
    told on a day that is in no calendar below. And the first of a year, from which a step waits."""
    told = {
        dt.date.fromisoformat(f"20{day}")
        for days in TOLD.values() for found in days.values() for day in found
    }  # fmt: skip
    busy = told | {at.date() for at, _act in todo} | {dt.date(year, 1, 1) for year in (2024, 2025)}
    around = {day + dt.timedelta(days=beside) for day in busy for beside in (-1, 0)}
    between = (END.date() - BEGIN.date()).days
    return around | {BEGIN.date() + dt.timedelta(days=number) for number in range(0, between, 3)}


def live_on(clock: Clock, program: Program) -> None:
    """At night members are looked for, and led on; in the morning of each part of the world again.
    What somebody does is followed up at once, on whatever day."""
    night, todo = BEGIN.replace(hour=1), acts(program)
    worked_on = days_worked_on(todo)
    while night < END:
        for hours in (0, 6.5, 13):
            moment = night + dt.timedelta(hours=hours)
            while todo and todo[0][0] <= moment:
                clock.now, act = todo.pop(0)
                act()
                write_facts(list(Customer.objects.values_list("pk", flat=True)), now=clock.now)
                work_on(clock, clock.now)
            if night.date() not in worked_on:
                continue
            if moment == night:
                clock.now = night
                look_around(night)
            work_on(clock, moment)
        night += dt.timedelta(days=1)


def look_around(night: dt.datetime) -> None:
    run_scheduled(kind="tiers", now=night)
    due, place = live_journeys(*LOOK_UPS), None
    while due:
        looked = look_for(due, night, place)
        due = [found for found in due if found.journey.pk >= looked.journey]
        place = looked.place


def make_lives() -> None:
    clock = Clock()
    with mock.patch("django.utils.timezone.now", clock):
        live_on(clock, club())


lived = shared(make_lives)


def sent(life: Life) -> list[Delivery]:
    rows = Delivery.objects.filter(
        channel="email", state="sent", message__customer__external_id=life.number
    )
    return list(rows.select_related("message").order_by("sent_at", "pk"))


def told(life: Life) -> dict[str, list[str]]:
    """On which days by their calendar, by what it was."""
    zone, found = zoneinfo.ZoneInfo(life.zone), defaultdict(list)
    for row in sent(life):
        assert row.sent_at is not None
        found[row.message.occasion].append(f"{row.sent_at.astimezone(zone):%y-%m-%d}")
    return dict(found)


# What each is told by mail, and on which days by their own calendar.
TOLD = {
    # Born on 29 February; a month in which something happened is told once, on its first morning
    # after. Of four lots each of three distances: what was earned last outlives the two years.
    "Eleni": {
        "welcome": ["23-01-10"], "getting_started": ["23-01-14"],
        "order_earned": ["23-01-20", "23-02-20", "23-03-20", "23-12-20", "24-03-30"],
        "order_after": ["23-02-04", "23-03-07", "23-04-04", "24-01-04", "24-04-14"],
        "first_reward": ["23-01-21", "23-02-04"],
        # The end of the welcome; four fifths of a cake; a third longer than they usually take.
        "near_reward": ["23-01-21", "23-03-21", "23-04-29", "24-08-23"],
        "statement": ["23-02-01", "23-03-01", "23-04-01", "24-01-01", "24-04-01"],
        "birthday": ["23-02-28", "24-02-29"], "anniversary": ["24-01-10", "25-01-10"],
        "first_order": ["24-01-20"], "year_review": ["24-01-04", "25-01-04"],
        "near_tier": ["23-02-21", "24-02-20"], "tier_up": ["23-03-20"],
        "tier_warning": ["24-01-21"], "milestone": ["23-12-21"],
        "expiring": ["23-11-22", "23-12-22", "23-12-23", "24-01-14", "24-01-21", "24-01-22",
                     "24-02-14", "24-02-20", "24-03-14", "24-10-22", "24-11-21", "24-12-14"],
    },
    # What was enough for a reward was taken, so nobody reminds them of it. Born on 31 December.
    "Lin": {
        "welcome": ["23-03-02"], "getting_started": ["23-03-05"],
        "order_earned": ["23-03-05", "23-12-31", "24-02-29"],
        "order_after": ["23-03-20", "24-01-15", "24-03-15"], "first_reward": ["23-03-06"],
        "near_reward": ["24-10-27"], "statement": ["23-04-01", "24-01-01", "24-03-01"],
        "birthday": ["23-12-31", "24-12-31"], "anniversary": ["24-03-01"],
        "year_review": ["24-01-04", "25-01-04"], "near_tier": ["24-01-01", "24-03-05"],
        "tier_up": ["24-02-29"], "come_back": ["23-05-05", "23-06-04", "24-04-30", "24-05-30"],
        "expiring": ["24-01-06", "24-02-05", "24-02-28", "24-11-02", "24-12-02", "24-12-25",
                     "24-12-31"],
    },
    "Noah": {
        "welcome": ["23-10-31"], "getting_started": ["23-11-04"],
        "order_earned": ["23-11-05", "24-03-10", "24-04-10"],
        "order_after": ["23-11-19", "24-03-24", "24-04-24"],
        "first_reward": ["23-11-05", "23-11-20"],
        "near_reward": ["23-11-11", "24-04-11", "24-07-25"],
        "statement": ["23-12-01", "24-04-01", "24-05-01"], "birthday": ["24-07-04"],
        "anniversary": ["24-10-31"], "first_order": ["24-11-05"],
        "year_review": ["24-01-04", "25-01-04"], "near_tier": ["24-03-10", "24-11-05"],
        "tier_up": ["24-04-10"], "tier_warning": ["24-10-06"],
        # After 60 and 90 days, twice; after twice as long as they usually take.
        "come_back": ["24-01-05", "24-02-04", "24-06-10", "24-07-10"], "win_back": ["24-09-15"],
        "expiring": ["24-09-07", "24-10-07", "24-10-30", "25-01-09"],
        # In the night after, and the morning after that; a day after a look, in the morning.
        "cart_left": ["24-01-20", "24-01-22"], "looked_at": ["24-02-22"],
    },
    # They said no to everything that can be declined.
    "John": {"order_earned": ["23-05-03", "23-06-02", "23-07-02"]},
}  # fmt: skip


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.name)
def test_exactly_what_is_due_is_told_on_its_day(lived: None, life: Life) -> None:
    assert told(life) == TOLD[life.name]


def test_what_is_not_sent_says_why(lived: None) -> None:
    """They said no; or were written to five times within the week before."""
    rows = Delivery.objects.filter(channel="email", state="suppressed")
    reasons = Counter(rows.values_list("message__customer__external_id", "reason"))
    assert set(reasons) == {
        (ELENI.number, "unsubscribed"), (LIN.number, "cap"), (JOHN.number, "unsubscribed")
    }  # fmt: skip
    declined = rows.filter(message__customer__external_id=ELENI.number)
    assert set(declined.values_list("message__occasion", flat=True)) == {"come_back", "win_back"}
    # 60 and 90 days after orders that silence followed, and after twice their own cycle.
    assert declined.count() == 8
    assert [row.message.occasion for row in rows.filter(reason="cap")] == ["first_order"]
    assert not Delivery.objects.filter(channel="email").exclude(
        state__in=["sent", "suppressed"]
    ).exists()  # fmt: skip


def test_what_ends_is_told_with_what_it_is_worth(lived: None) -> None:
    rows = Message.objects.filter(occasion="expiring", customer__external_id=ELENI.number)
    worth = rows.values_list("values__worth", flat=True)
    assert Counter(worth) == {"1,50\xa0$": 9, "3,00\xa0$": 3}


def test_who_loses_a_tier_does_not_begin_what_a_higher_one_begins(lived: None) -> None:
    rows = Passage.objects.filter(journey__name="tier-up")
    began = Counter(rows.values_list("membership__customer__external_id", flat=True))
    assert began == {life.number: 1 for life in LIVES}


def test_a_step_waits_by_the_clock_on_the_wall_of_its_member(lived: None) -> None:
    """Two weeks over the night in which the clock was put forward, or back, are two weeks there."""
    rows = Message.objects.filter(occasion="order_after", customer__external_id=NOAH.number)
    zone = zoneinfo.ZoneInfo(NOAH.zone)
    read = [row.deliveries.get(channel="email").sent_at for row in rows.order_by("pk")]
    assert [f"{at.astimezone(zone):%m-%d %H:%M}" for at in read if at] == [
        "11-19 09:00", "03-24 10:00", "04-24 10:00",
    ]  # fmt: skip


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.name)
def test_nobody_is_told_in_another_language_at_night_twice_or_against_their_will(
    lived: None, life: Life
) -> None:
    zone, rows = zoneinfo.ZoneInfo(life.zone), sent(life)
    assert {row.message.locale for row in rows} == {life.locale}
    asleep = [
        row.message.occasion
        for row in rows
        if row.sent_at and is_quiet(row.sent_at, zone, dt.time(21), dt.time(8))
    ]
    # Of orders they are told at any hour, and need not have said yes.
    assert set(asleep) <= {"order_earned"}
    topics = {found.topic for row in rows if (found := occasion_named(row.message.occasion))}
    assert topics == {"orders", *life.wants}
    days = [(row.message.occasion, row.sent_at and row.sent_at.astimezone(zone).date())
            for row in rows]  # fmt: skip
    assert [which for which, count in Counter(days).items() if count > 1] == []
    words = [(row.message.occasion, row.message.occurrence) for row in rows]
    assert len(words) == len(set(words))


def test_every_ready_made_journey_told_somebody(lived: None) -> None:
    told_by = PassageStep.objects.filter(
        outcome="told", message__deliveries__channel="email", message__deliveries__state="sent"
    )
    names = set(told_by.values_list("passage__journey__name", flat=True))
    assert names == {ready.code for ready in READY}
