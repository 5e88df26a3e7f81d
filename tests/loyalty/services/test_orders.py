"""Orders: recorded, repeated, changed, called off, claimed."""

import dataclasses
import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection

from loyalty.errors import InvalidOrderError, OrderConflictError
from loyalty.models import Membership, Order, OrderEvaluation, Transfer
from loyalty.services.order_batches import Enrolling
from loyalty.services.order_inputs import CustomerRef
from loyalty.services.programs import apply_definition
from members.models import Customer
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    day,
    define,
    give_back,
    held,
    line,
    make_program,
    make_wallet,
    moves,
    order,
    record,
    refund,
    spendable,
    tender,
)

CANCELED = {"status": "cancelled"}


def outcomes(results) -> list[str]:
    return [result.outcome for result in results]


def test_a_new_order_brings_in_its_buyer_and_earns(program):
    (result,) = record(order(total="12.99"))
    assert (result.outcome, [award.units for _program, award in result.awards]) == ("created", [12])
    membership = Membership.objects.get()
    assert (membership.source, membership.enrolled_at) == ("order", NOW)
    assert moves() == [("accrual", 12)]


def test_the_same_order_again_changes_nothing(program):
    record(order(lines=(line(1, "10.00"),)))
    assert outcomes(record(order(lines=(line(1, "10"),)))) == ["unchanged"]
    assert moves() == [("accrual", 10)]


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        ("15", [("accrual", 10), ("accrual", 5)]),
        ("4", [("accrual", 10), ("clawback", -6)]),
        ("10.50", [("accrual", 10)]),
    ],
)
def test_a_corrected_price_posts_the_difference(program, total, expected):
    record(order())
    assert outcomes(record(order(total=total), now=day(1))) == ["updated"]
    assert moves() == expected
    assert Order.objects.get().total == Decimal(total)


def test_a_correction_later_than_a_refund_is_dated_when_it_was_made(program):
    record(order(total="100"))
    give_back(refund(of="A1", total="10", at=day(1)))
    record(order(total="80"), now=day(30))
    dates = Transfer.objects.filter(kind="clawback").order_by("pk")
    assert [(t.amount, t.occurred_at, t.refund_id is None) for t in dates] == [
        (10, day(1), False),
        (20, day(30), True),
    ]


def test_refunds_that_come_in_the_wrong_order_keep_their_own_dates(program):
    record(order(total="100"))
    give_back(refund("R2", "30", of="A1", at=day(9)))
    give_back(refund("R1", "20", of="A1", at=day(2)), now=day(10))
    found = Transfer.objects.filter(kind="clawback").select_related("refund").order_by("pk")
    assert [(t.refund.external_id, t.amount, t.occurred_at) for t in found] == [
        ("R2", 30, day(9)),
        ("R1", 20, day(2)),
    ]


def test_calling_off_takes_all_back_and_completing_again_gives_it_again(program):
    record(order(total="10"))
    record(order(**CANCELED))
    assert spendable() == 0
    record(order())
    assert spendable() == 10
    assert moves() == [("accrual", 10), ("clawback", -10), ("accrual", 10)]


def test_an_order_that_came_called_off_earns_once_it_is_not(program):
    record(order(**CANCELED))
    assert moves() == []
    record(order())
    assert moves() == [("accrual", 10)]


def change_rate(units: int, at: dt.datetime, **changes) -> None:
    rules = changes.pop("rules", [{"units": units}])
    apply_definition(define(earning_rules=rules, **changes), actor=SYSTEM, now=at)


def test_an_order_keeps_the_rule_it_was_judged_by_whatever_rules_say_since(program):
    record(order(total="10"))
    change_rate(2, day(5))
    record(order("A2", "10", at=day(6)))
    assert spendable(at=day(6)) == 30
    record(order(total="12"), now=day(7))
    assert spendable(at=day(7)) == 32
    give_back(refund(of="A2", at=day(8)))
    assert spendable(at=day(8)) == 12


def test_an_order_placed_before_a_change_and_sent_after_it_earns_the_old_rate(program):
    change_rate(2, day(5))
    record(order(total="10", at=day(4)), order("A2", "10", at=day(5)), now=day(9))
    assert spendable(at=day(9)) == 30


def test_a_retired_rule_still_takes_back_what_it_gave(program):
    record(order(total="10"))
    change_rate(0, day(1), rules=[])
    record(order("A2", "10", at=day(2)))
    assert spendable(at=day(2)) == 10
    give_back(refund(of="A1", total="4", at=day(3)))
    assert spendable(at=day(3)) == 6


