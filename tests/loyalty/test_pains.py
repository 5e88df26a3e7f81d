"""What users of other loyalty systems suffer from, and what is true here instead.

The tests are in the order of the pains and named after what holds; each docstring tells the pain.
"""

import datetime as dt
import itertools
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connections, transaction

from loyalty.errors import InsufficientBalanceError, KeyReusedError, SpendingRefusedError
from loyalty.explanations import Explanation, explain_transfer
from loyalty.ledger.reports import totals
from loyalty.models import (
    EarningRuleVersion,
    Lot,
    LotUse,
    Membership,
    Order,
    Program,
    Transfer,
    Wallet,
    WalletType,
)
from loyalty.rule_words import describe_rule
from loyalty.rules.bodies import parse_body
from loyalty.selectors.transfers import history_of, transfers
from loyalty.services.expiry import write_down_expired
from loyalty.services.gifts import give_units
from loyalty.services.memberships import enroll_customer
from loyalty.services.policy_changes import apply_policy_change, preview_policy_change
from loyalty.services.programs import apply_definition
from loyalty.services.redemptions import redeem_units, reverse_redemption
from loyalty.services.refund_previews import preview_refund
from members.models import Customer
from members.selectors.customer_search import search_customers
from members.services.audit import SYSTEM
from members.services.merging import merge_customers
from tests.loyalty.factories import (
    NOW,
    adjust,
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
    returned,
    spendable,
    tender,
    wallet_of,
)
from tests.loyalty.ledger.racing import at_once

pytestmark = pytest.mark.usefixtures("coherent_ledger")
in_parallel = pytest.mark.django_db(transaction=True)
MONTH = {"kind": "months", "length": 1, "last_day": "start_of_day"}


def wallet(number: str = "c1") -> Wallet:
    return wallet_of(Membership.objects.get(customer__external_id=number).account_id)


def redeem(
    units: int, key: str = "k1", *, buyer: str = "c1", now: dt.datetime = NOW, **how: object
) -> Transfer:
    return redeem_units(
        wallet=wallet(buyer), units=units, key=key, source="api", actor=SYSTEM, now=now, **how
    )[0]


def change_rules(at: dt.datetime, *rules: dict[str, object]) -> None:
    apply_definition(define(earning_rules=list(rules)), actor=SYSTEM, now=at)


def paid_with_units(number: str, total: str, at: dt.datetime = NOW, **details: object):
    return order(number, total, at=at, tenders=(tender("units", total),), **details)


def lots() -> dict[str, tuple[int, dt.datetime | None]]:
    """What is left of what each order earned, and when it is gone."""
    return {
        lot.transfer.order.external_id: (lot.remaining, lot.expires_at)
        for lot in Lot.objects.select_related("transfer__order")
    }


def explained(**which: object) -> Explanation:
    return explain_transfer(transfers().get(**which))


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


# --- 6: retries, replays and late tills --------------------------------------------------------


@in_parallel
def test_the_same_message_from_many_at_once_counts_once():
    """Pain 6: a retry overtakes the first try, and the points double."""
    make_program()
    at_once(lambda _number: record(order("A", "100")))
    at_once(lambda _number: redeem(30, "till-7-receipt-11"))
    at_once(lambda _number: give_back(refund("R1", "20", of="A")))
    assert sorted(moves()) == [("accrual", 100), ("clawback", -20), ("redemption", -30)]


def test_a_till_that_sends_its_day_again_adds_only_what_is_new(program):
    """Pain 6: a till that was offline sends all its receipts again, in another order."""
    sold = [order(f"A{number}", "10", at=day(number)) for number in range(4)]
    record(*sold[:3], now=day(9))
    record(*reversed(sold), now=day(10))
    for found in sold:
        record(found, now=day(11))
    assert (spendable(at=day(11)), moves()) == (40, [("accrual", 10)] * 4)


def test_a_key_is_for_one_effect(program):
    """Pain 6: two effects under one key, and one of them is lost without a word."""
    record(order(total="100"))
    assert redeem(30) == redeem(30)
    with pytest.raises(KeyReusedError), transaction.atomic():
        redeem(40)
    assert spendable() == 70


