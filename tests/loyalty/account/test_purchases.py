"""What customers read of their purchases: what each rule gave, and why others gave nothing."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty.condition_fields import _BEHAVIOR
from loyalty.models import Membership, Order, Program
from loyalty.services.order_inputs import CustomerRef, OrderInput
from loyalty.services.orders import record_orders
from loyalty.told_conditions import TELLABLE
from members.conditions.fields import field_named
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.merging import merge_customers
from tests.loyalty.account.conftest import Shop, define_program
from tests.loyalty.account.reading import text_of
from tests.loyalty.factories import make_program

pytestmark = pytest.mark.usefixtures("maya_for_all")

GOLD = {"field": "membership.tier", "op": "at_least", "value": "gold"}
SignIn = Callable[[Customer], Client]


def asks(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"all": [{"field": field, "op": op, "value": value}]}


def with_rules(*rules: dict[str, Any]) -> Program:
    """The shop's program with these besides its rate."""
    named = [{"code": f"r{n}", "wallet_type": "points", **rule} for n, rule in enumerate(rules)]
    return define_program(earning_rules=[{"units": "2", "per": "1", "name": "Base rate"}, *named])


def fixed(name: str, **said: Any) -> dict[str, Any]:
    return {"name": name, "kind": "fixed", "units": 50, **said}


def page_of(client: Client, customer: Customer, number: str) -> str:
    membership = Membership.objects.filter(customer=customer).first()
    order = Order.objects.get(external_id=number)
    return text_of(client, reverse("mypage:purchase", args=[membership.public_id, order.pk]))


@pytest.fixture
def noor(shop: Shop) -> Customer:
    """A member who has bought nothing yet."""
    customer = shop.add_customer("noor@example.com", given_name="Noor", tags=["risky"])
    shop.give_sign_in(customer)
    shop.enroll(customer)
    return customer


def test_the_history_leads_to_every_purchase_with_what_it_earned(
    maya: Customer, sign_in: SignIn, shop: Shop
) -> None:
    client = sign_in(maya)
    assert "/me/purchases/" in text_of(client, "/me/history/")
    text = text_of(client, "/me/purchases/")
    assert "Purchase of $43.12, Downtown" in text
    assert "+86 Beans" in text
    # 60 less the 20 that the refund took.
    assert "+40 Beans" in text
    assert "Partly refunded" not in text or "Number 4802" in text


def buy_in_euro(customer: Customer, number: str, *, rate: str | None = None) -> None:
    at = timezone.now()
    euro = OrderInput(
        number, at, "EUR", Decimal(30), CustomerRef(key=customer.pk),
        rates=(("USD", Decimal(rate)),) if rate else (),
    )  # fmt: skip
    record_orders([euro], now=at, transfer_source="api")


def test_a_purchase_in_another_currency_that_counts_is_there_too(
    noor: Customer, sign_in: SignIn
) -> None:
    with_rules()
    buy_in_euro(noor, "E1", rate="1.5")
    text = text_of(sign_in(noor), "/me/purchases/")
    assert ("Purchase of €30.00" in text, "+90 Beans" in text) == (True, True)


def test_a_purchase_for_whose_day_there_was_no_rate_says_so(
    noor: Customer, sign_in: SignIn, shop: Shop
) -> None:
    with_rules()
    home = make_program(
        "home", name="Home", currency="EUR", at=timezone.now() - dt.timedelta(days=9)
    )
    shop.enroll(noor, home)
    buy_in_euro(noor, "E1")
    text = page_of(sign_in(noor), noor, "E1")
    assert "There was no exchange rate for its day." in text
    assert "Only purchases in" not in text
    Program.objects.filter(pk=shop.program.pk).update(foreign_orders="refuse")
    assert "Only purchases in USD earn." in page_of(sign_in(noor), noor, "E1")


def test_a_purchase_that_came_before_its_currency_counted_says_so(
    noor: Customer, sign_in: SignIn, shop: Shop
) -> None:
    with_rules()
    home = make_program(
        "home", name="Home", currency="EUR", at=timezone.now() - dt.timedelta(days=9)
    )
    shop.enroll(noor, home)
    Program.objects.filter(pk=shop.program.pk).update(foreign_orders="refuse", revision=99)
    buy_in_euro(noor, "E1", rate="1.5")
    Program.objects.filter(pk=shop.program.pk).update(foreign_orders="convert", revision=100)
    assert "Only purchases in USD earned then." in page_of(sign_in(noor), noor, "E1")


