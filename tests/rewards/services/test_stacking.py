"""What goes together in one cart, in which order, and how a quote tells it."""

import pytest

from rewards.errors import VoucherRefusedError
from rewards.models import CheckoutReward, Redemption
from rewards.services.checkout_quotes import quote_cart
from tests.loyalty.factories import NOW
from tests.rewards.factories import make_member, offer, take, voucher_of
from tests.rewards.services.carts import basket, cart, commit, reserve, shopper
from tests.sharing import of_each_test

pytestmark = pytest.mark.django_db


_made_once, member = of_each_test(shopper)


def five(member, code="five", **how):
    return offer(member.program, code, **{"combines": True, "name": code} | how)


def half(member, code="half", **how):
    how = {"combines": True, "name": code, "kind": "percent_off", "percent": 50} | how
    return offer(member.program, code, **how)


@pytest.mark.parametrize(("turn", "total"), [(100, 5), (50, 5), (150, "7.5")])
def test_those_with_a_smaller_turn_take_their_part_off_first(member, turn, total):
    from decimal import Decimal

    voucher = voucher_of(take(member, half(member, applies=turn), at=NOW))
    found = reserve(cart(member, vouchers=[voucher], rewards=[five(member)]))
    assert found.total == Decimal(total)
    commit(found)
    assert set(Redemption.objects.values_list("status", flat=True)) == {"used"}


def test_rewards_of_one_turn_go_in_the_order_of_the_cart(member):
    one, other = five(member), half(member)
    assert reserve(cart(member, "A", rewards=[one, other])).total == 7.5
    assert reserve(cart(member, "B", rewards=[other, one])).total == 5
    amounts = CheckoutReward.objects.filter(checkout__cart="B").order_by("pk")
    assert [item.amount for item in amounts] == [10, 5]


@pytest.mark.parametrize(
    ("groups", "code"),
    [(("off", "off"), "voucher_same_group"), (("off", "more"), ""), (("", ""), "")],
)
def test_of_one_group_a_cart_has_one(member, groups, code):
    rewards = [five(member, f"r{n}", stacking_group=group) for n, group in enumerate(groups)]
    if not code:
        assert reserve(cart(member, rewards=rewards)).total == 10
        return
    with pytest.raises(VoucherRefusedError) as error:
        reserve(cart(member, rewards=rewards))
    assert error.value.code == code
    assert "“r0”" in str(error.value.message)


def test_a_voucher_keeps_the_group_and_turn_that_it_was_given_out_with(member):
    voucher = voucher_of(take(member, five(member, stacking_group="off", applies=7), at=NOW))
    assert (voucher.terms["group"], voucher.terms["applies"]) == ("off", 7)
    old = voucher_of(take(member, half(member), "k2", at=NOW))
    old.terms = {name: value for name, value in old.terms.items()
                 if name not in ("group", "applies")}  # fmt: skip
    assert reserve(cart(member, vouchers=[voucher, old])).total == 7.5


def look(member, **chosen):
    return quote_cart(basket("20"), member, now=NOW, **chosen).together


def test_a_quote_tells_the_order_and_what_each_takes_off(member):
    voucher = voucher_of(take(member, half(member, applies=200), at=NOW))
    found = look(member, vouchers=[voucher], rewards=[five(member)])
    assert [(step.part.terms["name"], step.amount) for step in found.steps] == [
        ("five", 5), ("half", 7.5),
    ]  # fmt: skip
    assert (found.conflict, found.total) == (None, 7.5)


def test_a_quote_tells_what_does_not_go_together_and_what_cannot_be_had(member):
    alone, gone = five(member, "alone", combines=False), five(member, "gone", ends_at=NOW)
    found = look(member, rewards=[alone, gone])
    assert found.conflict.code == "voucher_alone"
    assert [[one.code for one in step.refusals] for step in found.steps] == [[], ["over"]]
    assert found.total == 15
    other = make_member(number="c9", program=member.program)
    theirs = voucher_of(take(other, five(member), "k9", at=NOW))
    [step] = look(member, vouchers=[theirs]).steps
    assert ([one.code for one in step.refusals], step.amount) == (["voucher_of_another"], 0)


def test_a_quote_without_a_choice_tells_nothing_of_it(member):
    assert look(member) is None