# --- 7 and 8: states that flip -----------------------------------------------------------------


@pytest.mark.parametrize("waits_for", ["placed", "completed"])
def test_an_order_whose_state_flips_is_awarded_once(db, waits_for):
    """Pain 7: processing, completed, processing, completed: awarded twice."""
    make_program(unit={"pending_from": waits_for})
    for number, status in enumerate(("placed", "completed", "placed", "completed")):
        record(order(status=status), now=day(number))
    assert moves() == [("accrual", 10)]
    assert (held(at=day(4)).spendable, held(at=day(4)).pending) == (10, 0)


@pytest.mark.parametrize("void", ["cancelled", "refunded"])
def test_an_order_called_off_by_mistake_and_completed_has_earned(program, void):
    """Pain 8: it was taken back once, so it is never awarded again."""
    for status in ("paid", void, "completed", void, "completed"):
        record(order(status=status))
    assert (held().spendable, held().owed) == (10, 0)


# --- 9 to 11: many at once ---------------------------------------------------------------------


@in_parallel
def test_five_checkouts_at_once_use_what_there_is_for_three_three_times():
    """Pain 9: a voucher for three is used five times, because each checkout counts before the
    others have written. Here: a budget that lasts for three."""
    program = make_program(earning_rules=[{"caps": {"per_order": 100, "budget": 300}}])
    for number in range(5):
        make_wallet(program, f"c{number}")
    at_once(lambda number: record(order(f"A{number}", "100", buyer=f"c{number}")), threads=5)
    assert sorted(spendable(f"c{number}") for number in range(5)) == [0, 0, 100, 100, 100]


@in_parallel
def test_a_checkout_that_lost_gives_back_nothing_of_the_winners():
    """Pain 10: two checkouts pay with the same points; the one that fails is called off, and that
    refunds what the other one had paid."""
    make_program()
    record(order("A", "100"))
    record(paid_with_units("B0", "100"), paid_with_units("B1", "100"))
    orders = [Order.objects.get(external_id=f"B{number}") for number in range(2)]

    def pay(number: int) -> bool:
        try:
            redeem(100, f"pay-{number}", order=orders[number])
        except InsufficientBalanceError:
            return False
        return True

    paid = at_once(pay, threads=2)
    assert sorted(paid) == [False, True]
    lost = f"B{paid.index(False)}"
    for _again in range(2):
        record(paid_with_units(lost, "100", status="cancelled"))
    assert (spendable(), moves()) == (0, [("accrual", 100), ("redemption", -100)])


@in_parallel
def test_a_checkout_that_is_sent_many_times_pays_once_and_is_refunded_once():
    """Pain 10: each repetition of a checkout consumes again, or gives back again."""
    make_program()
    record(order("A", "300"))
    record(paid_with_units("B", "100"))
    bought = Order.objects.get(external_id="B")
    at_once(lambda _number: redeem(100, "checkout-B", order=bought))
    assert spendable() == 200
    at_once(lambda _number: record(paid_with_units("B", "100", status="cancelled")))
    assert spendable() == 300


@in_parallel
def test_what_staff_deduct_during_a_checkout_is_not_spent():
    """Pain 11: the checkout looked at the balance before the deduction, and spends what is gone."""
    make_program()
    record(order("A", "100"))
    deducted, may_commit = threading.Event(), threading.Event()

    def deduct() -> None:
        with transaction.atomic():
            adjust(wallet(), -60, "deduction")
            deducted.set()
            assert may_commit.wait(10)

    def check_out() -> int:
        assert deducted.wait(10)
        assert spendable() == 100  # What is shown while the deduction is not committed.
        threading.Timer(0.3, may_commit.set).start()
        with pytest.raises(InsufficientBalanceError) as refused:
            redeem(100)
        return refused.value.spendable

    def in_a_thread(work):
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(in_a_thread, (deduct, check_out)))
    assert (results, spendable()) == ([None, 40], 40)


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


# --- 17: two cards -----------------------------------------------------------------------------