def test_an_archived_program_gives_no_more_but_takes_back(program):
    record(order(total="10"))
    apply_definition(define(status="archived"), actor=SYSTEM, now=day(1))
    record(order("A2", "10", at=day(2)))
    assert spendable(at=day(2)) == 10
    give_back(refund(of="A1", total="10", at=day(3)))
    assert spendable(at=day(3)) == 0


def test_a_draft_program_gives_nothing(db):
    make_program(status="draft")
    record(order())
    assert not Membership.objects.exists()


def test_a_guest_order_earns_nothing_until_somebody_claims_it(program):
    record(order(buyer=None))
    assert (Order.objects.get().customer, Transfer.objects.count()) == (None, 0)
    record(order(), now=day(1))
    assert moves() == [("accrual", 10)]
    assert Transfer.objects.get().occurred_at == NOW


def test_a_suspended_member_earns_nothing(program):
    wallet = make_wallet(program)
    Membership.objects.update(status="suspended")
    record(order())
    assert (held().balance, OrderEvaluation.objects.count()) == (0, 0)
    assert wallet.pk


def test_a_program_that_enrolls_nobody_by_itself_rewards_its_members_only(db):
    program = make_program(enrollment="explicit")
    make_wallet(program, "c1")
    record(order("A1"), order("A2", buyer="c2"))
    assert spendable("c1") == 10
    assert not Membership.objects.filter(customer__external_id="c2").exists()
    record(order("A3", buyer="c3"), enrolling=Enrolling(always=True))
    assert spendable("c3") == 10


def test_every_live_program_judges_the_order_in_its_own_units(program):
    double = make_program("double", earning_rules=[{"units": 2}], unit={"decimals": 2})
    make_program("euro", currency="EUR")
    record(order(total="10.55"))
    assert held("c1", program=program).balance == 10
    assert held("c1", program=double).balance == 2110
    assert OrderEvaluation.objects.count() == 2


def test_an_order_in_a_currency_that_no_program_counts_in_is_refused(program):
    with pytest.raises(InvalidOrderError) as refused:
        record(order(currency="EUR"))
    assert [error.field for error in refused.value.errors] == ["currency"]
    assert not Order.objects.exists()


def test_an_order_does_not_change_hands_or_currency(program):
    record(order())
    with pytest.raises(OrderConflictError):
        record(order(buyer="c2"))
    with pytest.raises(OrderConflictError):
        record(order(currency="EUR"))
    assert moves() == [("accrual", 10)]
    assert moves("c2") == []


def test_the_same_number_from_another_system_is_another_order(program):
    record(order(source="shop"))
    record(order(source="till"))
    assert spendable() == 20


def test_a_batch_with_one_number_twice_is_refused_as_a_whole(program):
    with pytest.raises(InvalidOrderError) as refused:
        record(order("A1"), order("A2"), order("A1", "5"))
    assert refused.value.errors[0].field == "orders[2].external_id"
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("details", "field"),
    [
        ({"lines": (line(1, "9"),)}, "total"),
        ({"lines": (line(1, "10"),), "shipping_total": Decimal(5)}, "total"),
        ({"lines": (line(1, "10"),), "tax_total": Decimal(1), "taxes_included": False}, "total"),
        ({"lines": (line(1, "5"), line(1, "5"))}, "lines[1].line_no"),
        ({"tenders": (tender("money", "9"),)}, "tenders"),
        ({"lines": (line(1, "10", tax=Decimal(2)),), "tax_total": Decimal(1)}, "tax_total"),
        ({"total": "10.00001"}, "total"),
        ({"lines": (line(1, "10", quantity=Decimal("0.0001")),)}, "lines[0].quantity"),
    ],
)
def test_an_order_that_contradicts_itself_is_refused_by_field(program, details, field):
    with pytest.raises(InvalidOrderError) as refused:
        record(order(total=details.pop("total", "10"), **details))
    assert [error.field for error in refused.value.errors] == [field]


def test_tax_that_only_the_lines_name_is_the_orders_tax(program):
    record(order("inside", "121", lines=(line(1, "121", tax=Decimal(21)),)))
    assert spendable() == 100
    taxed = line(1, "100", tax=Decimal(21))
    record(order("on top", "121", lines=(taxed,), taxes_included=False))
    assert spendable() == 200


@pytest.mark.parametrize("year", [1899, 2201, 9998])
def test_a_time_that_cannot_be_meant_is_refused(program, year):
    with pytest.raises(InvalidOrderError) as refused:
        record(order(at=NOW.replace(year=year)), now=NOW)
    assert [error.field for error in refused.value.errors] == ["placed_at"]
    with pytest.raises(InvalidOrderError) as refused:
        give_back(refund(at=NOW.replace(year=year)), now=NOW)
    assert [error.field for error in refused.value.errors] == ["refunded_at"]


