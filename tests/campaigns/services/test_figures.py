"""What became of messages: counted by day, way, language, version and step of a journey."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.journey_entrants import Wanted
from campaigns.models import Delivery, Journey, Message, ProgramMeasuring
from campaigns.selectors.figures import (
    Counts,
    figures_by_journey,
    figures_by_occasion,
    figures_of_journey,
    figures_of_occasion,
    first_day,
)
from campaigns.selectors.journeys import version_in_force
from campaigns.services.inbox import mark_read
from campaigns.services.journey_entries import enter
from campaigns.services.journey_steps import take_due
from campaigns.services.journeys import publish_journey, save_draft
from campaigns.services.measuring import note_click, note_open
from campaigns.services.policies import set_measuring, set_policy
from loyalty.models import Membership
from members.errors import DomainError
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.campaigns.factories import make_journey, send, tell, write
from tests.factories import CustomerFactory
from tests.loyalty.factories import make_program, order, record
from tests.rewards.factories import make_member

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]
DAY = dt.timedelta(days=1)


def reachable(number: str, program: Any = None) -> Membership:
    member = make_member(0, number, program)
    member.customer.email = f"{number}@example.com"
    member.customer.save()
    return member


def told(member: Membership, at: dt.datetime, occurrence: str = "one", **how: Any) -> Delivery:
    tell(member.customer, f"{member.pk}:{occurrence}", membership=member, at=at, **how)
    send(at)
    return Delivery.objects.filter(message__membership=member).latest("pk")


def buys(member: Membership, at: dt.datetime, number: str = "", **how: Any) -> None:
    record(order(number or f"O{member.pk}", "20", at=at, buyer=member.customer.external_id, **how))


def of_gift(now: dt.datetime, days: int = 30) -> Counts:
    return figures_of_occasion("gift", days=days, now=now).total


def test_from_sent_to_ordered_each_counted_once() -> None:
    set_policy(changes={"track_opens": True}, actor=SYSTEM)
    now, program = timezone.now(), make_program()
    members = [reachable(f"c{number}", program) for number in range(4)]
    rows = [told(member, now - 10 * DAY) for member in members]
    Delivery.objects.filter(pk__in=[row.pk for row in rows[:3]]).update(delivered_at=now)
    note_open(delivery=rows[0].public_id, now=now)
    for _time in range(3):
        note_click(delivery=rows[1].public_id, target="https://shop.example/a", now=now)
    Delivery.objects.filter(pk=rows[2].pk).update(unsubscribed_at=now)
    Delivery.objects.filter(pk=rows[3].pk).update(state="failed", reason="bounced")
    buys(members[0], now - 9 * DAY, "A")
    buys(members[0], now - 8 * DAY, "B")
    found = of_gift(now)
    assert found == Counts(
        sent=4, delivered=3, shows_opens=4, opened=2, counts_clicks=4, clicked=1, over=4,
        ordered=1, unsubscribed=1, failed=1,
    )  # fmt: skip
    assert found.rates == {
        "delivered": 75.0, "opened": 50.0, "clicked": 25.0, "ordered": 25.0, "unsubscribed": 25.0,
    }  # fmt: skip
    assert figures_of_occasion("gift", days=30, now=now).links == (("shop.example/a", 1),)


def test_an_order_counts_in_its_days_and_not_when_it_came_to_nothing() -> None:
    now, program = timezone.now(), make_program()
    times = {"before": -1, "at_once": 0.1, "last": 6.9, "late": 7.1}
    for number, (_name, days) in enumerate(times.items()):
        member = reachable(f"c{number}", program)
        told(member, now - 20 * DAY)
        buys(member, now - 20 * DAY + days * DAY)
    canceled = reachable("c9", program)
    told(canceled, now - 20 * DAY)
    buys(canceled, now - 19 * DAY, status="cancelled")
    assert (of_gift(now).over, of_gift(now).ordered) == (5, 2)


def test_only_of_those_whose_days_are_over() -> None:
    now, member = timezone.now(), reachable("c1")
    told(member, now - 3 * DAY)
    buys(member, now - 2 * DAY)
    assert (of_gift(now).sent, of_gift(now).over, of_gift(now).ordered) == (1, 0, 0)
    assert of_gift(now).rates["ordered"] is None
    assert (of_gift(now + 5 * DAY).over, of_gift(now + 5 * DAY).ordered) == (1, 1)
    set_policy(changes={"order_days": 2}, actor=SYSTEM)
    assert (of_gift(now).over, of_gift(now).ordered) == (1, 1)


def test_a_program_has_days_of_its_own() -> None:
    now, member = timezone.now(), reachable("c1")
    told(member, now - 20 * DAY)
    buys(member, now - 10 * DAY)
    assert of_gift(now).ordered == 0
    for _time in range(2):
        set_measuring(program=member.program, is_off=False, order_days=14, actor=SYSTEM)
    assert of_gift(now).ordered == 1
    assert AuditEntry.objects.filter(action="messaging.measuring").count() == 1
    set_measuring(program=member.program, is_off=False, order_days=None, actor=SYSTEM)
    assert not ProgramMeasuring.objects.exists()
    for wrong in (0, 91):
        with pytest.raises(DomainError, match="Between 1 and 90 days"):
            set_measuring(program=member.program, is_off=False, order_days=wrong, actor=SYSTEM)
        with pytest.raises(DomainError):
            set_policy(changes={"order_days": wrong}, actor=SYSTEM)


def test_an_order_counts_for_each_message_before_it() -> None:
    now, member = timezone.now(), reachable("c1")
    told(member, now - 10 * DAY)
    told(member, now - 9 * DAY, "two")
    buys(member, now - 8 * DAY)
    assert of_gift(now).ordered == 2


def test_by_day_way_language_and_version() -> None:
    now, program = timezone.now(), make_program()
    members = [reachable(f"c{number}", program) for number in range(3)]
    told(members[0], now - 2 * DAY)
    write("gift", "Mine", "<mj-section><mj-column><mj-text>{{ gift }}</mj-text></mj-column>"
          "</mj-section>", channel="email")  # fmt: skip
    told(members[1], now - DAY)
    row = told(members[2], now - DAY, channels=("email", "inbox"))
    inbox = row.message.deliveries.get(channel="inbox")
    mark_read(delivery=inbox, now=now)
    found = figures_of_occasion("gift", days=7, now=now)
    assert [counts.sent for counts in found.by_day.values()] == [0, 0, 0, 0, 1, 3, 0]
    assert {key: counts.sent for key, counts in found.by_channel.items()} == {
        "email": 3, "inbox": 1,
    }  # fmt: skip
    assert (found.by_channel["inbox"].shows_opens, found.by_channel["inbox"].opened) == (1, 1)
    assert found.by_channel["email"].shows_opens == 0
    assert {key: counts.sent for key, counts in found.by_words.items()} == {
        ("email", "en", 1): 2, ("email", "en", None): 1, ("inbox", "en", None): 1,
    }  # fmt: skip
    assert found.by_locale["en"].sent == 4
    assert (found.days, found.order_days) == (7, 7)
    assert figures_by_occasion(days=7, now=now) == {"gift": found.total}


def test_two_messages_of_a_journey_have_a_first_version_each() -> None:
    now, program = timezone.now(), make_program()
    begun = now - 40 * DAY
    journey = make_journey(program)
    save_draft(journey=journey, body={**journey.versions.get().body, "holdout": 0}, name="Hello",
               actor=SYSTEM, now=begun)  # fmt: skip
    publish_journey(journey=journey, actor=SYSTEM, now=begun)
    for code in ("welcome", "getting_started"):
        write(code, "Mine", "<mj-section><mj-column><mj-text>Hello</mj-text></mj-column>"
              "</mj-section>", channel="email")  # fmt: skip
    member, in_force = reachable("c1", program), version_in_force(journey)
    assert in_force is not None
    enter(in_force, [Wanted(member.pk, "joined")], begun)
    for hours in range(0, 24 * 5, 12):
        take_due(clock=lambda hours=hours: begun + dt.timedelta(hours=hours))  # type: ignore[misc]
        send(begun + dt.timedelta(hours=hours))
    found = figures_of_journey(journey, days=90, now=now)
    told_by_mail = Delivery.objects.filter(channel="email", version__number=1, state="sent")
    assert set(told_by_mail.values_list("message__occasion", flat=True)) == {
        "welcome", "getting_started",
    }  # fmt: skip
    assert found.by_words["email", "en", 1].sent == 2
    assert sum(counts.sent for counts in found.by_words.values()) == found.total.sent


def test_what_waits_and_what_was_not_sent_is_counted_beside() -> None:
    now = timezone.now()
    tell(CustomerFactory(email=""), "nobody", at=now)
    send(now)
    tell(CustomerFactory(email="b@example.com"), "waits", at=now)
    found = of_gift(timezone.now())
    assert (found.sent, found.suppressed, found.waiting) == (0, 1, 1)
    assert not found.is_empty


def test_what_is_older_than_the_days_asked_for_is_not_looked_at() -> None:
    now, member = timezone.now(), reachable("c1")
    told(member, now - 100 * DAY)
    assert of_gift(now, days=500).is_empty
    assert first_day(500, now) == first_day(90, now)
    assert first_day(1, now) == first_day(0, now)


def led(journey: Journey, members: list[Membership], at: dt.datetime) -> None:
    found = version_in_force(journey)
    assert found is not None
    enter(found, [Wanted(member.pk, "joined") for member in members], at)
    for hours in range(0, 24 * 9, 12):
        take_due(clock=lambda hours=hours: at + dt.timedelta(hours=hours))  # type: ignore[misc]


def test_of_a_journey_and_its_steps() -> None:
    now, program = timezone.now(), make_program()
    begun = now - 40 * DAY
    journey = make_journey(program)
    body = {**journey.versions.get().body, "holdout": 0}
    save_draft(journey=journey, body=body, name="Hello", actor=SYSTEM, now=begun)
    publish_journey(journey=journey, actor=SYSTEM, now=begun)
    members = [reachable(f"c{number}", program) for number in range(2)]
    led(journey, members, begun)
    # Of somebody whom the journey did not tell it.
    told(reachable("c8", program), begun, code="welcome", channels=("inbox",))
    found = figures_of_journey(journey, days=90, now=now)
    assert found.total.sent == Delivery.objects.filter(sent_at__isnull=False).count() - 1
    assert sum(counts.sent for counts in found.by_step.values()) == found.total.sent
    assert len(found.by_step) > 1
    assert figures_by_journey(days=90, now=now) == {journey.pk: found.total}
    assert found.total.ordered == 0
    buys(members[0], begun + 12 * DAY)
    assert found.order_days == 7
    save_draft(journey=journey, body={**body, "ordered_days": 30}, name="Hello", actor=SYSTEM,
               now=now)  # fmt: skip
    publish_journey(journey=journey, actor=SYSTEM, now=now)
    later = figures_of_journey(journey, days=90, now=now)
    assert later.order_days == 30
    assert later.total.ordered > 0


def test_it_costs_the_same_queries_however_many_there_are() -> None:
    now, program = timezone.now(), make_program()

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            figures_of_occasion("gift", days=30, now=now)
            figures_by_occasion(days=30, now=now)
        return len(caught)

    queries()
    before = queries()
    for number in range(6):
        told(reachable(f"c{number}", program), now - DAY, str(number))
    assert Message.objects.count() == 6
    assert queries() == before