def test_two_records_of_one_person_become_one_wallet_that_both_cards_lead_to(program):
    """Pain 17: after a merge there are two cards, and one of them buys nothing."""
    record(order("A", "100", buyer="c1"), order("B", "40", buyer="c2"))
    kept, merged = (Customer.objects.get(external_id=number) for number in ("c1", "c2"))
    card = Membership.objects.get(customer=merged).card_number
    merge_customers(kept=kept, merged=merged, actor=SYSTEM, source="backoffice", now=NOW)
    assert [hit.customer.pk for hit in search_customers(card)] == [kept.pk]
    record(order("C", "5", buyer="c2"))
    redeem(145)
    assert Wallet.objects.filter(merged_into=None).count() == 1
    history = history_of(Membership.objects.filter(customer=kept))
    assert {found.order.external_id for found in history if found.order} == {"A", "B", "C"}
    give_back(refund("R1", "40", of="B"))
    assert (held().balance, held().owed) == (0, 40)


# --- 18: stored value --------------------------------------------------------------------------


def gift_card(number: int, amount: str):
    return line(number, amount, stored_value=True)


def test_a_gift_card_that_is_bought_earns_nothing_and_what_it_buys_earns_once(program):
    """Pain 18: points for the card, and again for what it buys; credit that pays for itself."""
    record(order("A", "50", lines=(gift_card(1, "50"),)))
    assert spendable() == 0
    record(order("B", "50", tenders=(tender("stored_value", "50"),)))
    assert spendable() == 50
    record(order("C", "50", lines=(gift_card(1, "50"),), tenders=(tender("stored_value", "50"),)))
    assert spendable() == 50


@pytest.mark.parametrize("goods", ["50", "20"])
def test_a_discount_on_the_order_is_one_on_its_goods_and_not_on_its_gift_cards(program, goods):
    """Pain 18: money is discounted, so the goods beside it earn more than was paid for them."""
    bought = (line(1, goods), gift_card(2, "50"))
    total = str(int(goods) + 40)
    record(order("A", total, lines=bought, discount_total=Decimal(10)))
    assert spendable() == int(goods) - 10
    back = returned(1, str(int(goods) - 10), order_line_no=1)
    give_back(refund("R1", str(int(goods) - 10), of="A", lines=(back,)))
    assert (held().balance, held().owed) == (0, 0)


# --- 19: another expiry ------------------------------------------------------------------------


def test_another_expiry_is_for_what_is_earned_from_then_on(program):
    """Pain 19: the shop shortens the life of points, and those earned before vanish overnight."""
    record(order("A", "10"))
    apply_definition(define(unit={"expiry": MONTH}), actor=SYSTEM, now=day(1))
    record(order("B", "5", at=day(2)))
    # What comes late of an order keeps that order's terms.
    record(order("A", "12"), now=day(3))
    assert (spendable(at=day(3)), spendable(at=day(60))) == (17, 12)


def test_new_terms_for_points_that_exist_are_looked_at_and_then_given(program):
    """Pain 19: if it must be, nobody knows beforehand who loses what."""
    record(order("A", "10"), order("B", "20", at=day(30), buyer="c2"), now=day(30))
    apply_definition(define(unit={"expiry": MONTH}), actor=SYSTEM, now=day(35))
    effect = preview_policy_change(WalletType.objects.select_related("program").get(), day(40))
    assert (effect.lost.members, effect.lost.units) == (1, 10)
    assert (effect.shorter.members, effect.shorter.units) == (1, 20)
    assert spendable(at=day(40)) == 10
    apply_policy_change(WalletType.objects.get(), after=0, actor_id=None, note="", now=day(40))
    assert (spendable(at=day(40)), spendable("c2", day(40))) == (0, 20)


# --- 20: status and spending -------------------------------------------------------------------


def both_units() -> Program:
    """Points to spend, and status points that measure; a bonus for 100 spent in a year."""
    units = [{"code": "points"}, {"code": "status", "singular": "status point",
                                  "plural": "status points"}]  # fmt: skip
    rules = [
        {},
        {"code": "measure", "wallet_type": "status"},
        {"code": "yearly", "kind": "threshold_bonus", "reach": 100, "window": "year", "units": 7},
    ]
    return make_program(wallet_types=units, earning_rules=rules)