@pytest.mark.parametrize(
    ("total", "details"),
    [
        ("15", {"lines": (line(1, "10"),), "shipping_total": Decimal(5)}),
        ("11", {"lines": (line(1, "10"),), "tax_total": Decimal(1), "taxes_included": False}),
        ("8", {"lines": (line(1, "10"),), "discount_total": Decimal(2)}),
        ("10", {"tenders": (tender("money", "4"), tender("units", "6"))}),
        # Two gift cards are as good as one.
        ("10", {"tenders": (tender("stored_value", "4"), tender("stored_value", "6"))}),
        ("10", {}),
        ("0", {"lines": (line(1, "0"),)}),
    ],
)
def test_an_order_that_adds_up_is_taken(program, total, details):
    assert outcomes(record(order(total=total, **details))) == ["created"]
    assert outcomes(record(order(total=total, **details))) == ["unchanged"]


def test_an_unknown_key_of_ours_is_no_customer(program):
    with pytest.raises(InvalidOrderError) as refused:
        record(order(customer=CustomerRef(key=999_999)))
    assert refused.value.errors[0].code == "not_found"


def test_details_that_belong_to_another_customer_are_a_conflict(program):
    Customer.objects.create(external_id="c0", email="ada@example.com")
    with pytest.raises(OrderConflictError) as refused:
        record(order(customer=CustomerRef("c1", email="Ada@example.com")))
    assert refused.value.errors[0].field == "customer.email"
    assert not Order.objects.exists()


def test_a_conflict_is_found_also_beside_a_newcomer_without_one(program):
    Customer.objects.create(external_id="c0", email="ada@example.com")
    with pytest.raises(OrderConflictError):
        record(order("A1"), order("A2", customer=CustomerRef("c2", email="ada@example.com")))
    assert not Order.objects.exists()


def test_a_change_that_earns_the_same_moves_nothing(program):
    first = order(total="10.20", lines=(line(1, "10.20", sku="tea"),))
    record(first)
    assert outcomes(record(dataclasses.replace(first, store="Main street"))) == ["updated"]
    assert moves() == [("accrual", 10)]


def test_lines_and_tenders_are_replaced_by_those_of_the_change(program):
    record(order(lines=(line(1, "4"), line(2, "6")), tenders=(tender("money", "10"),)))
    record(
        order(
            lines=(line(7, "10", tags=('a"b', "c\\d", "é,{}")),), tenders=(tender("units", "10"),)
        )
    )
    stored = Order.objects.get()
    assert [(item.line_no, item.tags) for item in stored.lines.all()] == [
        (7, ['a"b', "c\\d", "é,{}"])
    ]
    assert [item.kind for item in stored.tenders.all()] == ["units"]
    assert spendable() == 0


def test_tags_survive_the_first_recording_as_they_are(program):
    tags = ('a"b', "c\\d", "é,{}", "NULL", " x ")
    record(order(lines=(line(1, "10", tags=tags),)))
    assert tuple(Order.objects.get().lines.get().tags) == tags


def test_an_empty_batch_is_nothing(program):
    assert record() == []


def test_what_earned_is_on_the_transfer(db):
    make_program(earning_rules=[{"exclude": {"categories": ["fuel"]}}])
    record(
        order(
            total="34",
            lines=(line(1, "20"), line(2, "10", category="fuel")),
            shipping_total=Decimal(5),
            discount_total=Decimal(1),
        )
    )
    why = Transfer.objects.get().explanation
    assert (why["order"], why["rule"], why["version"]) == ("A1", "Base rate", 1)
    assert ["order_discount", "-0.6666666666666666666666666667"] in why["steps"]
    assert why["steps"][-1] == ["rounded", "down", "order", "19"]


def test_of_one_moment_the_first_told_is_the_first_however_it_was_looked_up(program):
    """A replay goes through them by their keys."""
    numbers = ["c", "a", "d", "b"]
    with connection.cursor() as cursor:
        # Another plan, as a large table may have: order numbers come sorted.
        cursor.execute("SET LOCAL enable_nestloop = off; SET LOCAL enable_hashjoin = off")
        cursor.execute("DISCARD PLANS")
    record(order("a", buyer="ba", at=NOW))
    results = record(*(order(number, buyer=f"b{number}", at=NOW) for number in numbers))
    assert outcomes(results) == ["created", "unchanged", "created", "created"]
    keys = [result.order_id for result in results if result.outcome == "created"]
    assert keys == sorted(keys)
    found = Order.objects.exclude(external_id="a").order_by("pk")
    assert list(found.values_list("external_id", flat=True)) == ["c", "d", "b"]
