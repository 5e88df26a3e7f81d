"""Conditions ask what a member looked at: rules and segments answer alike, and segments follow."""

import datetime as dt
from typing import Any

import pytest

from campaigns.models import Message, Passage
from campaigns.selectors.browsing import browsed_by
from loyalty.asked_elsewhere import BuyerAsked
from loyalty.models import Membership, Program
from loyalty.services.facts import write_facts
from members.conditions.fields import BROWSING
from members.conditions.moments import ProgramMoment
from members.conditions.predicate import Condition
from members.conditions.query import query_of
from members.conditions.tree import parse
from members.models import Customer, Merchant, Segment
from members.selectors.segments import asking_for
from members.services.audit import SYSTEM
from members.services.outbox import deliver_waiting
from members.services.segment_refresh import refresh_segment
from members.services.segments import create_segment
from tests.campaigns.browsing import agree, keep, looked, put
from tests.campaigns.journeys import go_on, live, starts
from tests.loyalty.factories import NOW, day, make_program, make_wallet, order, record, spendable
from tests.sharing import anew, shared

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
LATER = NOW + 2 * DAY
TELL = {"kind": "message", "message": "cart_left", "channels": ["inbox"]}


def make_world() -> Program:
    keep()
    made = make_program(unit={"singular": "Bean", "plural": "Beans"}, at=day(-30))
    for number in ("c1", "c2", "c3", "c4", "c5"):
        make_wallet(made, number, day(-20))
        agree(person(number), now=day(-20))
    return made


made_once = shared(make_world)


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


def person(number: str) -> Customer:
    return Customer.objects.get(external_id=number)


def browse() -> None:
    """Five lives: looking long ago and now, searching, leaving a cart, buying after it, nothing."""
    one, two, three, four = (person(f"c{number}") for number in range(1, 5))
    for days in (20, 9, 1, 0):
        looked(one, "MUG", NOW - days * DAY, category="Mugs", now=NOW)
    looked(one, "Tea", NOW - 8 * DAY, kind="category_viewed", now=NOW)
    looked(two, "Blue CAFÉ mug", NOW - 3 * DAY, kind="searched", now=NOW)
    looked(two, "TEA-1", NOW - 3 * DAY, category="Tea", now=NOW)
    put(three, "MUG", 2, NOW - 5 * HOUR)
    put(three, "TEA-1", 0, NOW - 4 * HOUR)
    put(four, "MUG", 1, NOW - 5 * HOUR)
    looked(four, "MUG", NOW - 5 * HOUR, now=NOW)
    record(order("A1", "10", at=NOW - HOUR, buyer="c4"))
    write_facts([row.pk for row in Customer.objects.all()], now=LATER)


def questions() -> list[dict[str, Any]]:
    moments = (
        "last_seen_at", "viewed_unbought_at", "cart_left_at", "product_viewed_at.MUG",
        "product_viewed_at.TEA-1", "category_viewed_at.Mugs", "category_viewed_at.Tea",
        "searched_at.Cafe", "searched_at.nothing",
    )  # fmt: skip
    asked: list[tuple[str, str, Any]] = [
        (name, op, days)
        for name in moments
        for op in ("in_last_days", "before_last_days")
        for days in (1, 2, 7, 30)
    ]
    asked += [(name, "before", "2026-01-01") for name in moments]
    named = (("product", "MUG"), ("category", "Mugs"), ("category", "Tea"))
    times = [f"{what}_views_{days}_days.{name}" for days in (7, 30) for what, name in named]
    asked += [
        (name, op, number)
        for name in times
        for op in ("is", "is_not", "at_least", "at_most", "more_than", "less_than")
        for number in (0, 1, 2, 4)
    ]
    lists = {"products": ["MUG", "TEA-1"], "categories": ["Mugs", "Tea"],
             "searched": ["BLUE", "café"], "cart": ["MUG"]}  # fmt: skip
    asked += [(name, op, value) for name, value in lists.items()
              for op in ("has_any", "has_all", "has_none")]  # fmt: skip
    everything = (*moments, *lists, *times)
    asked += [(name, op, None) for name in everything for op in ("empty", "not_empty")]
    return [
        {"field": f"browsing.{name}", "op": op} | ({} if value is None else {"value": value})
        for name, op, value in asked
    ]