def balances() -> Sequence[int]:
    found = Wallet.objects.filter(account__membership__customer__external_id="c1")
    return list(found.order_by("wallet_type__code").values_list("balance", flat=True))


def test_what_measures_status_is_held_apart_from_what_is_spent(db):
    """Pain 20: status follows the balance, so whoever redeems drops. Here: a measure of its own,
    which a redemption leaves alone and a refund corrects."""
    both_units()
    record(order("A", "60"))
    redeem(60)
    assert balances() == [0, 60]
    record(order("B", "60"))
    assert balances() == [60 + 7, 120]
    give_back(refund("R1", "60", of="B"))
    assert balances() == [0, 60]


def test_what_an_order_is_judged_by_was_in_force_before_it(db):
    """Pain 20: the first purchase is priced by what it itself brings about. Here: the rule and the
    membership in force when it was placed, however late it is told."""
    program = make_program(enrollment="explicit")
    customer = Customer.objects.create(external_id="c1")
    enroll_customer(customer=customer, program=program, source="staff", at=NOW, actor=SYSTEM)
    apply_definition(
        define(enrollment="explicit", earning_rules=[{"units": 2}]), actor=SYSTEM, now=day(5)
    )
    record(order("B", "10", at=day(6)), order("A", "10", at=day(4)), now=day(7))
    assert dict(Transfer.objects.values_list("order__external_id", "amount")) == {"A": 10, "B": 20}


# --- 21: points that vanish without a word ------------------------------------------------------
# That an expiry is announced: tests/campaigns/services/test_told_expiry.py.


def test_everything_that_takes_points_says_what_it_was_and_why(db):
    """Pain 21: points are gone, and neither the member nor the agent can say why."""
    make_program(unit={"expiry": MONTH, "gifts": {"to_members": True}})
    make_wallet(Program.objects.get(), "c2")
    record(order("A", "100"))
    redeem(80, "k1")
    give_back(refund("R1", "90", of="A", at=day(1)))
    record(order("B", "200", at=day(2)))
    friend = Membership.objects.select_related("customer").get(customer__external_id="c2")
    give_units(
        wallet=wallet(), to=friend, units=20, message="", key="k2", source="api", actor=SYSTEM,
        now=day(3),
    )  # fmt: skip
    adjust(wallet(), -10, "k3", now=day(4), note="Counted twice")
    write_down_expired(day(60))
    mine = transfers().filter(wallet=wallet())
    gone = [found for found in mine if found.signed_amount < 0]
    told = {found.kind: explain_transfer(found) for found in gone}
    assert {kind: (found.title, *found.steps[-2:]) for kind, found in told.items()} == {
        "redemption": ("Redeemed",),
        "clawback": (
            "Refund of order A", "It now earns: 10\xa0points.",
            "Already spent, so settled by what is earned next: 70\xa0points.",
        ),
        "gift": ("Gift to another member",),
        "adjustment": ("Taken off by our team", "Reason: Goodwill."),
        "expiry": (
            "Expired", "Earned with order B: Mar 17, 2024.", "Usable until: Apr 16, 2024.",
        ),
    }  # fmt: skip


def test_whoever_got_points_as_a_gift_reads_nothing_of_the_order_behind_them(db):
    """Pain 21, kept within bounds: what expired was earned by somebody else."""
    make_program(unit={"expiry": MONTH, "gifts": {"to_members": True}})
    make_wallet(Program.objects.get(), "c2")
    record(order("A", "100"))
    friend = Membership.objects.select_related("customer").get(customer__external_id="c2")
    give_units(
        wallet=wallet(), to=friend, units=20, message="", key="k2", source="api", actor=SYSTEM,
        now=day(3),
    )  # fmt: skip
    write_down_expired(day(60))
    gone = explained(kind="expiry", wallet=wallet("c2"))
    assert gone.steps == ("Earned: Mar 15, 2024.", "Usable until: Apr 14, 2024.")
