"""What users of other loyalty systems suffer from, and what is true here instead.
Refunds and shortfalls.

The tests are in the order of the pains and named after what holds; each docstring tells the pain.
"""

import itertools
from decimal import Decimal

import pytest

from loyalty.ledger.reports import totals
from loyalty.models import (
    Order,
)
from loyalty.services.refund_previews import preview_refund
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    held,
    line,
    make_program,
    moves,
    order,
    record,
    refund,
    returned,
    spendable,
)
from tests.loyalty.pains.acts import (
    MONTH,
    change_rules,
    explained,
    lots,
    paid_with_units,
    redeem,
)

pytestmark = pytest.mark.usefixtures("coherent_ledger")


# --- 1: refunds that leave points --------------------------------------------------------------


def test_a_refund_takes_back_exactly_what_the_kept_goods_no_longer_earn(program):
    """Pain 1: a share of the points is taken, rounded each time, so something stays behind."""
    tea, mug = line(1, "5.50", sku="tea"), line(2, "5.40", sku="mug")
    record(order(total="10.90", lines=(tea, mug)))
    give_back(refund("R1", "5.40", of="A1", lines=(returned(1, "5.40", sku="mug"),)))
    assert spendable() == 5
    give_back(refund("R2", "0.60", of="A1", lines=(returned(1, "0.60", sku="tea"),)))
    assert spendable() == 4
    give_back(refund("R3", "4.90", of="A1", lines=(returned(1, "4.90", sku="tea"),)))
    assert spendable() == 0


def test_buying_and_returning_again_and_again_leaves_no_points(db):
    """Pain 1: points, and bonuses for a large basket, can be farmed by returning everything."""
    rules = [{}, {"code": "big", "kind": "threshold_bonus", "reach": 100, "units": 50},
             {"code": "month", "kind": "threshold_bonus", "reach": 150, "window": "month",
              "units": 500}]  # fmt: skip
    make_program(earning_rules=rules)
    for number in range(3):
        record(order(f"A{number}", "100"))
    assert spendable() == 3 * 150 + 500
    for number in range(3):
        give_back(refund(f"R{number}", "100", of=f"A{number}"))
    assert (held().balance, held().owed) == (0, 0)


def test_most_of_the_money_back_is_most_of_the_stamps_back(db):
    """Pain 1: a shop tells only how much it paid out, and the card stays full for a dollar."""
    card = {"kind": "stamps", "stamp_per": "quantity", "full_at": 10, "units": 100}
    make_program(earning_rules=[{"code": "card", "name": "Card", **card}])
    record(order("A", "100", lines=(line(1, "100", quantity=Decimal(10)),)))
    assert spendable() == 100
    give_back(refund("R1", "0.50", of="A"))
    assert spendable() == 100
    give_back(refund("R2", "98.50", of="A"))
    assert (held().balance, held().owed) == (0, 0)


# --- 2: refunds that charge again --------------------------------------------------------------


def test_a_refund_gives_what_was_spent_back_to_the_same_lots_and_spends_nothing_again(db):
    """Pain 2: a refund of an order that was paid with points takes those points a second time."""
    make_program(unit={"expiry": MONTH})
    record(order("A", "50", at=day(-20)), order("B", "50", at=day(-10)))
    before = lots()
    bought = paid_with_units("C", "60")
    record(bought)
    redeem(60, order=Order.objects.get(external_id="C"))
    assert spendable() == 40
    for _again in range(2):
        give_back(refund("R1", "60", of="C"))
    assert lots() == before
    assert [kind for kind, _units in moves()].count("redemption") == 1
    assert (held().spendable, held().owed) == (100, 0)


# --- 3: today's rules for yesterday's orders ---------------------------------------------------


def test_a_refund_counts_with_the_rules_that_its_order_was_judged_by(program):
    """Pain 3: the rate doubled since, so twice too much is taken; the rule is gone, so nothing."""
    record(order(total="10"))
    change_rules(day(1), {"units": 2})
    give_back(refund("R1", "4", of="A1", at=day(2)))
    assert spendable(at=day(2)) == 6
    change_rules(day(3))
    give_back(refund("R2", "6", of="A1", at=day(4)))
    assert (held(at=day(4)).balance, held(at=day(4)).owed) == (0, 0)


# --- 4: zero midway ----------------------------------------------------------------------------


@pytest.mark.parametrize("steps", list(itertools.permutations(("cancel", "refund", "buy"))))
def test_whatever_comes_first_after_a_spend_the_balance_ends_right(program, steps):
    """Pain 4: the balance is cut off at zero after each step, so it ends too high."""
    record(order("A", "100"), order("B", "30"))
    redeem(120)
    acts = {
        "cancel": lambda: record(order("A", "100", status="cancelled")),
        "refund": lambda: give_back(refund("R1", "20", of="B")),
        "buy": lambda: record(order("C", "150")),
    }
    for step in steps:
        acts[step]()
    assert (held().balance, held().owed) == (40, 0)


def test_what_comes_and_goes_in_one_message_is_counted_together(program):
    """Pain 4, in one batch: what an order takes back and what the next one brings."""
    record(order("A", "100"))
    redeem(100)
    record(order("A", "100", status="cancelled"), order("B", "130"))
    assert (held().balance, held().owed) == (30, 0)


# --- 5: the forgotten shortfall ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "owed", "written_off", "after_the_next_order"),
    [("carry", 80, 0, 20), ("write_off", 0, 80, 100), ("refuse_redemption_only", 80, 0, 0)],
)
def test_what_a_refund_does_not_find_is_treated_as_the_program_says(
    db, policy, owed, written_off, after_the_next_order
):
    """Pain 5: what had been spent already is forgiven, and no figure says so."""
    program = make_program(debt_policy=policy)
    record(order("A", "100"))
    redeem(80)
    give_back(refund("R1", "100", of="A"))
    figures = totals(program, NOW)["points"]
    assert (held().owed, figures.owed, figures.written_off) == (owed, owed, written_off)
    assert spendable() == 0
    record(order("B", "100"))
    assert spendable() == after_the_next_order


def test_a_shortfall_is_told_before_and_after_it_comes_about(program):
    """Pain 5: nobody sees what is missing: neither the clerk, nor the member, nor the books."""
    record(order("A", "100"))
    redeem(80)
    taken = refund("R1", "100", of="A")
    (shown,) = preview_refund(taken, now=NOW).effects
    assert (shown.before.spendable, shown.after.spendable, shown.after.owed) == (20, 0, 80)
    give_back(taken)
    assert any("Already spent" in step for step in explained(kind="clawback").steps)
