"""Python and the database give the same answers, whatever is asked and whatever is known."""

import datetime as dt
import zoneinfo
from decimal import Decimal
from itertools import product

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.models import MemberTier, Program, Tier
from loyalty.rules.behavior import Behavior
from loyalty.selectors.tier_sets import ladder_of
from loyalty.services.memberships import enroll_customer
from loyalty.tiers.facts import TierHeld
from members.condition_fields import age_on
from members.conditions.fields import BEHAVIOR, CUSTOMER, SEGMENTS, TIER, field_named
from members.conditions.moments import Moment
from members.conditions.operators import operators_of
from members.conditions.predicate import Condition
from members.conditions.query import query_of
from members.conditions.tree import parse
from members.genders import GENDERS
from members.models import Customer, CustomerFacts, Segment, SegmentMember
from members.services.audit import SYSTEM
from tests.loyalty.factories import make_program
from tests.sharing import of_each_test

pytestmark = pytest.mark.django_db

SCOPES = frozenset({CUSTOMER, BEHAVIOR, SEGMENTS, TIER})
TIERS = ("base", "silver", "gold")
ATHENS = zoneinfo.ZoneInfo("Europe/Athens")
# Around a leap day, and a night on which the clocks go forward.
MOMENTS = [
    Moment(dt.datetime(2023, 2, 28, 12, tzinfo=dt.UTC), ATHENS),
    Moment(dt.datetime(2024, 2, 29, 22, 30, tzinfo=dt.UTC), ATHENS),
    Moment(dt.datetime(2025, 3, 30, 0, 30, tzinfo=dt.UTC), ATHENS),
]

texts = st.sampled_from(["", "GR", "CY", "G", "gr", "R%", "é"])
words = st.sampled_from(["GR", "CY", "G", "R%", "%", "é"])
tags = st.lists(st.sampled_from(["vip", "press", "a,b", '"'])).map(lambda found: [*found])
amounts = st.sampled_from(["0", "9.99", "10", "10.01", "120", "33.3333", "-5"]).map(Decimal)
instants = st.sampled_from(
    [
        dt.datetime(2023, 1, 28, 22, 0, tzinfo=dt.UTC),
        dt.datetime(2024, 1, 30, 21, 59, 59, tzinfo=dt.UTC),
        dt.datetime(2024, 1, 30, 22, 0, tzinfo=dt.UTC),
        dt.datetime(2025, 3, 29, 21, 30, tzinfo=dt.UTC),
        dt.datetime(2025, 3, 30, 0, 30, tzinfo=dt.UTC),
        dt.datetime(2025, 4, 1, 0, 0, 1, 500, tzinfo=dt.UTC),
    ]
)
birthdays = st.sampled_from(
    [None, dt.date(1980, 2, 29), dt.date(1990, 2, 28), dt.date(1990, 3, 1), dt.date(1977, 12, 31)]
)
attributes = st.dictionaries(
    st.sampled_from(["size", "club"]), st.sampled_from(["42", 42, 4.5, True, None, "", "x"])
)

VALUES = {
    "text": words,
    "number": amounts.map(str),
    "money": amounts.map(str),
    "share": amounts.map(str),
    "tier": st.sampled_from([*TIERS, "bronze"]),
    "list": st.sampled_from(["vip", "press", "a,b", '"']),
    "instant": st.sampled_from(["2024-01-30", "2024-01-31", "2025-03-30"]),
}
FIELDS = [
    "customer.country", "customer.tags", "customer.birthday", "customer.age",
    "customer.gender",
    "customer.attributes.size", "behavior.orders", "behavior.spend", "behavior.average_order",
    "behavior.last_order_at", "behavior.purchase_cycle", "behavior.categories",
    "behavior.discount_share", "behavior.returns_share", "behavior.overdue",
    "behavior.spend_percentile",
    "customer.segments", "membership.tier", "customer.draw.spring", "customer.draw.club.spring-2",
]  # fmt: skip


