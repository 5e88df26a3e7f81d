"""What orders take of the budget of a promotion in money off prices, and what comes back."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from campaigns.selectors.money_budgets import money_budgets
from loyalty.models import Program
from loyalty.services.order_inputs import DiscountInput
from members.errors import DomainError
from tests.campaigns.discount_budgets import (
    LATER,
    borne,
    cart_of,
    make_club,
    promotion,
    quoted,
    told,
    used,
)
from tests.loyalty.factories import give_back, order, record, refund
from tests.rewards.services.carts import cancel, commit
from tests.sharing import anew, shared

pytestmark = pytest.mark.usefixtures("coherent_ledger")


made_once = shared(make_club)


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


@pytest.mark.parametrize("cart_first", [True, False])
def test_the_order_of_a_cart_has_what_that_held_whichever_comes_first(
    club: Program, cart_first: bool
) -> None:
    promotion(club)
    found = cart_of()
    if cart_first:
        commit(found)
        assert used() == 10
        record(told())
    else:
        record(told())
        # What is left, and not twice what there is.
        assert (borne(), used()) == ((10, 5), 15)
        commit(found)
    assert (borne(), used()) == ((10, 10), 10)
    record(told())
    assert used() == 10


def test_an_order_that_does_not_tell_has_what_its_cart_was_promised(club: Program) -> None:
    promotion(club)
    commit(cart_of())
    record(order("A1", "90"))
    assert (borne(), used()) == ((10, 10), 10)
    give_back(refund("R", "45", of="A1"))
    assert (borne(), used()) == ((5, 5), 5)


def test_an_order_told_before_its_cart_and_without_it_has_what_that_held(club: Program) -> None:
    promotion(club)
    found = cart_of()
    record(order("A1", "90"))
    commit(found)
    assert (borne(), used()) == ((10, 10), 10)


def test_a_paid_cart_whose_order_never_came_gives_back(club: Program) -> None:
    promotion(club)
    found = commit(cart_of())
    cancel(found)
    assert used() == 0
    again = cart_of()
    commit(again)
    record(told())
    record(told(status="cancelled"))
    cancel(again)
    assert (borne(), used()) == ((0, 0), 0)


def test_an_order_beyond_the_budget_is_taken_and_says_what_is_not_covered(club: Program) -> None:
    campaign = promotion(club)
    record(told("A1"), told("A2", buyer="c2"), told("A3", buyer=None))
    assert [borne(number) for number in ("A1", "A2", "A3")] == [(10, 10), (10, 5), (10, 0)]
    budget = money_budgets([campaign])[campaign.pk]
    assert (budget.given, budget.whole, budget.held, budget.uncovered) == (15, 15, 0, 15)
    assert budget.is_used_up


def test_what_comes_back_is_there_again_and_what_was_not_covered_goes_first(club: Program) -> None:
    promotion(club)
    record(told("A1"), told("A2", buyer="c2"))
    give_back(refund("R1", "45", of="A2"))
    assert (borne("A2"), used()) == ((5, 5), 15)
    give_back(refund("R2", "22.50", of="A2"), refund("R3", "90", of="A1"))
    assert (borne("A1"), borne("A2"), used()) == ((0, 0), (Decimal("2.5"), Decimal("2.5")), 2.5)
    assert quoted("125").discounted.amount == 12.5


def test_what_a_file_of_the_past_tells_counts_too(club: Program) -> None:
    """Of somebody who was no member: no program of the file has to do with the order."""
    promotion(club)
    record(told("A1", buyer=None), told("A2", buyer=None))
    give_back(refund("R1", "45", of="A1", buyer=None), program_ids=[])
    assert (borne("A1"), borne("A2"), used()) == ((5, 5), (10, 5), 10)
    record(order("A2", "90", buyer=None, status="cancelled"), program_ids=[])
    assert (borne("A2"), used()) == ((0, 0), 5)


def test_what_is_told_in_another_currency_takes_nothing_of_a_budget(club: Program) -> None:
    promotion(club)
    with pytest.raises(DomainError) as refused, transaction.atomic():
        record(told("A1", buyer=None, currency="EUR"))
    [error] = refused.value.errors
    assert (error.field, error.code) == ("discounts[0].program", "currency_mismatch")
    assert used() == 0


def test_orders_of_one_message_are_borne_together(club: Program) -> None:
    promotion(club, "500")
    asked = []
    for size in (3, 12):
        with CaptureQueriesContext(connection) as found:
            record(*(told(f"{size}-{number}") for number in range(size)))
        asked.append(sum("loyalty_discountbudgetuse" in query["sql"] for query in found))
        with CaptureQueriesContext(connection) as found:
            record(*(told(f"{size}-{number}", "5") for number in range(size)))
        asked.append(sum("loyalty_discountbudgetuse" in query["sql"] for query in found))
    assert used() == 75
    assert asked[:2] == asked[2:]


def test_budgets_of_new_and_of_changed_orders_are_held_at_once(club: Program) -> None:
    """One after the other, two messages could wait for each other."""
    Program.objects.update(discounting="add")
    promotion(club)
    promotion(club, name="Other")
    record(told("A1"))
    off = [DiscountInput("club", "campaign-other", Decimal(10))]
    fresh = order("B1", "90", buyer="c2", discount_total=Decimal(10), discounts=off)
    with CaptureQueriesContext(connection) as found:
        record(fresh, told("A1", "4"))
    held = [query["sql"] for query in found if "FOR NO KEY UPDATE" in query["sql"]]
    assert sum('FROM "loyalty_discountbudget" ' in sql for sql in held) == 1
    assert (borne("A1"), borne("B1")) == ((4, 4), (10, 10))


def test_an_order_that_is_good_again_has_what_is_left(club: Program) -> None:
    promotion(club)
    record(told("A1"))
    record(told("A1", status="cancelled"))
    assert (borne(), used()) == ((0, 0), 0)
    record(told("A2", buyer="c2"))
    record(told("A1"))
    assert (borne("A1"), used()) == ((10, 5), 15)
    record(told("A1", "4"))
    assert (borne("A1"), used()) == ((4, 4), 14)


def test_an_order_takes_what_carts_held_too_long(club: Program) -> None:
    promotion(club)
    cart_of("c2", "C2")
    record(told(at=LATER))
    assert (borne(), used()) == ((10, 10), 10)
