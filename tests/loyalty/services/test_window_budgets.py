"""Budgets of what is judged over several orders: not a unit more, whoever reaches it at once."""

from decimal import Decimal

import pytest
from django.db.models import Sum

from loyalty.models import CapCounter, Program, Transfer, WindowAward
from loyalty.rule_definitions import RULE_KINDS
from loyalty.services.quotes import quote_order
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import (
    day,
    give_back,
    make_program,
    make_wallet,
    order,
    record,
    refund,
    spendable,
)
from tests.loyalty.services.merging import merge, part
from tests.rewards.services.racing import at_once
from tests.sharing import of_each_test

SECOND = {
    "code": "second", "name": "Second", "kind": "nth_purchase", "number": 2, "units": 50,
    "caps": {"budget": 120},
}  # fmt: skip
EVERY = SECOND | {
    "code": "every",
    "number": 1,
    "repeats": True,
    "caps": {"budget": 25},
    "units": 10,
}


_made_once, club = of_each_test(lambda: make_program(earning_rules=[SECOND]))


def buy(who: str, number: int, at: int = 0, total: str = "10") -> None:
    record(order(f"{who}-{number}", total, buyer=who, at=day(at)))


def used() -> int:
    return CapCounter.objects.aggregate(sum=Sum("used", default=0))["sum"]


def twice(*people: str, at: int = 0) -> None:
    for who in people:
        buy(who, 1, at)
        buy(who, 2, at + 1)


def test_the_last_who_reaches_it_gets_what_is_left_and_nobody_more(club: Program) -> None:
    twice("c1", "c2", "c3", "c4")
    assert [spendable(who, day(2)) for who in ("c1", "c2", "c3", "c4")] == [50, 50, 20, 0]
    assert used() == 120
    last = Transfer.objects.filter(kind="accrual").latest("pk")
    assert last.explanation["steps"][-1] == ["capped_budget", "20"]
    assert_ledger_coherent()


def test_what_comes_back_is_for_who_comes_next_and_not_for_who_was_short(club: Program) -> None:
    twice("c1", "c2", "c3", "c4")
    give_back(refund("R", "10", of="c1-2", at=day(3)))
    assert used() == 70
    buy("c4", 3, 4)
    assert spendable("c4", day(4)) == 0
    twice("c5", at=5)
    assert (spendable("c5", day(6)), used()) == (50, 120)


def test_what_was_short_goes_first_where_it_comes_to_less(db: None) -> None:
    make_program(earning_rules=[EVERY])
    for number in range(1, 5):
        buy("c1", number, number)
    window = WindowAward.objects.get()
    assert (window.units, window.short, spendable(at=day(9))) == (25, 15, 25)
    give_back(refund("R1", "10", of="c1-4", at=day(5)))
    assert (spendable(at=day(9)), used()) == (25, 25)
    give_back(refund("R2", "10", of="c1-3", at=day(6)))
    window.refresh_from_db()
    assert (window.units, window.short, used()) == (20, 0, 20)
    buy("c1", 5, 7)
    assert (spendable(at=day(9)), used()) == (25, 25)


def test_a_budget_in_money_counts_what_they_are_worth_when_they_are_given(db: None) -> None:
    rule = SECOND | {"caps": {"budget_money": "1.40"}}
    program = make_program(earning_rules=[rule], unit={"unit_value": "0.01"})
    twice("c1")
    make_program(program.code, earning_rules=[rule], unit={"unit_value": "0.02"}, at=day(2))
    twice("c2", at=3)
    # 0.50 for the first, and of the 0.90 that is left so much as is worth it.
    assert (spendable("c1", day(4)), spendable("c2", day(4))) == (50, 45)
    last = Transfer.objects.filter(kind="accrual").latest("pk")
    assert last.explanation["steps"][-1] == ["capped_money", "45"]
    give_back(refund("R", "10", of="c1-2", at=day(5)))
    # What comes back is worth what it was.
    assert sum(CapCounter.objects.values_list("worth", flat=True)) == Decimal("0.90")
    twice("c3", at=6)
    assert spendable("c3", day(7)) == 25
    assert_ledger_coherent()


def test_telling_an_order_again_changes_nothing(club: Program) -> None:
    twice("c1", "c2", "c3", "c3")
    assert (spendable("c3", day(2)), used()) == (20, 120)


def test_a_quote_says_no_more_than_is_left(club: Program) -> None:
    twice("c1", "c2")
    buy("c3", 1)
    (quote,) = quote_order(order("Q", buyer="c3", at=day(2)))
    [quoted] = quote.awards
    assert (quoted.award.units, quoted.award.steps[-1]) == (20, ("capped_budget", "20"))


def test_who_is_merged_and_parted_never_takes_it_beyond(club: Program) -> None:
    twice("c1", "c2")
    buy("c3", 1)
    done = merge(now=day(2))
    assert used() == 50
    buy("c3", 2, 3)
    assert (spendable("c3", day(3)), used()) == (50, 100)
    part(done, now=day(4))
    assert used() <= 120
    assert used() == sum(WindowAward.objects.values_list("units", flat=True))
    assert_ledger_coherent()


def test_a_window_has_no_cap_but_a_budget() -> None:
    kind = RULE_KINDS["nth_purchase"]
    assert kind.model_validate(SECOND).body().caps.budget == 120
    with pytest.raises(ValueError, match="no caps but a budget"):
        kind.model_validate(SECOND | {"caps": {"per_member": 5}})


@pytest.mark.django_db(transaction=True)
def test_many_who_reach_it_at_once_get_all_of_it_and_not_a_unit_more() -> None:
    program = make_program(earning_rules=[SECOND | {"caps": {"budget": 333}}])
    for number in range(16):
        make_wallet(program, f"c{number}", at=day(-1))
        buy(f"c{number}", 1)
    assert at_once(lambda number: buy(f"c{number}", 2, 1), 16) == {"done": 16}
    assert used() == sum(spendable(f"c{number}", day(1)) for number in range(16)) == 333
    assert_ledger_coherent()