def test_the_database_answers_as_rules_do(program: Program) -> None:
    browse()
    moment = ProgramMoment(LATER, program.zone, program.pk)
    people = list(Customer.objects.order_by("pk"))
    facts = browsed_by([BuyerAsked(program.pk, one.pk, LATER) for one in people])
    yes = 0
    for said in questions():
        node = parse({"all": [said]}, scopes={BROWSING}, path="when", in_database=True)
        condition = Condition(node)
        held = [
            one.pk for one, known in zip(people, facts, strict=True)
            if condition.holds_for({BROWSING: known}, moment)
        ]  # fmt: skip
        counted = Customer.objects.filter(query_of(node, moment)).order_by("pk")
        assert list(counted.values_list("pk", flat=True)) == held, said
        yes += bool(held) and len(held) < len(people)
    assert yes > 80


def holds(number: str, field: str, op: str, value: Any = None) -> bool:
    said = {"field": f"browsing.{field}", "op": op} | ({} if value is None else {"value": value})
    node = parse({"all": [said]}, scopes={BROWSING}, path="when", in_database=True)
    moment = ProgramMoment(LATER, Program.objects.get().zone, Program.objects.get().pk)
    return Customer.objects.filter(query_of(node, moment), external_id=number).exists()


def test_what_is_asked_is_what_happened(program: Program) -> None:
    browse()
    assert holds("c1", "product_views_30_days.MUG", "is", 4)
    assert holds("c1", "category_views_7_days.Mugs", "is", 2)
    assert holds("c1", "category_viewed_at.Tea", "before_last_days", 7)
    assert holds("c2", "searched", "has_all", ["cafe", "Blue"])
    assert holds("c3", "cart", "has_any", ["MUG"])
    assert not holds("c3", "cart", "has_any", ["TEA-1"])
    # Who ordered after it has left nothing.
    assert not holds("c4", "cart_left_at", "not_empty")
    assert not holds("c4", "viewed_unbought_at", "not_empty")
    assert holds("c1", "viewed_unbought_at", "in_last_days", 2)


def test_a_rule_judges_an_order_by_what_was_looked_at_before_it(program: Program) -> None:
    asks = {"field": "browsing.products", "op": "has_any", "value": ["MUG"]}
    bonus = {"code": "mugs", "name": "Mugs", "kind": "fixed", "units": 7, "when": asks}
    make_program(unit={"singular": "Bean", "plural": "Beans"}, earning_rules=[bonus], at=day(-30))
    looked(person("c1"), "MUG", NOW - HOUR)
    record(order("A1", "10", at=NOW, buyer="c1"), order("A2", "10", at=NOW, buyer="c2"))
    assert (spendable("c1"), spendable("c2")) == (7, 0)


def make_segment(name: str, said: dict[str, Any]) -> Segment:
    segment = create_segment(name=name, condition={"all": [said]}, actor=SYSTEM, now=NOW)
    refresh_segment(segment, now=NOW)
    return segment


def members(segment: Segment) -> set[str]:
    return set(segment.members.values_list("customer__external_id", flat=True))


