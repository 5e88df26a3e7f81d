"""What a broadcast would reach, and what it brought."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.demo.broadcasts import show_broadcasts
from campaigns.models import Broadcast, Delivery
from campaigns.selectors.broadcast_results import result_of
from campaigns.selectors.calendar import Span, entries
from campaigns.services.blocked_addresses import block_address
from campaigns.services.broadcast_reach import reach_of
from campaigns.services.calendar_moves import find_entry, move_entry, moved_by, preview_move
from campaigns.services.consents import set_consents
from campaigns.services.measuring import note_click
from campaigns.services.policies import set_policy
from loyalty.models import Program
from members.models import Customer
from members.services.audit import SYSTEM
from tests.campaigns.broadcasts import (
    NOON,
    draw_alike,
    fresh,
    make_broadcast,
    person,
    run,
    schedule,
)
from tests.campaigns.factories import send, tell
from tests.loyalty.factories import make_program, make_wallet, order, record
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def make_world() -> Program:
    program = make_program()
    for number in range(1, 9):
        make_wallet(program, f"c{number}")
        Customer.objects.filter(external_id=f"c{number}").update(email=f"c{number}@example.com")
    return program


made_once = shared(make_world)


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


def test_the_reach_is_what_is_sent_then(program: Program) -> None:
    set_policy(changes={"cap": 1}, actor=SYSTEM)
    Customer.objects.filter(external_id="c1").update(email="")
    block_address(channel="email", address="c2@example.com", reason="bounced", now=NOON)
    set_consents(
        customer=person("c3"), wanted={("email", "points"): False}, source="staff", actor=SYSTEM,
        now=NOON,
    )  # fmt: skip
    tell(person("c4"), at=NOON, topic="points")
    send(NOON)
    made = make_broadcast(program, channels=["email"])
    reach = reach_of(made, NOON)
    assert (reach.audience, reach.told, reach.untold, reach.aside) == (8, 4, 4, 0)
    foreseen = reach.reasons["email"]
    assert foreseen == {"no_address": 1, "address_blocked": 1, "unsubscribed": 1, "cap": 1}
    schedule(made)
    run()
    send(NOON)
    result = result_of(fresh(made), NOON)
    assert result.reasons["email"] == foreseen
    assert result.measured.total.sent == reach.by_way["email"] == 4


def test_by_the_first_way_each_is_counted_once(program: Program) -> None:
    Customer.objects.filter(external_id="c1").update(email="")
    made = make_broadcast(program, channels=["email", "inbox"], only_first=True)
    assert reach_of(made, NOON).by_way == {"email": 7, "inbox": 1}


def test_by_the_first_way_it_is_foreseen_as_it_is_sent(program: Program) -> None:
    """Who was written to often enough is still told by that way, and so by none."""
    set_policy(changes={"cap": 1}, actor=SYSTEM)
    tell(person("c4"), at=NOON, topic="points")
    send(NOON)
    made = make_broadcast(program, channels=["email", "inbox"], only_first=True)
    reach = reach_of(made, NOON)
    schedule(made)
    run()
    send(NOON)
    result = result_of(fresh(made), NOON)
    assert (reach.told, reach.by_way) == (7, {"email": 7, "inbox": 0})
    assert reach.reasons["email"] == result.reasons["email"] == {"cap": 1}
    assert result.measured.total.sent == reach.told


def test_a_way_that_is_not_set_up_reaches_nobody(program: Program) -> None:
    made = make_broadcast(program, channels=["sms", "inbox"])
    reach = reach_of(made, NOON)
    assert (reach.told, reach.reasons["sms"]) == (8, {"channel_off": 8})


def test_orders_and_clicks_of_its_days_are_its_figures(program: Program) -> None:
    made = schedule(make_broadcast(program, channels=["email"], order_days=3))
    run()
    send(NOON)
    row = fresh(made)
    first = Delivery.objects.filter(message__customer=person("c1")).get()
    note_click(delivery=first.public_id, target="https://shop.example/spring", now=NOON + DAY)
    record(order("in", at=NOON + DAY), now=NOON + DAY)
    record(order("late", at=NOON + 4 * DAY, buyer="c2"), now=NOON + 4 * DAY)
    measured = result_of(row, NOON + 5 * DAY).measured
    assert (measured.total.sent, measured.total.clicked, measured.total.ordered) == (8, 1, 1)
    # Long after as well.
    assert result_of(row, NOON + 200 * DAY).measured.total.ordered == 1


def test_it_is_compared_with_those_who_were_kept_aside(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaigns.comparisons.LEAST_EACH", 2)
    made = schedule(draw_alike(make_broadcast(program, holdout=50, order_days=2)))
    run()
    row = fresh(made)
    told = row.recipients.filter(held_out=False).values_list("customer__external_id", flat=True)
    for who in told:
        record(order(f"o-{who}", at=NOON + DAY, buyer=who), now=NOON + DAY)
    assert result_of(row, NOON + DAY).against is not None
    assert result_of(row, NOON + DAY).against.orders is None  # type: ignore[union-attr]
    against = result_of(row, NOON + 3 * DAY).against
    assert against is not None
    assert against.orders is not None
    assert (against.led + against.aside, against.orders.led, against.orders.aside) == (8, 1, 0)


@pytest.mark.parametrize("only_first", [False, True])
def test_the_audience_asks_as_many_queries_however_many_there_are(
    program: Program, *, only_first: bool
) -> None:
    made = make_broadcast(program, channels=["email", "inbox"], only_first=only_first)

    def asked(count: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert reach_of(made, NOON).audience == count
        return len(queries)

    few = asked(8)
    for number in range(9, 33):
        make_wallet(program, f"c{number}")
        Customer.objects.filter(external_id=f"c{number}").update(email=f"c{number}@example.com")
    assert asked(32) == few <= 30


def test_it_stands_on_the_calendar_and_is_moved_there(program: Program) -> None:
    made = schedule(make_broadcast(program), NOON + DAY)
    draft = make_broadcast(program)
    span = Span(NOON.date(), (NOON + 7 * DAY).date())
    [entry] = entries([program], span, NOON, {"broadcast"})
    assert (entry.key, entry.movable, entry.title) == (str(made.public_id), True, "Spring")
    assert str(draft.public_id) != entry.key
    found = find_entry("broadcast", entry.key, NOON)
    times = moved_by(found, (NOON + 3 * DAY).date())
    assert preview_move(found, times, NOON).times == times
    move_entry(entry=found, times=times, actor=SYSTEM, now=NOON)
    assert fresh(made).send_at == NOON + 3 * DAY
    run(NOON + 3 * DAY)
    [sent] = entries([program], span, NOON + 4 * DAY, {"broadcast"})
    assert (sent.state, sent.movable) == ("sent", False)


def test_the_demonstration_has_one_that_was_sent_one_to_come_and_a_draft(program: Program) -> None:
    for _again in range(2):
        show_broadcasts(program)
    found = Broadcast.objects.values_list("name", "status")
    assert dict(found) == {
        "Harvest week": "sent", "Tasting evening": "scheduled", "Thank you for the year": "draft",
    }  # fmt: skip
    sent = Delivery.objects.filter(channel="email", state="sent").count()
    assert sent == Broadcast.objects.get(status="sent").recipients.filter(held_out=False).count()
