"""What the merchant gives for orders, activities and new members."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import DatabaseError, connections, transaction
from django.urls import reverse

from loyalty.models import Membership, Pledge, PledgeEvent
from loyalty.selectors.impact import impact_of_member
from loyalty.selectors.programs import definition_of
from loyalty.services.activity_decisions import reverse_activity
from loyalty.services.pledge_events import look_back
from members.errors import ConflictError, DomainError
from members.models import Customer
from members.segment_uses import segment_uses
from members.services.audit import SYSTEM
from members.services.outbox import deliver_waiting
from members.services.segments import archive_segment, create_segment
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    make_type,
    order,
    record,
    refund,
    tell,
    told,
)
from tests.loyalty.services.giving import EACH_ORDER, club, count, given, lines, member, merge


def test_each_order_is_counted_once_and_given_back_when_it_is_canceled(db):
    club(EACH_ORDER)
    ann = member()
    deliver_waiting()
    count("ann")
    assert (lines(), given()) == ([(5, 1)], 1)
    assert impact_of_member(ann)[0].words == "1\N{NO-BREAK SPACE}tree"
    record(order("ann-1", "100", buyer="ann", status="cancelled"), now=day(1))
    count("ann", now=day(1))
    count("ann", now=day(1))
    assert (lines(), given()) == ([(5, 1), (-5, -1)], 0)
    record(order("ann-1", "100", buyer="ann"), now=day(2))
    count("ann", now=day(2))
    assert given() == Pledge.objects.get().given == 1


def test_one_that_begins_now_does_not_end_before(db):
    said = {name: value for name, value in EACH_ORDER.items() if name != "starts_at"}
    with pytest.raises(DomainError) as caught:
        club(said | {"ends_at": day(-1).isoformat()})
    assert [item.field for item in caught.value.errors] == ["ends_at"]
    assert not Pledge.objects.exists()


def test_what_happened_before_it_was_put_live_is_counted_piece_by_piece(db):
    program = club()
    member()
    record(*(order(f"A{number}", "10", buyer="ann") for number in range(4)))
    club(EACH_ORDER)
    assert [look_back(NOW, most=2) for _ in range(4)] == [2, 2, 1, None]
    assert given() == 5
    assert definition_of(program, NOW).pledges[0].code == "orders"


def test_an_order_that_came_back_as_a_whole_is_undone(db):
    club(EACH_ORDER)
    member()
    count("ann")
    give_back(refund("R1", "40", of="ann-1", at=day(1)))
    count("ann")
    assert given() == 1
    give_back(refund("R2", "60", of="ann-1", at=day(2)))
    count("ann")
    assert given() == 0


def test_a_budget_is_never_exceeded_and_freed_room_serves_others(db):
    club(EACH_ORDER | {"budget": "2"})
    member()
    record(*(order(f"A{number}", "10", buyer="ann") for number in range(3)))
    count("ann")
    states = PledgeEvent.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["counted", "counted", "no_budget", "no_budget"]
    record(order("A0", "10", buyer="ann", status="cancelled"), now=day(1))
    count("ann")
    record(order("A9", "10", buyer="ann", at=day(2)))
    count("ann", now=day(2))
    assert given() == Pledge.objects.get().given == 2
    with pytest.raises(DatabaseError), transaction.atomic():
        Pledge.objects.update(given=3)


def test_only_orders_from_so_much_on_in_its_days_and_of_whom_the_condition_says(db):
    when = {"field": "customer.country", "op": "is", "value": "GR"}
    club(
        EACH_ORDER | {
            "least": "50", "starts_at": day(0).isoformat(), "ends_at": day(5).isoformat(),
            "when": when,
        }
    )  # fmt: skip
    member(bought="")
    member("ben", "60")
    Customer.objects.filter(external_id="ann").update(country="GR")
    record(
        order("A1", "60", buyer="ann", at=day(-1)), order("A2", "60", buyer="ann", at=day(1)),
        order("A3", "40", buyer="ann", at=day(1)), order("A4", "60", buyer="ann", at=day(6)),
    )  # fmt: skip
    count("ann", "ben")
    counted = PledgeEvent.objects.filter(state="counted")
    assert [item.order.external_id for item in counted] == ["A2"]
    # Looked at once: who moves there later was not there then.
    Customer.objects.filter(external_id="ben").update(country="GR")
    count("ben")
    assert counted.count() == 1


def test_an_approved_activity_counts_and_is_given_back_when_it_is_taken_back(db):
    make_type()
    club({
        "code": "reviews", "charity": "seas", "name": "A dollar for each review",
        "event": "activity", "activity_type": "review", "status": "live", "money": "1",
        "starts_at": day(-30).isoformat(),
    })  # fmt: skip
    member(bought="")
    [done] = tell(told(buyer="ann"))
    count("ann")
    assert lines() == [(1, 0)]
    reverse_activity(
        activity=done.activity, note="Spam", actor=SYSTEM, source="backoffice", now=day(1)
    )
    count("ann")
    assert sum(money for money, _things in lines()) == 0


def test_who_joins_is_counted_once_and_who_is_merged_is_one(db):
    program = club(EACH_ORDER | {"code": "joined", "event": "member"})
    ann, ben = member(bought=""), member("ben", bought="")
    deliver_waiting()
    assert given() == 2
    merge(ann, ben)
    deliver_waiting()
    assert given() == 1
    assert Membership.objects.filter(program=program).count() == 2


def test_a_segment_that_a_pledge_asks_for_is_in_use_until_it_is_archived(db):
    segment = create_segment(actor=SYSTEM, name="Regulars", kind="static", now=NOW)
    when = {"field": "customer.segments", "op": "has_any", "value": [segment.code]}
    program = club(EACH_ORDER | {"when": when})
    [use] = segment_uses()[segment.code]
    assert (use.kind, use.label) == ("pledge", f"A tree for each order ({program.name})")
    assert use.url == reverse("loyalty_backoffice:charity", args=[program.code, "trees"])
    with pytest.raises(ConflictError):
        archive_segment(actor=SYSTEM, segment=segment, now=NOW)
    Pledge.objects.update(status="archived")
    assert segment_uses() == {}


@pytest.mark.django_db(transaction=True)
def test_a_budget_for_one_is_given_once_however_many_count():
    club(EACH_ORDER | {"budget": "3"})
    buyers = [f"c{number}" for number in range(8)]
    for buyer in buyers:
        member(buyer, "10")

    def look(buyer: str) -> None:
        try:
            count(buyer)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(look, buyers * 3))
    assert given() == Pledge.objects.get().given == 3
    assert PledgeEvent.objects.count() == 8
    assert_ledger_coherent()


def test_the_least_of_an_order_in_another_currency_is_what_it_was_converted_to(db):
    club(EACH_ORDER | {"least": "50"})
    member(bought="")
    for number, rate in (("A1", "1.25"), ("A2", "1.2")):
        record(
            order(number, "41", buyer="ann", currency="EUR", rates=(("USD", Decimal(rate)),))
        )  # fmt: skip
    count("ann")
    counted = PledgeEvent.objects.filter(state="counted")
    assert [item.order.external_id for item in counted] == ["A1"]