def test_segments_that_ask_for_it_follow_and_others_are_left_alone(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    mugs = make_segment(
        "Mugs", {"field": "browsing.categories", "op": "has_any", "value": ["Mugs"]}
    )
    named = make_segment(
        "Named", {"field": "customer.segments", "op": "has_any", "value": ["mugs"]}
    )
    other = make_segment("Other", {"field": "customer.country", "op": "is", "value": "GR"})
    assert [segment.code for segment in asking_for(BROWSING)] == ["mugs", "named"]
    deliver_waiting()
    worked_out = []

    def note(segment: Segment, *_more: Any, **_rest: Any) -> None:
        worked_out.append(segment.code)

    looked(person("c1"), "MUG", NOW, category="Mugs")
    deliver_waiting()
    assert (members(mugs), members(named), members(other)) == ({"c1"}, {"c1"}, set())
    monkeypatch.setattr("members.services.segment_refresh._write", note)
    looked(person("c2"), "MUG", NOW, category="Mugs")
    deliver_waiting()
    assert worked_out == ["mugs", "named"]


def begun(journey: Any) -> list[str]:
    rows = Passage.objects.filter(journey=journey).order_by("pk")
    return list(rows.values_list("membership__customer__external_id", flat=True))


def member(number: str) -> Membership:
    return Membership.objects.get(customer__external_id=number)


def test_who_leaves_a_cart_begins_a_journey_once_and_who_buys_does_not(program: Program) -> None:
    journey = live(member("c1"), TELL, trigger="cart_left", again=0, start={"hours": 4},
                   at=NOW, holdout=0)  # fmt: skip
    put(person("c1"), "MUG", 1, NOW + HOUR, name="Blue Mug")
    put(person("c1"), "TEA", 1, NOW + 2 * HOUR)
    put(person("c2"), "MUG", 1, NOW + 2 * HOUR)
    record(order("A1", "10", at=NOW + 3 * HOUR, buyer="c2"), now=NOW + 3 * HOUR)
    put(person("c3"), "MUG", 1, NOW + 2 * HOUR)
    put(person("c3"), "MUG", 0, NOW + 2 * HOUR + HOUR / 2)
    assert starts(NOW + 5 * HOUR) == 0
    assert starts(NOW + 6.5 * HOUR) == 1
    assert begun(journey) == ["c1"]
    go_on(NOW + 6.5 * HOUR)
    assert Message.objects.get().values["products"] == "TEA, Blue Mug"
    assert starts(NOW + 8 * HOUR) == 0


def test_who_looked_at_a_category_and_bought_nothing_in_a_day_begins(program: Program) -> None:
    asks = {"field": "browsing.categories", "op": "has_any", "value": ["Mugs"]}
    journey = live(member("c1"), {**TELL, "message": "looked_at"}, trigger="looked", again=0,
                   start={"hours": 24}, audience=asks, at=NOW, holdout=0)  # fmt: skip
    looked(person("c1"), "MUG", NOW + HOUR, category="Mugs", name="Blue Mug")
    looked(person("c2"), "TEA", NOW + HOUR, category="Tea")
    looked(person("c3"), "MUG", NOW + HOUR, category="Mugs")
    record(order("A1", "10", at=NOW + 3 * HOUR, buyer="c3"), now=NOW + 3 * HOUR)
    assert starts(NOW + 20 * HOUR) == 0
    assert starts(NOW + 26 * HOUR) == 1
    assert begun(journey) == ["c1"]
    go_on(NOW + 26 * HOUR)
    assert Message.objects.get().values["products"] == "Blue Mug"


def test_who_buys_before_it_is_told_hears_nothing(program: Program) -> None:
    wait = {"kind": "wait", "hours": 3}
    live(member("c1"), wait, TELL, trigger="cart_left", again=0, start={"hours": 4}, at=NOW,
         holdout=0)  # fmt: skip
    put(person("c1"), "MUG", 1, NOW + HOUR)
    assert starts(NOW + 6 * HOUR) == 1
    record(order("A1", "10", at=NOW + 7 * HOUR, buyer="c1"), now=NOW + 7 * HOUR)
    go_on(NOW + 10 * HOUR)
    assert not Message.objects.exists()


def test_a_day_of_the_order_is_one_by_the_merchants_clock(program: Program) -> None:
    Merchant.objects.update(time_zone="Asia/Kuala_Lumpur")
    asks = {"field": "browsing.products", "op": "has_any", "value": ["MUG"]}
    bonus = {"code": "mugs", "name": "Mugs", "kind": "fixed", "units": 7, "when": asks}
    make_program(unit={"singular": "Bean", "plural": "Beans"}, earning_rules=[bonus], at=day(-30))
    night = dt.datetime(2024, 3, 14, 18, tzinfo=dt.UTC)  # two o'clock of the 15th there
    looked(person("c1"), "MUG", night - HOUR, now=NOW)
    looked(person("c1"), "MUG", night + HOUR, now=NOW)
    record(order("A1", "10", at=night, buyer="c1"), now=NOW)
    assert spendable("c1", NOW) == 7
