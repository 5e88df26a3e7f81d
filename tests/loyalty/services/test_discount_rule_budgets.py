"""The budget of a discount rule that people write: no more comes off than it says, whoever buys
at once."""

from decimal import Decimal
from typing import Any

import pytest

from loyalty.models import (
    DiscountBudget,
    DiscountBudgetUse,
    EarningRule,
    EarningRuleVersion,
    Program,
)
from loyalty.rule_definitions import DiscountRuleDefinition
from loyalty.services.order_inputs import DiscountInput
from loyalty.services.rules import publish_draft, save_draft, withdraw_scheduled
from members.errors import ConflictError, DomainError
from members.services.audit import SYSTEM
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import day, give_back, make_program, make_wallet, order, record, refund
from tests.rewards.services.racing import at_once

TEN = {"code": "ten", "name": "Ten percent", "percent": 10, "budget": "25"}


def club(at: int = 0, **said: Any) -> Program:
    rule = {key: value for key, value in (TEN | said).items() if value is not None}
    return make_program(discount_rules=[rule], at=day(at))


def plan(rule: EarningRule, **said: Any) -> EarningRuleVersion:
    """A further wording that is to come in some days."""
    definition = DiscountRuleDefinition.model_validate(TEN | said)
    save_draft(rule=rule, definition=definition, actor=SYSTEM, now=day(1))
    return publish_draft(rule=rule, actor=SYSTEM, now=day(1), starts_at=day(10))


def told(number: str, amount: str, buyer: str = "c1", **how: Any) -> None:
    discounts = (DiscountInput("club", "ten", Decimal(amount)),)
    record(
        order(
            number,
            "90",
            buyer=buyer,
            discounts=discounts,
            discount_total=Decimal(10),
            at=day(1),
            **how,
        ),
        now=day(1),
    )


def used() -> Decimal:
    found: Decimal = DiscountBudget.objects.get().used
    return found


def borne(number: str) -> tuple[Decimal, Decimal]:
    use = DiscountBudgetUse.objects.get(holder__endswith=f"/{number}")
    return use.asked, use.amount


def test_what_orders_have_is_counted_and_what_comes_back_is_there_for_others(db: None) -> None:
    club()
    make_wallet(Program.objects.get(), at=day(0))
    told("A", "10")
    told("B", "10")
    told("C", "10")
    assert (used(), borne("C")) == (25, (10, 5))
    give_back(refund("R1", "90", of="A", at=day(2)))
    assert used() == 15
    told("D", "10")
    assert (used(), borne("D")) == (25, (10, 10))
    assert_ledger_coherent()


def test_its_amount_may_change_but_never_below_what_is_used(db: None) -> None:
    club()
    make_wallet(Program.objects.get(), at=day(0))
    told("A", "10")
    club(2, budget="40")
    assert DiscountBudget.objects.get().amount == 40
    with pytest.raises(DomainError, match="More than that"):
        club(3, budget="9.99")
    assert DiscountBudget.objects.get().amount == 40


def test_it_begins_before_something_is_taken_off_and_stays(db: None) -> None:
    club(budget=None)
    assert not DiscountBudget.objects.exists()
    club(1)
    club(2, budget=None)
    assert not DiscountBudget.objects.exists()
    make_wallet(Program.objects.get(), at=day(0))
    told("A", "10")
    with pytest.raises(ConflictError, match="begins with a rule"):
        club(3)


def test_it_cannot_be_left_out_once_something_is_taken_off(db: None) -> None:
    club()
    make_wallet(Program.objects.get(), at=day(0))
    told("A", "10")
    with pytest.raises(ConflictError, match="begins with a rule"):
        club(3, budget=None)
    assert used() == 10


def test_a_wording_that_is_not_to_come_after_all_takes_its_budget_along(db: None) -> None:
    rule = club(budget=None).earning_rules.get(code="ten")
    planned = plan(rule, budget="25")
    assert DiscountBudget.objects.get().amount == 25
    withdraw_scheduled(version=planned, actor=SYSTEM, now=day(1))
    assert not DiscountBudget.objects.exists()


def test_what_a_budget_was_before_a_planned_wording_is_so_again_without_it(db: None) -> None:
    rule = club().earning_rules.get(code="ten")
    planned = plan(rule, budget="40")
    withdraw_scheduled(version=planned, actor=SYSTEM, now=day(1))
    assert DiscountBudget.objects.get().amount == 25


def test_a_planned_budget_of_which_orders_have_taken_stays(db: None) -> None:
    program = club(budget=None)
    planned = plan(program.earning_rules.get(code="ten"), budget="25")
    make_wallet(program, at=day(0))
    told("A", "10")
    with pytest.raises(ConflictError, match="begins with a rule"):
        withdraw_scheduled(version=planned, actor=SYSTEM, now=day(2))
    assert used() == 10


@pytest.mark.django_db(transaction=True)
def test_orders_at_once_never_have_more_of_it_than_there_is() -> None:
    program = club(budget="55")
    for number in range(8):
        make_wallet(program, f"c{number}", at=day(0))
    done = at_once(lambda number: told(f"A{number}", "10", buyer=f"c{number}"), 8)
    assert done == {"done": 8}
    assert used() == 55
    assert sum(DiscountBudgetUse.objects.values_list("amount", flat=True)) == 55
    assert_ledger_coherent()
