"""The facts about customers: whatever is written, they follow, and all say the same."""

import datetime as dt
import zoneinfo
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.models import Activity, ActivityType, Order
from loyalty.selectors.behavior import behavior_before
from loyalty.services import fact_rebuilds
from loyalty.services.facts import rank_by_spend, write_facts
from members.conditions.fields import BEHAVIOR, field_named
from members.conditions.moments import Moment
from members.conditions.query import query_of
from members.conditions.tree import parse
from members.models import Customer, CustomerFacts, Job, OutboxEvent, Segment, SegmentMember
from members.models.changes import CHANGED
from members.services.audit import SYSTEM
from members.services.job_runs import start_work
from members.services.outbox import deliver_waiting
from members.services.segment_refresh import refresh_segment
from tests.factories import CustomerFactory, StaffMemberFactory
from tests.loyalty.factories import day, give_back, line, make_program, order, record, refund

pytestmark = pytest.mark.django_db
LATER = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
KNOWN = (
    "orders", "ordered", "returned", "goods", "discounts", "first_order_at", "last_order_at",
    "spend", "average_order", "purchase_cycle", "discount_share", "returns_share",
)  # fmt: skip


def deliver() -> None:
    while deliver_waiting():
        pass


def as_kept() -> dict[str, tuple[object, ...]]:
    rows = CustomerFacts.objects.select_related("customer")
    return {
        row.customer.external_id: (
            *(getattr(row, name) for name in KNOWN), frozenset(row.categories)
        )
        for row in rows
    }  # fmt: skip


def as_behavior() -> dict[str, tuple[object, ...]]:
    customers = list(Customer.objects.order_by("pk"))
    found = behavior_before([(customer.pk, LATER) for customer in customers])
    return {
        customer.external_id: (
            *(getattr(behavior, name) for name in KNOWN), behavior.categories
        )
        for customer, behavior in zip(customers, found, strict=True)
    }  # fmt: skip


def rebuild() -> Job:
    job = start_work(kind=fact_rebuilds.KIND, actor=SYSTEM, now=timezone.now())
    assert job is not None
    fact_rebuilds.run_rebuild(job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.SUCCEEDED, job.error
    return job


buyers = st.sampled_from(["c1", "c2", "c3"])
orders = st.tuples(
    st.just("order"), st.sampled_from("ABCD"), buyers, st.integers(0, 30),
    st.sampled_from(["completed", "cancelled"]), st.sampled_from(["", "Tea", "Coffee"]),
)  # fmt: skip
refunds = st.tuples(
    st.just("refund"), st.sampled_from("ABCD"), st.integers(1, 4), st.integers(31, 60)
)
waits = st.just(("deliver",))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.one_of(orders, refunds, waits), min_size=1, max_size=10))
def test_what_follows_writes_is_what_a_rebuild_and_rules_find(db, steps):
    with transaction.atomic():
        CustomerFactory(external_id="c0")
        _go_through(steps)
        deliver()
        followed = as_kept()
        assert followed == as_behavior()
        CustomerFacts.objects.all().delete()
        rebuild()
        assert as_kept() == followed
        transaction.set_rollback(True)


def _go_through(steps):
    placed, given = {}, set()
    for number, step in enumerate(steps):
        if step[0] == "deliver":
            deliver()
        elif step[0] == "order":
            _kind, name, buyer, at, status, category = step
            buyer = placed.setdefault(name, buyer)
            if name in given:
                continue
            lines = (line(1, "12", category=category, discount=Decimal("1.50")),)
            record(order(name, "12", at=day(at), buyer=buyer, status=status, lines=lines))
        elif step[1] in placed:
            _kind, name, amount, at = step
            if sum(1 for other in given if other == name) == 0:
                given.add(name)
                give_back(refund(f"R{number}", str(amount), of=name, at=day(at)))


def test_orders_count_without_any_program_and_customers_without_any_order():
    CustomerFactory(external_id="nothing")
    record(order("A", "20", buyer="c1"))
    deliver()
    kept = as_kept()
    assert kept["nothing"][0] == 0
    assert kept["c1"][:2] == (1, Decimal(20))


def test_a_thousand_customers_at_once_are_told_in_pieces():
    Customer.objects.bulk_create(Customer(external_id=f"n{number}") for number in range(1_001))
    sizes = [len(event.payload["customers"]) for event in OutboxEvent.objects.filter(kind=CHANGED)]
    assert sorted(sizes) == [1, 1_000]
    deliver()
    assert CustomerFacts.objects.count() == 1_001


def test_what_does_not_matter_is_not_told():
    customer = CustomerFactory()
    OutboxEvent.objects.all().delete()
    Customer.objects.filter(pk=customer.pk).update(updated_at=timezone.now())
    assert not OutboxEvent.objects.exists()
    Customer.objects.filter(pk=customer.pk).update(tags=["vip"])
    assert OutboxEvent.objects.get().payload == {"customers": [customer.pk]}


def test_an_order_that_moves_is_told_of_both_customers():
    record(order("A", "20", buyer="c1"))
    other = CustomerFactory(external_id="c2")
    deliver()
    Order.objects.update(customer=other)
    deliver()
    assert {name: facts[0] for name, facts in as_kept().items()} == {"c1": 0, "c2": 1}


