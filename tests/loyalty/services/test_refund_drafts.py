"""What staff choose to give back becomes a refund of what was charged for it."""

from decimal import Decimal

import pytest

from loyalty.models import Order
from loyalty.services.refund_drafts import Chosen, draft_refund, left_of
from tests.loyalty.factories import (
    day,
    give_back,
    line,
    make_program,
    order,
    record,
    refund,
    returned,
    spendable,
)

LINES = (line(1, "60", sku="S1", quantity=Decimal(3)), line(2, "40", sku="S2", category="Tea"))


def stored(number: str = "A") -> Order:
    return Order.objects.prefetch_related("lines", "tenders", "refunds__lines").get(
        external_id=number
    )


def drafted(chosen: Chosen, number: str = "R", at: float = 1):
    found = stored()
    return draft_refund(found, chosen, left_of(found), external_id=number, at=day(at))


def lines_of(refund) -> list[tuple[int, str, str]]:
    return [
        (item.order_line_no, str(item.quantity.normalize()), f"{item.total:.2f}")
        for item in refund.lines
    ]


def test_a_line_is_given_back_as_it_was_charged(program):
    """Its share of the order's discount is not paid out."""
    record(order("A", "95", lines=LINES, discount_total=Decimal(10), shipping_total=Decimal(5)))
    draft = drafted(Chosen("lines", {1: Decimal(2)}))
    assert lines_of(draft) == [(1, "2", "36.00")]
    assert (draft.total, draft.shipping_total) == (36, 0)
    assert (draft.source, draft.order_external_id, draft.currency) == ("shop", "A", "USD")
    with_shipping = drafted(Chosen("lines", {2: Decimal(1)}, shipping=True))
    assert (with_shipping.total, with_shipping.shipping_total) == (41, 5)


def test_more_than_there_is_left_of_a_line_is_all_that_is_left(program):
    record(order("A", "100", lines=LINES))
    give_back(refund("R1", "20", of="A", lines=(returned(1, "20", sku="S1"),)))
    assert [(item.quantity, item.charged) for item in left_of(stored()).lines] == [(2, 40), (1, 40)]
    assert lines_of(drafted(Chosen("lines", {1: Decimal(9)}))) == [(1, "2", "40.00")]


@pytest.mark.parametrize(
    "details",
    [
        {"total": "100"},
        {"total": "90", "discount_total": Decimal(10)},
        {"total": "90.01", "discount_total": Decimal("9.99")},
        {"total": "107", "shipping_total": Decimal(7)},
        {"total": "112", "tax_total": Decimal(12), "taxes_included": False},
        {"total": "100", "tax_total": Decimal(12)},
    ],
)
@pytest.mark.parametrize("before", [None, "lines", "amount"])
def test_everything_is_all_that_was_paid_and_leaves_nothing(details, before):
    make_program(earning_rules=[{"rounding": {"mode": "up"}}])
    record(order("A", lines=LINES, **details))
    if before == "lines":
        give_back(drafted(Chosen("lines", {1: Decimal(1)}), "R1"))
    elif before == "amount":
        give_back(refund("R1", "12.34", of="A", at=day(1)))
    draft = drafted(Chosen("all"), "R2", 2)
    paid = sum((r.total for r in stored().refunds.all()), draft.total)
    assert paid == Decimal(details["total"])
    give_back(draft)
    assert spendable(at=day(2)) == 0
    assert left_of(stored()).total == 0


def test_all_lines_and_the_shipping_are_everything(program):
    thirds = (line(1, "33.3333", sku="S1"), line(2, "66.6667", sku="S2"))
    record(order("A", "105", lines=thirds, shipping_total=Decimal(5)))
    whole = drafted(Chosen("lines", {1: Decimal(1), 2: Decimal(1)}, shipping=True))
    assert (whole.total, lines_of(whole)) == (105, [(1, "1", "33.33"), (2, "1", "66.67")])
    assert sum(item.total for item in whole.lines) == 100
    without = drafted(Chosen("lines", {1: Decimal(1), 2: Decimal(1)}))
    assert without.total == 100


def test_what_is_measured_by_quantity_comes_back_by_quantity():
    make_program(earning_rules=[{"measure": "quantity", "units": 2}])
    record(order("A", "100", lines=LINES))
    give_back(drafted(Chosen("lines", {1: Decimal(2)}), "R1"))
    assert spendable(at=day(1)) == 4
    give_back(drafted(Chosen("all"), "R2", 2))
    assert spendable(at=day(2)) == 0


def test_tax_that_was_added_is_given_back_in_proportion(program):
    record(order("A", "112", lines=LINES, tax_total=Decimal(12), taxes_included=False))
    draft = drafted(Chosen("lines", {2: Decimal(1)}))
    assert (draft.total, draft.tax_total) == (Decimal("44.80"), Decimal("4.80"))
    give_back(draft)
    assert spendable(at=day(1)) == 60


def test_an_amount_is_given_back_as_it_is(program):
    record(order("A", "100", lines=LINES))
    draft = drafted(Chosen("amount", amount=Decimal("12.50")))
    assert (draft.total, draft.lines) == (Decimal("12.50"), ())


@pytest.mark.parametrize("status", ["cancelled", "refunded"])
def test_of_an_order_that_came_to_nothing_nothing_is_left(program, status):
    record(order("A", "100", lines=LINES, status=status))
    assert left_of(stored()).lines == ()
    assert left_of(stored()).total == 0