@st.composite
def questions(draw):
    field = field_named(draw(st.sampled_from(FIELDS)))
    operator = draw(st.sampled_from(operators_of(field.kind)))
    value = VALUES.get(field.kind.code)
    if field.name == "customer.segments":
        value = st.sampled_from(["regulars", "list"])
    if field.name == "customer.gender":
        value = st.sampled_from(list(GENDERS))
    asked = {"field": field.name, "op": operator.code}
    match operator.takes:
        case "days":
            asked["value"] = draw(st.integers(0, 400))
        case "one":
            asked["value"] = draw(value)
        case "many":
            asked["value"] = draw(st.lists(value, min_size=1, max_size=3))
        case "range":
            pair = draw(st.tuples(value, value))
            key = Decimal if field.kind.code in ("number", "money", "share") else str
            asked["value"] = sorted(pair, key=key)
    return asked


def grouped(inner):
    lists = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        lists.map(lambda parts: {"all": parts}),
        lists.map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    )


trees = st.recursive(questions(), grouped, max_leaves=6)


@st.composite
def people(draw):
    orders = draw(st.integers(0, 4))
    seen = sorted(draw(st.lists(instants, min_size=2, max_size=2)))
    money = amounts.map(abs)
    behavior = Behavior(
        orders=orders,
        ordered=draw(money) if orders else Decimal(0),
        returned=draw(money),
        goods=draw(money),
        discounts=draw(money),
        first_order_at=seen[0] if orders else None,
        last_order_at=seen[-1] if orders else None,
        categories=frozenset(draw(tags)),
        spend_percentile=draw(st.sampled_from([None, Decimal(0), Decimal(10), Decimal(100)])),
    )
    customer = Customer(
        country=draw(texts)[:2], tags=draw(tags), birthday=draw(birthdays),
        attributes=draw(attributes), gender=draw(st.sampled_from(["", *GENDERS])),
    )  # fmt: skip
    tier = draw(st.sampled_from([None, *TIERS]))
    inside = frozenset(draw(st.lists(st.sampled_from(["regulars", "list"]))))
    return customer, behavior, inside, tier


def make_segments():
    return {
        "regulars": Segment.objects.create(code="regulars", name="Regulars"),
        "list": Segment.objects.create(code="list", name="List", kind="static"),
    }


def make_ladder():
    steps = [{"code": code, "name": code, "threshold": at} for at, code in enumerate(TIERS)]
    return make_program(tiers={"tiers": steps})


_made_once, world = of_each_test(lambda: (make_segments(), make_ladder()))


@pytest.fixture
def segments(world):
    return world[0]


@pytest.fixture
def program(world):
    return world[1]


def keep(
    customer: Customer, behavior: Behavior, inside: frozenset[str], segments,
    program: Program | None = None, tier: str | None = None,
) -> None:  # fmt: skip
    customer.save()
    if program is not None and tier is not None:
        enroll_customer(
            customer=customer, program=program, source="api", at=MOMENTS[0].now, actor=SYSTEM
        )
        row = Tier.objects.get(tier_set__program=program, code=tier)
        MemberTier.objects.filter(membership__customer=customer).update(tier=row)
    CustomerFacts.objects.create(
        customer=customer, as_of=MOMENTS[0].now, orders=behavior.orders,
        ordered=behavior.ordered, returned=behavior.returned, goods=behavior.goods,
        discounts=behavior.discounts, first_order_at=behavior.first_order_at,
        last_order_at=behavior.last_order_at, categories=sorted(behavior.categories),
        spend_percentile=behavior.spend_percentile,
    )  # fmt: skip
    for code in inside:
        SegmentMember.objects.create(
            segment=segments[code], customer=customer, since=MOMENTS[0].now
        )


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    crowd=st.lists(people(), min_size=1, max_size=4),
    asked=st.lists(trees, min_size=8, max_size=8),
    moment=st.sampled_from(MOMENTS),
)
def test_python_and_the_database_agree(segments, program, crowd, asked, moment):
    with transaction.atomic():
        agree(segments, program, crowd, asked, moment)
        transaction.set_rollback(True)


def agree(segments, program, crowd, asked, moment):
    ladder = ladder_of(program.tier_sets.get())
    for customer, behavior, inside, tier in crowd:
        keep(customer, behavior, inside, segments, program, tier)
    for data in asked:
        tree = parse(data, scopes=SCOPES, in_database=True)
        condition = Condition(tree)
        expected = {
            customer.pk
            for customer, behavior, inside, tier in crowd
            if condition.holds_for(
                {
                    CUSTOMER: customer,
                    BEHAVIOR: behavior,
                    SEGMENTS: inside,
                    TIER: tier and TierHeld.on(ladder, tier),
                },
                moment,
            )
        }
        found = Customer.objects.filter(query_of(tree, moment)).values_list("pk", flat=True)
        assert sorted(found) == sorted(expected), data