def test_a_purchase_that_earned_nothing_is_there_too(
    noor: Customer, sign_in: SignIn, shop: Shop
) -> None:
    with_rules()
    shop.sell(noor, "1", "0.30", days_ago=1)
    client = sign_in(noor)
    assert "Nothing earned" in text_of(client, "/me/purchases/")
    assert "What counts comes to too little." in page_of(client, noor, "1")


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (
            fixed("Big", when=asks("order.total", "at_least", 50)),
            "It is only for this: Order total is at least 50.00.",
        ),
        (fixed("Tea", include={"categories": ["Tea"]}), "It is only for these: category Tea."),
        (
            fixed("Label", include={"tags": ["low-margin"]}),
            "Nothing in the purchase is what it is for.",
        ),
        (
            {"name": "Reach", "kind": "threshold_bonus", "units": 9, "reach": 100},
            "It is for $100.00; what counts comes to $10.00.",
        ),
        (
            {"name": "Card", "kind": "stamps", "units": 9, "full_at": 10},
            "It counts towards a goal that several purchases reach together.",
        ),
        (
            fixed("Third", when=asks("behavior.orders", "at_least", 3)),
            "It is only for this: Number of orders is at least 3.",
        ),
    ],
)
def test_a_rule_that_gave_nothing_says_the_first_thing_that_was_not_so(
    noor: Customer, sign_in: SignIn, shop: Shop, rule: dict[str, Any], reason: str
) -> None:
    with_rules(rule)
    shop.sell(noor, "1", "10.00", days_ago=0)
    text = page_of(sign_in(noor), noor, "1")
    assert rule["name"] in text
    assert reason in text
    assert "low-margin" not in text


@pytest.mark.parametrize(
    "when",
    [
        asks("customer.tags", "has_any", ["vip-secret"]),
        asks("customer.attributes.margin", "is", "vip-secret"),
        asks("behavior.returns_share", "less_than", 10),
        asks("behavior.spend_percentile", "at_least", 80),
        {"any": [asks("order.total", "at_least", 500), asks("customer.tags", "has_any", ["x"])]},
        {"not": asks("customer.tags", "has_any", ["risky"])},
        {"lines": "any", "where": asks("line.tags", "has_any", ["low-margin"])},
    ],
)
def test_what_the_shop_keeps_about_its_customers_is_not_told(
    noor: Customer, sign_in: SignIn, shop: Shop, when: dict[str, Any]
) -> None:
    with_rules(fixed("Whispered", when=when))
    shop.sell(noor, "1", "10.00", days_ago=0)
    text = page_of(sign_in(noor), noor, "1")
    assert "Base rate" in text
    for word in ("Whispered", "vip-secret", "risky", "low-margin", "returns share"):
        assert word not in text


def test_what_was_given_by_such_a_rule_is_told_by_its_name(
    noor: Customer, sign_in: SignIn, shop: Shop
) -> None:
    with_rules(fixed("For friends", when=asks("customer.tags", "has_any", ["risky"])))
    shop.sell(noor, "1", "10.00", days_ago=0)
    text = page_of(sign_in(noor), noor, "1")
    assert "For friends" in text
    assert "50 Beans" in text
    assert "risky" not in text


def test_limits_say_nothing_of_what_is_left_to_others(
    noor: Customer, sign_in: SignIn, shop: Shop
) -> None:
    with_rules(
        fixed("Few", caps={"budget": 50}),
        fixed("Once", caps={"per_member": 50, "period": "lifetime"}),
    )
    shop.sell(noor, "1", "10.00", days_ago=0)
    shop.sell(noor, "2", "10.00", days_ago=0)
    text = page_of(sign_in(noor), noor, "2")
    assert "It was not to be had any more." in text
    assert "You had been given all that one member can get by it." in text
    assert "budget" not in text.lower()


def test_others_that_came_first_or_gave_more_are_not_named(
    noor: Customer, sign_in: SignIn, shop: Shop
) -> None:
    with_rules(
        fixed("Small", group="inner-name", units=5),
        fixed("Large", group="inner-name", stops=False),
        fixed("Last", stops=True, units=1),
        fixed("Behind"),
    )
    shop.sell(noor, "1", "10.00", days_ago=0)
    text = page_of(sign_in(noor), noor, "1")
    assert "Another one gave more instead." in text
    assert "Another one came before it, in its place." in text
    assert "inner-name" not in text


def test_of_several_multipliers_the_smaller_give_a_reason_that_is_true(
    noor: Customer, sign_in: SignIn, shop: Shop
) -> None:
    double = {"code": "double", "name": "Double", "kind": "multiplier", "factor": 2}
    with_rules(double, {**double, "code": "triple", "name": "Inner triple", "factor": 3,
                        "when": asks("customer.tags", "has_any", ["risky"])})  # fmt: skip
    shop.sell(noor, "1", "10.00", days_ago=0)
    text = page_of(sign_in(noor), noor, "1")
    assert "Another one multiplies by more, and only the larger counts." in text
    assert "What counts comes to too little." not in text


