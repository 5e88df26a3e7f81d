"""Carts: what they keep, what they come to, and what of it is refused."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from loyalty.errors import (
    InsufficientBalanceError,
    SpendingRefusedError,
)
from loyalty.ledger.checks import RULES, check_rule
from loyalty.models import DiscountEntry
from loyalty.selectors.discount_journal import read_discount_journal
from members.errors import ConflictError
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details
from rewards.errors import (
    CheckoutRefusedError,
    RewardRefusedError,
    VoucherRefusedError,
)
from rewards.models import Checkout, Redemption, VoucherUse
from rewards.services.shared_codes import create_shared_code
from tests.loyalty.factories import (
    NOW,
    moves,
    order,
    spendable,
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


def test_the_database_lets_units_pay_no_more_than_the_total() -> None:
    found = reserve(cart(shopper(), units=500))
    with pytest.raises(IntegrityError), transaction.atomic():
        Checkout.objects.filter(pk=found.pk).update(paid_units=21)


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


def test_nothing_is_kept_for_who_was_erased_and_what_was_kept_is_answered_and_used():
    member = shopper()
    held, given_up = reserve(cart(member, units=100)), reserve(cart(member, "C2", units=50))
    Customer.objects.filter(pk=member.customer_id).update(given_name="Ana")
    erase_customer_details(customer=member.customer, actor=SYSTEM)
    for asked in (cart(member, "C3", units=5), cart(member, "C3"), cart(member, units=200)):
        with pytest.raises(ConflictError, match="erased meanwhile") as error:
            reserve(asked)
        assert error.value.code == "customer_erased"
    assert (Checkout.objects.count(), spendable()) == (2, 850)
    assert reserve(cart(member, units=100)) == held
    assert commit(held).status == "committed"
    assert cancel(given_up).status == "cancelled"
    assert spendable() == 900