def test_facts_that_are_right_are_not_written_again():
    customer = CustomerFactory()
    assert write_facts([customer.pk], now=day(0)) == [customer.pk]
    assert write_facts([customer.pk], now=day(1)) == []
    assert CustomerFacts.objects.get().as_of == day(0)


def test_everybody_has_a_place_by_spend_but_those_who_never_ordered():
    CustomerFactory(external_id="nothing")
    for number in range(5):
        record(order(f"o{number}", str(10 * (number + 1)), buyer=f"c{number}"))
    deliver()
    assert rank_by_spend() == 5
    assert rank_by_spend() == 0
    places = CustomerFacts.objects.values_list("customer__external_id", "spend_percentile")
    assert dict(places) == {
        "nothing": None, "c0": 0, "c1": 25, "c2": 50, "c3": 75, "c4": 100,
    }  # fmt: skip


def test_a_rebuild_that_was_cut_off_goes_on_where_it_was(monkeypatch):
    monkeypatch.setattr(fact_rebuilds, "AT_ONCE", 2)
    for number in range(5):
        CustomerFactory(external_id=f"c{number}")
    job = start_work(kind=fact_rebuilds.KIND, actor=SYSTEM, now=timezone.now())
    written = fact_rebuilds.write_facts
    monkeypatch.setattr(
        fact_rebuilds, "write_facts",
        lambda ids, now: written(ids, now=now) if CustomerFacts.objects.count() < 2 else 1 / 0,
    )  # fmt: skip
    with pytest.raises(ZeroDivisionError):
        fact_rebuilds.run_rebuild(job.pk)
    assert CustomerFacts.objects.count() == 2
    monkeypatch.setattr(fact_rebuilds, "write_facts", written)
    assert rebuild().pk == job.pk
    job.refresh_from_db()
    assert job.result == {"customers": 5, "corrected": 5}


def test_segments_follow_what_customers_do():
    make_program()
    segment = Segment.objects.create(
        code="twice", name="Twice",
        condition={"field": "behavior.orders", "op": "at_least", "value": 2},
    )  # fmt: skip
    refresh_segment(segment, now=day(0))
    record(order("A", "20", buyer="c1"), order("B", "20", buyer="c1", at=day(1)))
    deliver()
    assert SegmentMember.objects.get(segment=segment).customer.external_id == "c1"
    record(order("B", "20", buyer="c1", at=day(1), status="cancelled"))
    deliver()
    segment.refresh_from_db()
    assert (segment.size, SegmentMember.objects.count()) == (0, 0)


def test_values_that_orders_had_are_offered_the_most_frequent_first():
    lines = (line(1, "5", category="Tea"), line(2, "5", category="Iced tea"))
    record(order("A", "10", lines=lines), order("B", "5", lines=lines[:1]))
    suggest = field_named("line.category").suggest
    assert suggest("TEA") == ["Tea", "Iced tea"]
    assert suggest("%") == suggest("x\x00") == []
    assert field_named("line.tags").suggest("") == []
    assert field_named("order.channel").suggest("zzz") == []


def test_products_are_found_by_their_number_and_by_their_name(client):
    mug = line(1, "5", sku="M-1", name="Blue mug")
    record(order("A", "10", lines=(mug, line(2, "5", sku="T-9", name="Tea for the mug"))))
    suggest = field_named("line.sku").suggest
    assert suggest("m-") == ["M-1"]
    assert suggest("MUG") == ["M-1", "T-9"]
    assert suggest("%") == suggest("x\x00") == []
    client.force_login(StaffMemberFactory().user, "django.contrib.auth.backends.ModelBackend")
    shown = client.get(
        "/backoffice/conditions/values/", {"field": "line.sku", "when.0.value": "blue"}
    )
    assert '<option value="M-1">Blue mug</option>' in shown.content.decode()


def test_facts_count_activities_by_type_and_segments_ask_for_them():
    kind = ActivityType.objects.create(code="review", name="Review")
    customer = Customer.objects.create(external_id="c1")
    other = Customer.objects.create(external_id="c2")
    deliver()
    for number, state in enumerate(("approved", "approved", "pending")):
        Activity.objects.create(
            source="shop", external_id=str(number), customer=customer, type=kind, state=state,
            occurred_at=day(number), recorded_at=day(number), body_hash=b"",
        )  # fmt: skip
    deliver()
    assert CustomerFacts.objects.get(customer=customer).activities == {"review": 2}
    Activity.objects.filter(external_id="0").update(state="reversed", decided_at=day(5))
    deliver()
    assert CustomerFacts.objects.get(customer=customer).activities == {"review": 1}
    for op, number, expected in (("at_least", 1, [customer]), ("is", 0, [other])):
        asked = {"field": "behavior.activities.review", "op": op, "value": number}
        tree = parse(asked, scopes=frozenset({BEHAVIOR}), in_database=True)
        moment = Moment(day(9), zoneinfo.ZoneInfo("UTC"))
        assert list(Customer.objects.filter(query_of(tree, moment))) == expected