def test_a_tier_that_the_member_does_not_have_is_told(
    noor: Customer, sign_in: SignIn, shop: Shop
) -> None:
    ladder = [
        {"code": "base", "name": "Member"},
        {"code": "gold", "name": "Gold", "threshold": 900},
    ]
    define_program(tiers={"tiers": ladder})
    gold = fixed("For Gold", code="gold", wallet_type="points", when=GOLD)
    define_program(tiers={"tiers": ladder}, earning_rules=[{"name": "Base rate"}, gold])
    shop.sell(noor, "1", "10.00", days_ago=0)
    text = page_of(sign_in(noor), noor, "1")
    assert "For Gold" in text
    assert "It is only for this: Tier" in text


def test_what_came_back_as_a_whole_says_only_that(
    noor: Customer, sign_in: SignIn, shop: Shop
) -> None:
    shop.sell(noor, "1", "10.00", days_ago=1, status="cancelled")
    text = page_of(sign_in(noor), noor, "1")
    assert "It was canceled, or came back as a whole: it earns nothing." in text


def test_a_purchase_before_joining_says_so(sign_in: SignIn, shop: Shop) -> None:
    explicit = define_program(enrollment="explicit")
    customer = shop.add_customer("sam@example.com")
    shop.give_sign_in(customer)
    shop.sell(customer, "1", "10.00", days_ago=500)
    shop.enroll(customer, explicit)
    assert "You were no member yet." in page_of(sign_in(customer), customer, "1")


def test_nobody_reads_anothers_purchase(
    maya: Customer, noor: Customer, sign_in: SignIn, shop: Shop
) -> None:
    own = Membership.objects.get(customer=noor)
    theirs = Membership.objects.get(customer=maya)
    order = Order.objects.get(external_id="4711")
    client = sign_in(noor)
    for membership in (own, theirs):
        address = reverse("mypage:purchase", args=[membership.public_id, order.pk])
        assert client.get(address).status_code == 404
    assert client.get(reverse("mypage:purchases_of", args=[theirs.public_id])).status_code == 404
    assert "Number 4711" not in text_of(client, "/me/purchases/")


def test_purchases_that_a_merge_brought_are_ones_own(
    maya: Customer, noor: Customer, sign_in: SignIn, shop: Shop
) -> None:
    merge_customers(kept=noor, merged=maya, actor=SYSTEM, source="test", now=timezone.now())
    assert "Number 4711" in text_of(sign_in(noor), "/me/purchases/")


def test_a_movement_leads_to_its_purchase(maya: Customer, sign_in: SignIn, shop: Shop) -> None:
    client = sign_in(maya)
    order = Order.objects.get(external_id="4711")
    movement = order.transfers.get()
    membership = Membership.objects.get(customer=maya)
    address = reverse("mypage:purchase", args=[membership.public_id, order.pk])
    assert address in client.get(f"/me/history/{movement.pk}/").content.decode()


def test_further_purchases_come_in_pieces(noor: Customer, sign_in: SignIn, shop: Shop) -> None:
    for number in range(22):
        shop.sell(noor, f"N{number:02}", "10.00", days_ago=30 - number)
    client = sign_in(noor)
    response = client.get("/me/purchases/")
    assert len(list(response.context["page"])) == 20
    more = {"cursor": response.context["page"].next_cursor}
    rest = client.get("/me/purchases/", more, headers={"HX-Request": "true"}).content.decode()
    assert "Number N00" in rest
    assert "<html" not in rest


def test_as_many_queries_for_many_rules_as_for_few(
    noor: Customer, sign_in: SignIn, shop: Shop, django_assert_max_num_queries: Any
) -> None:
    with_rules(*(fixed(f"R{n}", when=asks("order.total", "at_least", 50)) for n in range(12)))
    shop.sell(noor, "1", "10.00", days_ago=0)
    client = sign_in(noor)
    page_of(client, noor, "1")
    with django_assert_max_num_queries(26):
        page_of(client, noor, "1")


def test_everything_that_may_be_told_is_a_question_that_there_is() -> None:
    assert all(field_named(name) is not None for name in TELLABLE)
    left_out = {field.name for field in _BEHAVIOR} - TELLABLE
    assert left_out == {
        "behavior.average_order", "behavior.purchase_cycle", "behavior.overdue",
        "behavior.spend_percentile", "behavior.discount_share", "behavior.returns_share",
    }  # fmt: skip
