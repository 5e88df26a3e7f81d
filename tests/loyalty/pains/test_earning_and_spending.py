"""What users of other loyalty systems suffer from, and what is true here instead.
Lots, numbers, what earns, and how much is spent.

The tests are in the order of the pains and named after what holds; each docstring tells the pain.
"""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import transaction

from loyalty.errors import SpendingRefusedError
from loyalty.models import (
    EarningRuleVersion,
    LotUse,
    Order,
    WalletType,
)
from loyalty.rule_words import describe_rule
from loyalty.rules.bodies import parse_body
from loyalty.services.expiry import write_down_expired
from loyalty.services.redemptions import reverse_redemption
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    day,
    held,
    line,
    make_program,
    moves,
    order,
    record,
    spendable,
    tender,
)
from tests.loyalty.pains.acts import (
    MONTH,
    explained,
    lots,
    redeem,
)

pytestmark = pytest.mark.usefixtures("coherent_ledger")


# --- 12: no lots -------------------------------------------------------------------------------


def test_each_spend_says_of_which_units_it_was_and_the_rest_expire_on_their_own_days(db):
    """Pain 12: there is only a balance, so nobody knows what of it expires when."""
    make_program(unit={"expiry": MONTH})
    record(order("B", "50", at=day(-10)), order("A", "50"), order("C", "50", at=day(-5)))
    spent = redeem(70)
    uses = LotUse.objects.filter(transfer=spent).order_by("lot__expires_at")
    assert list(uses.values_list("lot__transfer__order__external_id", "amount")) == [
        ("B", 50), ("C", 20),
    ]  # fmt: skip
    ends = {number: expires_at for number, (_left, expires_at) in lots().items()}
    just_before = ends["C"] - dt.timedelta(seconds=1)
    assert [spendable(at=at) for at in (just_before, ends["C"], ends["A"])] == [80, 50, 0]
    write_down_expired(day(60))
    assert [found for found in moves() if found[0] == "expiry"] == [("expiry", -30),
                                                                    ("expiry", -50)]  # fmt: skip


# --- 13 and 14: numbers ------------------------------------------------------------------------


def test_hundredths_add_up_exactly_and_buy_what_they_come_to(db):
    """Pain 13: 268.28000000000003 are shown, and a reward for 100 is refused at 99.99999."""
    make_program(unit={"decimals": 2})
    record(*(order(f"A{number}", "0.07") for number in range(10)), order("B", "267.58"))
    assert held().balance == 268_28
    redeem(168_28, "k1")
    redeem(100_00, "k2")
    assert spendable() == 0


def test_three_thirds_of_a_discount_are_one_whole(program):
    """Pain 13: shares of a discount are cut off one by one, and a point is missing."""
    goods = tuple(line(number, "100") for number in range(1, 4))
    record(order(total="200", lines=goods, discount_total=Decimal(100)))
    assert spendable() == 200


@pytest.mark.parametrize(
    ("currency", "rule", "decimals", "total", "expected"),
    [
        ("USD", {"units": 1, "per": 1000}, 3, "1.99", 1),
        ("JPY", {"units": 1, "per": 200}, 2, "150", 75),
        ("KWD", {"units": 1, "per": "0.1"}, 0, "0.125", 1),
        ("JPY", {"rounding": {"mode": "up"}, "per": 1000}, 0, "1", 1),
    ],
)
def test_units_are_as_fine_as_they_say_whatever_the_currency(
    db, currency, rule, decimals, total, expected
):
    """Pain 14: units are rounded like the currency, and one point becomes none."""
    make_program(currency=currency, unit={"decimals": decimals}, earning_rules=[rule])
    record(order(total=total, currency=currency))
    assert held().balance == expected


# --- 15: what earns ----------------------------------------------------------------------------


def everything() -> tuple[object, ...]:
    """An order over 100 of goods, 10 off, 8 shipping, tax of 20 in the prices, 49 in points."""
    paid = (tender("money", "49"), tender("units", "49"))
    return order(
        total="98", lines=(line(1, "100", discount=Decimal(25), tax=Decimal(20)),),
        shipping_total=Decimal(8), discount_total=Decimal(10), tenders=paid,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("base", "earns"),
    [
        ({}, 35),  # (100 − 10 − 20), half of it paid with points
        ({"paid_with_units": True}, 70),
        ({"paid_with_units": True, "include_tax": True}, 90),
        ({"paid_with_units": True, "include_shipping": True}, 78),
        ({"paid_with_units": True, "after_discounts": False}, 105),
    ],
)
def test_tax_shipping_discounts_and_points_earn_as_the_rule_says(db, base, earns):
    """Pain 15: nobody can say which parts of an order count."""
    make_program(earning_rules=[{"base": base}])
    record(everything())
    assert spendable() == earns


def test_what_earns_is_written_with_the_rule_and_what_earned_on_the_movement(program):
    """Pain 15: neither the rule nor the points say what was counted."""
    record(everything())
    version = EarningRuleVersion.objects.get()
    promised = describe_rule(parse_body(version.body), WalletType.objects.get(), "USD")
    for sentence in (
        "Prices count after discounts.", "Tax does not earn.", "Shipping does not earn.",
        "What is paid with points does not earn.",
    ):  # fmt: skip
        assert sentence in promised
    steps = {step.text: step.value.replace("\N{NO-BREAK SPACE}", " ") for step in explained().why}
    assert steps["Share of the order's discount"] == "\N{MINUS SIGN}$10.00"
    assert steps["Tax, which does not earn"] == "\N{MINUS SIGN}$20.00"
    assert steps["Paid with points or gift cards"] == "\N{MINUS SIGN}$35.00"


# --- 16: all or nothing ------------------------------------------------------------------------


def test_a_member_spends_as_much_as_they_choose_and_keeps_the_rest(db):
    """Pain 16: the till takes the whole balance. Here: 4 of 5 points, worth 6 dollars; 1 stays."""
    make_program(unit={"unit_value": "1.5"})
    record(order("A", "5"))
    bought = order("B", "20", tenders=(tender("units", "6"), tender("money", "14")))
    record(bought)
    redeem(4, order=Order.objects.get(external_id="B"))
    assert spendable() == 1 + 14
    assert ("redemption", -4) in moves()


def test_where_units_are_used_in_steps_the_odd_one_stays(db):
    """Pain 16: with 3 dollars for 2 points, 5 points buy what 4 are worth, and all 5 are gone."""
    make_program(unit={"unit_value": "1.5", "spending": {"step": 2}})
    record(order("A", "5"))
    with pytest.raises(SpendingRefusedError, match="Use a multiple of 2"), transaction.atomic():
        redeem(5)
    redeem(4, "k2")
    assert spendable() == 1


def test_a_part_of_what_was_spent_comes_back(program):
    """Pain 16, the way back: all or nothing too."""
    record(order("A", "100"))
    spent = redeem(80)
    for number, units in enumerate((30, 50)):
        reverse_redemption(
            transfer=spent, units=units, key=f"b{number}", source="api", actor=SYSTEM, now=NOW
        )
    assert spendable() == 100
