"""Codes of promotions in carts: what a cart keeps, and the order that takes it over."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from campaigns.models import PromoCode, PromoCodeUse
from loyalty.models import Membership, Order, Program
from loyalty.selectors.code_answers import code_answers_of
from rewards.errors import CheckoutRefusedError
from tests.campaigns.promo_codes import HOUR, STUDENTS, by_word, member, said_of
from tests.loyalty.factories import (
    NOW,
    make_program,
    make_wallet,
    order,
    record,
    spendable,
)
from tests.rewards.services.carts import cancel, cart, commit, reserve
from tests.rewards.services.racing import in_the_way_of
from tests.sharing import anew, shared

pytestmark = pytest.mark.usefixtures("coherent_ledger")
State = PromoCodeUse.State


made_once = shared(lambda: make_program(time_zone="Europe/Athens"))


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


def with_code(of: Membership, name: str, total: str = "100") -> Any:
    return cart(of, name, total=total, coupons=("STUDENT10",))


@pytest.mark.django_db(transaction=True)
def test_an_order_that_takes_over_what_its_cart_kept_has_used_it_whoever_tidies_up(program):
    """Another cart lets go what has run out, in the moment in which the order comes."""
    make_wallet(program)
    make_wallet(program, "c2")
    by_word(program, "percent-off", offer={"percent": 20})
    reserve(with_code(member(), "one"))
    other, later = with_code(member("c2"), "two"), NOW + HOUR
    in_the_way_of(
        lambda: reserve(other, at=later),
        lambda: record(order("A", "100", coupons=("STUDENT10",)), now=later),
        lambda: None,
    )
    uses = PromoCodeUse.objects.order_by("pk").values_list("holder", "state")
    assert list(uses) == [("order:shop/A", "used"), ("cart:shop/two", "held")]
    assert said_of("STUDENT10") == "used_by_member"


def test_a_cart_keeps_the_code_and_its_order_uses_it(program):
    make_wallet(program)
    by_word(program, "percent-off", offer={"percent": 20}, codes={"most_uses": 1})
    made = with_code(member(), "one")
    found = reserve(made)
    assert (found.discount, found.codes["codes"][0][3]) == (Decimal(20), "")
    assert PromoCodeUse.objects.get().state == State.HELD
    make_wallet(program, "c2")
    assert said_of("STUDENT10", buyer="c2") == "used_up"
    commit(found, number="A")
    use = PromoCodeUse.objects.get()
    assert (use.state, use.holder) == (State.USED, "order:shop/A")
    record(order("A", "80", coupons=("STUDENT10",)))
    assert code_answers_of(Order.objects.get().pk)[0].counts
    assert PromoCode.objects.get().uses_taken == 1


def test_an_order_that_comes_before_its_cart_is_paid_takes_the_kept_use_over(program):
    make_wallet(program)
    by_word(program, codes={"most_uses": 1})
    found = reserve(with_code(member(), "one"))
    record(order("A", "100", coupons=("STUDENT10",)))
    commit(found, number="A")
    use = PromoCodeUse.objects.get()
    assert (use.state, use.holder) == (State.USED, "order:shop/A")
    assert spendable() == 200


def test_a_cart_that_is_given_up_gives_the_code_back(program):
    make_wallet(program)
    by_word(program, codes={"most_uses": 1})
    cancel(reserve(with_code(member(), "one")))
    assert PromoCode.objects.get().uses_taken == 0
    assert reserve(with_code(member(), "two")).codes["codes"][0][3] == ""


def test_another_cart_of_the_member_cannot_keep_it_too(program):
    make_wallet(program)
    by_word(program)
    reserve(with_code(member(), "one"))
    with pytest.raises(CheckoutRefusedError) as refused:
        reserve(with_code(member(), "two"))
    assert refused.value.code == "code_used_by_member"


def test_the_same_cart_again_keeps_it_once(program):
    make_wallet(program)
    by_word(program, codes={"most_uses": 1})
    reserve(with_code(member(), "one"))
    reserve(with_code(member(), "one", total="30"))
    assert PromoCode.objects.get().uses_taken == 1


def test_a_cart_is_priced_without_a_code_that_does_not_count(program):
    make_wallet(program)
    by_word(program, "percent-off", audience=STUDENTS)
    found = reserve(with_code(member(), "one"))
    assert (found.discount, found.codes["codes"][0][3]) == (Decimal(0), "not_for_you")
