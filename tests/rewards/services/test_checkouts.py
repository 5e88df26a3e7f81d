"""Carts: what they keep, what they come to, and what becomes of it."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from loyalty.errors import (
    InsufficientBalanceError,
    NotReversibleError,
    OrderConflictError,
    SpendingRefusedError,
)
from loyalty.ledger.checks import RULES, check_rule
from loyalty.models import DiscountEntry, Order, Tender, Transfer, UnitTender
from loyalty.selectors.discount_journal import read_discount_journal
from loyalty.services.redemptions import reverse_redemption
from members.services.audit import SYSTEM
from members.services.outbox import deliver_waiting
from rewards.errors import (
    CheckoutRefusedError,
    CheckoutStateError,
    RewardRefusedError,
    VoucherRefusedError,
)
from rewards.models import Checkout, Redemption, Reward, Voucher, VoucherUse
from rewards.services.shared_codes import create_shared_code
from rewards.services.timeouts import end_timeouts
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    moves,
    order,
    record,
    refund,
    spendable,
    tender,
)
from tests.rewards.factories import offer, take, voucher_of
from tests.rewards.services.carts import (
    basket,
    cancel,
    cart,
    commit,
    money,
    reserve,
    shopper,
)

pytestmark = pytest.mark.usefixtures("coherent_ledger")
LATER = NOW + dt.timedelta(minutes=31)
SOON = NOW + dt.timedelta(minutes=5)


def test_a_cart_keeps_units_and_says_what_is_left_to_pay() -> None:
    member = shopper()
    found = reserve(cart(member, units=500))
    assert money(found) == {
        "goods": 20, "discount": 0, "voucher_discount": 0, "total": 20, "paid_units": 5,
        "to_pay": 15,
    }  # fmt: skip
    assert spendable() == 500
    assert moves()[-1] == ("redemption", -500)


def test_the_same_cart_again_is_answered_as_before() -> None:
    member = shopper()
    first = reserve(cart(member, units=500))
    again = reserve(cart(member, units=500, at=SOON), at=SOON)
    assert (again.pk, again.round, again.reserved_until) == (first.pk, 1, first.reserved_until)
    assert spendable() == 500


def test_a_cart_that_changed_is_kept_anew_and_its_units_are_there_for_it() -> None:
    member = shopper(500)
    reserve(cart(member, units=500))
    found = reserve(cart(member, total="30", units=400), at=SOON)
    assert (found.round, found.total, found.paid_units) == (2, 30, 4)
    assert spendable(at=SOON) == 100
    assert Checkout.objects.get().units.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_change_that_cannot_be_kept_leaves_the_cart_as_it_was() -> None:
    member = shopper(500)
    reserve(cart(member, units=300))
    with pytest.raises(InsufficientBalanceError):
        reserve(cart(member, units=600), at=SOON)
    assert spendable() == 200
    assert commit(Checkout.objects.get(), at=SOON).paid_units == 3


def test_vouchers_and_rewards_take_off_one_after_the_other() -> None:
    member = shopper()
    half = offer(member.program, "half", kind="percent_off", percent=50, combines=True)
    five = offer(member.program, "five", amount=5, combines=True)
    voucher = voucher_of(take(member, half, at=NOW))
    found = reserve(cart(member, vouchers=[voucher], rewards=[five], units=100))
    assert money(found) == {
        "goods": 20, "discount": 0, "voucher_discount": 15, "total": 5, "paid_units": 1,
        "to_pay": 4,
    }  # fmt: skip
    assert found.lines == [{"line_no": 1, "total": "5", "discount": "15", "tax": "0"}]
    assert spendable() == 1000 - 100 - 100 - 100
    assert VoucherUse.objects.get().state == "held"
    assert Redemption.objects.get(reward=five).status == "reserved"


def test_the_tax_of_a_cart_falls_with_its_price_and_not_by_what_units_pay() -> None:
    member = shopper()
    half = offer(member.program, "half", kind="percent_off", percent=50)
    taxed = basket("24", tax_total=Decimal(4))
    found = reserve(cart(member, order=taxed, rewards=[half], units=100))
    assert (found.total, found.tax, found.to_pay) == (12, 2, 11)


def test_free_shipping_takes_shipping_off() -> None:
    member = shopper()
    free = offer(member.program, "ship", kind="free_shipping")
    goods = order("cart", "24.90", buyer=None, shipping_total=Decimal("4.90"),
                  lines=(basket("20").lines))  # fmt: skip
    found = reserve(cart(member, order=goods, rewards=[free]))
    assert (found.voucher_discount, found.total) == (Decimal("4.90"), 20)


def test_the_program_s_own_discounts_come_first() -> None:
    rule = {
        "code": "ten", "name": "Ten", "kind": "discount", "percent": 10,
    }  # fmt: skip
    member = shopper(discount_rules=[rule])
    five = offer(member.program)
    found = reserve(cart(member, rewards=[five]))
    assert (found.discount, found.voucher_discount, found.total) == (2, 5, 13)


def test_vouchers_that_stand_alone_are_refused_together() -> None:
    member = shopper()
    alone = offer(member.program, "alone")
    other = offer(member.program, "other", combines=True)
    with pytest.raises(VoucherRefusedError) as refused, transaction.atomic():
        reserve(cart(member, rewards=[alone, other]))
    assert refused.value.code == "voucher_alone"
    assert spendable() == 1000


@pytest.mark.parametrize(
    ("wanted", "error", "code"),
    [
        ({"units": 2100}, CheckoutRefusedError, "above_total"),
        ({"total": "0.50", "units": 100}, CheckoutRefusedError, "above_total"),
        ({"currency": "EUR"}, CheckoutRefusedError, "other_currency"),
    ],
)
def test_a_cart_that_cannot_be_is_refused(wanted, error, code) -> None:
    member = shopper(3000)
    with pytest.raises(error) as refused, transaction.atomic():
        reserve(cart(member, **wanted))
    assert refused.value.code == code
    assert not Checkout.objects.exists()


def test_the_share_of_an_order_is_of_what_is_left_of_the_cart() -> None:
    member = shopper(unit={"spending": {"share": 50}})
    five = offer(member.program)
    with pytest.raises(SpendingRefusedError), transaction.atomic():
        reserve(cart(member, rewards=[five], units=800))
    assert reserve(cart(member, rewards=[five], units=750)).to_pay == Decimal("7.5")


def test_a_reward_that_takes_nothing_off_is_refused_and_nothing_is_kept() -> None:
    member = shopper()
    big = offer(member.program, "big", least="50")
    with pytest.raises(CheckoutRefusedError) as refused, transaction.atomic():
        reserve(cart(member, rewards=[big], units=100))
    assert refused.value.code == "reward_not_applicable"
    assert spendable() == 1000


@pytest.mark.django_db(transaction=True)
def test_one_thing_that_is_refused_keeps_none_of_the_others() -> None:
    member = shopper()
    gone = offer(member.program, "gone", kind="access", stock=1)
    take(member, gone, at=NOW)
    voucher = voucher_of(take(member, offer(member.program), "k2", at=NOW))
    with pytest.raises(RewardRefusedError):
        reserve(cart(member, vouchers=[voucher], rewards=[gone], units=100))
    assert spendable() == 800
    assert not VoucherUse.objects.exists()


def test_paid_it_uses_what_it_kept_once() -> None:
    member = shopper()
    five = offer(member.program, "five", combines=True)
    tour = offer(member.program, "tour", kind="access", stock=2)
    voucher = voucher_of(take(member, five, at=NOW))
    found = reserve(cart(member, vouchers=[voucher], rewards=[tour], units=300))
    for _time in range(2):
        assert commit(found, at=SOON).status == "committed"
    voucher.refresh_from_db()
    assert voucher.status == "used"
    assert voucher.uses.get().discount == 5
    assert Redemption.objects.get(reward=tour).status == "issued"
    assert spendable(at=SOON) == 1000 - 100 - 100 - 300
    row = UnitTender.objects.get()
    assert (row.order_external_id, row.order, row.amount) == ("A1", None, 3)


def test_the_order_that_comes_later_finds_what_its_cart_paid() -> None:
    member = shopper()
    commit(reserve(cart(member, units=500)))
    record(order("A1", "20", at=SOON), now=SOON)
    assert {item.kind: item.amount for item in Tender.objects.all()} == {"units": 5, "money": 15}
    assert UnitTender.objects.get().order == Order.objects.get()
    assert moves()[-1] == ("accrual", 15)
    record(order("A1", "20", at=SOON), now=LATER)
    record(order("A1", "20", at=SOON, status="paid"), now=LATER)
    assert spendable(at=LATER) == 1000 - 500 + 15


def test_an_order_that_costs_less_than_its_cart_paid_is_refused_whichever_comes_first() -> None:
    member = shopper()
    commit(reserve(cart(member, units=500)))
    with pytest.raises(OrderConflictError) as error:
        record(order("A1", "4", at=SOON), now=SOON)
    assert [wrong.code for wrong in error.value.errors] == ["below_paid"]
    record(order("A2", "4"))
    with pytest.raises(OrderConflictError):
        commit(reserve(cart(member, "C2", units=450)), "A2")
    record(order("A1", "5", at=SOON), now=SOON)
    paid = Tender.objects.filter(order__external_id="A1")
    assert {item.kind: item.amount for item in paid} == {"units": 5}


def test_an_order_taken_up_again_is_not_paid_by_what_came_back() -> None:
    member = shopper()
    commit(reserve(cart(member, units=500)))
    sold = order("A1", "20", at=SOON)
    record(sold, now=SOON)
    record(replace(sold, status="cancelled"), now=LATER)
    assert spendable(at=LATER) == 1000
    record(replace(sold, status="completed", sequence=9), now=LATER)
    assert "units" not in {item.kind for item in Tender.objects.all()}
    assert spendable(at=LATER) == 1020


def test_a_message_that_tells_of_the_units_is_the_same() -> None:
    member = shopper()
    commit(reserve(cart(member, units=500)))
    record(order("A1", "20", tenders=(tender("units", "5"), tender("money", "15"))))
    assert spendable() == 1000 - 500 + 15


def test_an_order_that_came_before_is_judged_by_what_its_cart_paid() -> None:
    member = shopper()
    found = reserve(cart(member, units=500))
    record(order("A1", "20", status="placed"))
    assert moves()[-1] == ("accrual", 20)
    commit(found, at=SOON)
    assert {item.kind: item.amount for item in Tender.objects.all()} == {"units": 5, "money": 15}
    assert moves()[-1] == ("clawback", -5)


def test_an_order_of_somebody_else_does_not_find_it() -> None:
    member = shopper()
    commit(reserve(cart(member, units=500)))
    record(order("A1", "20", buyer="c2"))
    assert UnitTender.objects.get().order is None
    assert not Tender.objects.exists()


def test_a_cart_does_not_become_somebody_else_s_order() -> None:
    found = reserve(cart(shopper(), units=500))
    record(order("A1", "20", buyer="c2"))
    with pytest.raises(OrderConflictError), transaction.atomic():
        commit(found)
    assert Checkout.objects.get().status == "reserved"


def test_what_the_order_was_paid_with_comes_back_as_it_does() -> None:
    member = shopper()
    commit(reserve(cart(member, units=500)))
    record(order("A1", "20", at=SOON), now=SOON)
    give_back(refund("R1", "10", of="A1", at=day(1)))
    assert spendable(at=day(1)) == 1000 - 250 + 8 - 1
    give_back(refund("R2", "10", of="A1", at=day(2)))
    assert spendable(at=day(2)) == 1000


def test_two_carts_do_not_become_one_order() -> None:
    member = shopper()
    commit(reserve(cart(member, "C1", units=100)))
    other = reserve(cart(member, "C2", units=100))
    with pytest.raises(OrderConflictError), transaction.atomic():
        commit(other)
    with pytest.raises(OrderConflictError), transaction.atomic():
        commit(Checkout.objects.get(cart="C1"), "A2")


def test_after_its_time_it_cannot_be_paid_and_nothing_is_half_done() -> None:
    member = shopper()
    tour = offer(member.program, "tour", kind="access", stock=2)
    found = reserve(cart(member, rewards=[tour], units=500))
    with pytest.raises(CheckoutStateError) as refused, transaction.atomic():
        commit(found, at=LATER)
    assert refused.value.code == "checkout_expired"
    assert Redemption.objects.get().status == "reserved"
    assert not UnitTender.objects.exists()


def test_what_nobody_paid_for_comes_back_by_itself() -> None:
    member = shopper()
    tour = offer(member.program, "tour", kind="access", stock=2)
    voucher = voucher_of(take(member, offer(member.program, combines=True), at=NOW))
    reserve(cart(member, vouchers=[voucher], rewards=[tour], units=500))
    assert end_timeouts(LATER) == 1
    assert end_timeouts(LATER) == 0
    assert spendable(at=LATER) == 900
    assert Reward.objects.get(code="tour").taken == 0
    assert (Checkout.objects.get().status, VoucherUse.objects.get().state) == (
        "expired", "released",
    )  # fmt: skip
    again = reserve(cart(member, vouchers=[voucher], rewards=[tour], units=500), at=LATER)
    assert (again.status, again.round) == ("reserved", 2)
    assert commit(again, at=LATER).status == "committed"


def test_given_up_it_gives_all_back_once() -> None:
    member = shopper()
    five = offer(member.program)
    found = reserve(cart(member, rewards=[five], units=500))
    for _time in range(2):
        assert cancel(found, at=SOON).status == "cancelled"
    assert spendable(at=SOON) == 1000
    with pytest.raises(CheckoutStateError) as refused, transaction.atomic():
        commit(found, at=SOON)
    assert refused.value.code == "checkout_cancelled"


def test_a_paid_cart_whose_order_never_came_can_be_given_up() -> None:
    member = shopper()
    five = offer(member.program)
    found = reserve(cart(member, rewards=[five], units=500))
    commit(found)
    assert cancel(found, at=SOON).status == "cancelled"
    assert spendable(at=SOON) == 1000
    assert Voucher.objects.get().status == "void"
    record(order("A1", "20", at=SOON), now=SOON)
    assert spendable(at=SOON) == 1020


def test_a_paid_cart_whose_order_stands_is_not_given_up() -> None:
    found = reserve(cart(shopper(), units=500))
    commit(found)
    record(order("A1", "20"))
    with pytest.raises(OrderConflictError), transaction.atomic():
        cancel(found, at=SOON)


def test_units_that_a_cart_keeps_do_not_come_back_by_hand() -> None:
    """Pain 11: what was taken away meanwhile is not paid with."""
    reserve(cart(shopper(), units=500))
    spent = Transfer.objects.get(kind="redemption")
    with pytest.raises(NotReversibleError):
        reverse_redemption(transfer=spent, key="b", source="api", actor=SYSTEM, now=NOW)


def test_a_subscription_order_is_paid_with_units_too() -> None:
    member = shopper()
    goods = basket("20", channel="subscription")
    commit(reserve(cart(member, order=goods, rewards=[offer(member.program)], units=500)))
    record(order("A1", "15", channel="subscription"))
    assert spendable() == 1000 - 100 - 500 + 10


def test_the_database_lets_units_pay_no_more_than_the_total() -> None:
    found = reserve(cart(shopper(), units=500))
    with pytest.raises(IntegrityError), transaction.atomic():
        Checkout.objects.filter(pk=found.pk).update(paid_units=21)


@pytest.mark.parametrize("told", [False, True])
def test_a_canceled_order_gives_back_all_that_its_cart_took(told: bool) -> None:
    member = shopper()
    tour = offer(member.program, "tour", kind="access", stock=2)
    voucher = voucher_of(take(member, offer(member.program), at=NOW))
    commit(reserve(cart(member, vouchers=[voucher], rewards=[tour], units=500)))
    if told:
        record(order("A1", "15", at=SOON), now=SOON)
    record(order("A1", "15", at=SOON, status="cancelled"), now=LATER)
    while deliver_waiting():
        pass
    voucher.refresh_from_db()
    assert (spendable(at=day(1)), voucher.status) == (900, "issued")
    assert Reward.objects.get(code="tour").taken == 0
    assert Checkout.objects.get().status == "cancelled"


def told_all() -> None:
    while deliver_waiting():
        pass


def test_a_canceled_order_that_names_no_buyer_gives_back_all_that_its_cart_took() -> None:
    member = shopper()
    tour = offer(member.program, "tour", kind="access", stock=2)
    voucher = voucher_of(take(member, offer(member.program), at=NOW))
    commit(reserve(cart(member, vouchers=[voucher], rewards=[tour], units=500)))
    record(order("A1", "15", at=SOON, buyer=None), now=SOON)
    told_all()
    record(order("A1", "15", at=SOON, buyer=None, status="cancelled"), now=LATER)
    told_all()
    voucher.refresh_from_db()
    assert (spendable(at=day(1)), voucher.status) == (900, "issued")
    assert Reward.objects.get(code="tour").taken == 0
    assert Checkout.objects.get().status == "cancelled"


def test_a_canceled_order_of_somebody_else_gives_back_nothing() -> None:
    member = shopper()
    tour = offer(member.program, "tour", kind="access", stock=2)
    commit(reserve(cart(member, rewards=[tour])))
    record(order("A1", "20", at=SOON, buyer="c9", status="cancelled"), now=SOON)
    told_all()
    assert Checkout.objects.get().status == "committed"


def test_another_cart_pays_for_an_order_that_was_taken_up_again() -> None:
    member = shopper()
    commit(reserve(cart(member, units=500)))
    record(order("A1", "20", at=SOON), now=SOON)
    record(order("A1", "20", at=SOON, status="cancelled"), now=LATER)
    told_all()
    assert spendable(at=day(1)) == 1000
    record(order("A1", "20", at=SOON), now=day(1))
    commit(reserve(cart(member, "C2", units=300, at=day(2)), at=day(2)), at=day(2))
    paid = UnitTender.objects.get()
    assert (paid.amount, paid.transfer.amount) == (3, 300)
    assert Tender.objects.filter(kind="units").values_list("amount", flat=True).get() == 3
    earned = spendable(at=day(3))
    # It pays in the third cart's place no more than once.
    third = reserve(cart(member, "C3", units=100, at=day(3)), at=day(3))
    with pytest.raises(OrderConflictError):
        commit(third, at=day(3))
    assert earned == 700 + 17


def test_what_rewards_and_vouchers_take_off_is_a_cost_in_the_journal() -> None:
    member = shopper()
    five, shared = offer(member.program, combines=True), offer(member.program, "ten", amount="10",
                                                               combines=True)  # fmt: skip
    code = create_shared_code(
        reward=shared, written="", most_uses=9, expires_at=None, actor=SYSTEM, now=NOW
    )
    found = commit(reserve(cart(member, total="40", rewards=[five], vouchers=[code])))
    costs = DiscountEntry.objects.order_by("pk")
    assert list(costs.values_list("kind", "amount")) == [("voucher", 10), ("reward", 5)]
    days = (NOW.date(), NOW.date())
    journal = read_discount_journal(member.program, *days)
    assert {item.account.role: item.closing_worth for item in journal.balances} == {
        "voucher_discounts": 10, "reward_discounts": 5, "discounts": -15,
    }  # fmt: skip
    cancel(found, at=SOON)
    assert read_discount_journal(member.program, *days).cost == 0
    assert not any(check_rule(name, NOW) for name in RULES if "vouchers took off" in name)