COMPARED = [
    ("at_least", "8.5"), ("more_than", "8.5"), ("at_most", "8.5"), ("less_than", "8.5"),
    ("is", "8.5"), ("is_not", "8.5"), ("between", ["7.5", "8.5"]), ("between", ["8.5", "9.5"]),
]  # fmt: skip


def test_whole_numbers_are_compared_with_parts_of_them_as_they_are(segments):
    moment = MOMENTS[0]
    behaviors = {}
    for number in (7, 8, 9):
        customer = Customer(birthday=moment.today.replace(year=moment.today.year - number, day=1))
        behaviors[number] = (customer, Behavior(number, Decimal(number)))
        keep(customer, behaviors[number][1], frozenset(), segments)
    for field, (op, value) in product(("behavior.orders", "customer.age"), COMPARED):
        asked = {"field": field, "op": op, "value": value}
        tree = parse(asked, scopes=SCOPES, in_database=True)
        expected = {
            customer.pk
            for customer, behavior in behaviors.values()
            if Condition(tree).holds_for({CUSTOMER: customer, BEHAVIOR: behavior}, moment)
        }
        found = Customer.objects.filter(query_of(tree, moment)).values_list("pk", flat=True)
        assert set(found) == expected, asked


def test_what_is_worked_out_of_behavior_is_the_same_in_the_database(segments):
    behavior = Behavior(
        3, Decimal("100.01"), Decimal("33.33"), Decimal("133.35"), Decimal("33.34"),
        dt.datetime(2024, 1, 1, tzinfo=dt.UTC), dt.datetime(2024, 2, 1, 7, tzinfo=dt.UTC),
    )  # fmt: skip
    keep(Customer(), behavior, frozenset(), segments)
    facts = CustomerFacts.objects.get()
    names = ("spend", "average_order", "purchase_cycle", "discount_share", "returns_share")
    assert {name: getattr(facts, name) for name in names} == {
        name: getattr(behavior, name) for name in names
    }


@pytest.mark.parametrize("days", ["0.01", "3.33", "30"])
def test_cycles_since_the_last_order_are_the_same_in_the_database(segments, days):
    last = dt.datetime(2024, 2, 1, 7, tzinfo=dt.UTC)
    first = last - dt.timedelta(days=float(days))
    behavior = Behavior(2, Decimal(10), first_order_at=first, last_order_at=last)
    keep(Customer(), behavior, frozenset(), segments)
    for seconds in (0, 1, 86_399, 3 * 86_400, 155_520, 1_555_200, 99_999_999):
        moment = Moment(last + dt.timedelta(seconds=seconds), ATHENS)
        cycles = behavior.overdue(moment.now)
        for op in ("is", "at_least", "at_most"):
            asked = {"field": "behavior.overdue", "op": op, "value": str(cycles)}
            tree = parse(asked, scopes=SCOPES, in_database=True)
            found = Customer.objects.filter(query_of(tree, moment)).count()
            assert found == 1, (seconds, asked)


@pytest.mark.parametrize(
    ("born", "today", "age"),
    [
        ("1990-03-01", "2024-02-29", 33),
        ("1990-03-01", "2024-03-01", 34),
        ("2000-02-29", "2024-02-28", 23),
        ("2000-02-29", "2024-02-29", 24),
        # Where there is no 29 February, the 28th counts.
        ("2000-02-29", "2025-02-27", 24),
        ("2000-02-29", "2025-02-28", 25),
        ("1990-12-31", "2025-01-01", 34),
    ],
)
def test_age_is_in_full_years_by_the_calendar(segments, born, today, age):
    keep(Customer(birthday=dt.date.fromisoformat(born)), Behavior(), frozenset(), segments)
    moment = Moment(dt.datetime.fromisoformat(f"{today}T00:00").replace(tzinfo=ATHENS), ATHENS)
    assert age_on(dt.date.fromisoformat(born), moment) == age
    for op in ("is", "at_least", "at_most"):
        asked = {"field": "customer.age", "op": op, "value": str(age)}
        tree = parse(asked, scopes=SCOPES, in_database=True)
        assert Customer.objects.filter(query_of(tree, moment)).count() == 1, op
