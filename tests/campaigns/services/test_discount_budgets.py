"""Budgets of promotions in money off prices: what quotes and carts are promised."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from campaigns.models import Campaign
from campaigns.selectors.money_budgets import money_budgets
from campaigns.services.campaign_clock import find_changes, move_on
from campaigns.services.campaigns import (
    delete_campaign,
    pause_campaign,
    resume_campaign,
    withdraw_campaign,
)
from loyalty.models import DiscountBudget, Program
from members.services.audit import SYSTEM
from rewards.errors import CheckoutStateError
from rewards.models import Checkout
from rewards.services.checkout_quotes import quote_cart
from rewards.services.checkouts import expire_checkout
from tests.campaigns.campaigns import DAY, draft, launch, member
from tests.campaigns.discount_budgets import (
    LATER,
    cart_of,
    make_club,
    promotion,
    quoted,
    told,
    used,
)
from tests.loyalty.factories import NOW, order, record
from tests.rewards.services.carts import cancel, cart, commit, reserve
from tests.sharing import anew, shared

pytestmark = pytest.mark.usefixtures("coherent_ledger")


made_once = shared(make_club)


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


def test_a_quote_has_the_discount_only_where_all_of_it_is_left(club: Program) -> None:
    promotion(club)
    assert quoted("150").discounted.amount == 15
    assert quoted("150.10").discounted.amount == 0
    record(told())
    assert quoted("50").discounted.amount == 5
    short = quoted("60").discounted
    assert (short.amount, short.discounts[0].steps[-1]) == (0, ("over_budget",))
    assert used() == 10


def test_a_quote_keeps_nothing(club: Program) -> None:
    promotion(club)
    assert [quoted().discounted.amount for _time in range(3)] == [10, 10, 10]
    assert used() == 0


def test_where_it_is_not_enough_another_discount_takes_its_place(club: Program) -> None:
    promotion(club)
    launch(club, "percent-off", name="Always", offer={"percent": 5})
    assert quoted("150").discounted.amount == 15
    assert quoted("200").discounted.amount == 10


def test_a_cart_holds_its_discount_until_it_is_given_up(club: Program) -> None:
    promotion(club)
    first = cart_of()
    assert (first.discount, used()) == (10, 10)
    assert cart_of("c2", "C2").discount == 0
    cancel(first)
    assert used() == 0
    assert cart_of("c2", "C2", "110").discount == 11


def test_a_cart_that_changes_has_its_own_part_for_it(club: Program) -> None:
    promotion(club)
    assert cart_of().discount == 10
    changed = cart_of(total="150")
    assert (changed.discount, changed.round, used()) == (15, 2, 15)
    assert (cart_of(total="200").discount, used()) == (0, 0)


def test_a_cart_at_prices_of_its_own_holds_nothing(club: Program) -> None:
    promotion(club)
    cart_of()
    found = reserve(replace(cart(member(), "C1", "100"), with_discounts=False))
    assert (found.discount, used()) == (0, 0)


def test_what_the_members_own_cart_holds_is_there_for_a_quote_of_it(club: Program) -> None:
    """Who goes back from the checkout to their cart sees the price that it will have again."""
    promotion(club)

    def seen(number: str, **how: Any) -> Decimal:
        facts = order("Q", "100", buyer=number)
        return quote_cart(facts, member(number), now=NOW, **how).quote.discounted.amount

    first = cart_of()
    assert (seen("c1"), seen("c2")) == (10, 0)
    assert (seen("c1", cart=("shop", "C1")), seen("c1", cart=("shop", "C2"))) == (10, 0)
    # Nobody sees more by the name of somebody else's.
    assert seen("c2", cart=("shop", "C1")) == 0
    cancel(first)
    assert seen("c2") == 10


def test_what_others_hold_goes_by_the_clock_and_not_by_what_a_cart_says(club: Program) -> None:
    """A till whose clock is ahead is given no price that it cannot have."""
    promotion(club)
    cart_of()
    asked = replace(cart(member("c2"), "C2", "100"), order=order("C2", "100", at=LATER))
    found = reserve(asked, at=NOW)
    assert (found.discount, used()) == (0, 10)


def test_what_nobody_paid_for_in_time_is_there_for_others_at_once(club: Program) -> None:
    promotion(club)
    first = cart_of()
    second = cart_of("c2", "C2", at=LATER)
    assert (second.discount, used()) == (10, 10)
    with pytest.raises(CheckoutStateError):
        commit(first, at=LATER)
    assert expire_checkout(checkout=first, now=LATER, actor=SYSTEM)
    assert used() == 10
    assert quoted("50", at=LATER).discounted.amount == 5


def test_a_cart_whose_part_went_to_others_cannot_be_paid_any_more(club: Program) -> None:
    """Somebody whose clock is ahead took it, a moment before it was paid."""
    promotion(club)
    first = cart_of()
    cart_of("c2", "C2", at=LATER)
    with pytest.raises(CheckoutStateError) as refused, transaction.atomic():
        commit(first, at=NOW)
    assert refused.value.code == "checkout_expired"
    cancel(Checkout.objects.get(cart="C2"), at=LATER)
    commit(first, at=NOW)
    assert used() == 10


def test_what_carts_hold_does_not_end_it_and_what_orders_have_does(club: Program) -> None:
    campaign = promotion(club, "10", at=NOW)
    found = cart_of()
    assert find_changes(NOW) is None
    commit(found)
    assert find_changes(NOW) is not None
    assert move_on(campaign, NOW).ending == Campaign.Ending.BUDGET


def test_a_pause_changes_nothing_of_what_is_used(club: Program) -> None:
    campaign = promotion(club)
    record(told())
    pause_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    resume_campaign(campaign=campaign, actor=SYSTEM, now=LATER)
    assert used() == 10
    assert quoted("60", at=LATER).discounted.amount == 0


def test_a_promotion_that_is_taken_back_takes_its_budget_with_it(club: Program) -> None:
    campaign = promotion(club, starts_at=NOW + DAY)
    assert DiscountBudget.objects.get().amount == 15
    row = withdraw_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    delete_campaign(campaign=row, actor=SYSTEM)
    assert not DiscountBudget.objects.exists()
    assert money_budgets([draft(club, "percent-off", budget_money=Decimal(5))])


def test_rules_of_one_promotion_share_its_budget(club: Program) -> None:
    Program.objects.update(discounting="add", revision=99)
    found = promotion(club, "15", name="Two")
    rule = club.earning_rules.get(code="campaign-two")
    assert rule.discount_budget is not None
    other = launch(club, "percent-off", name="Other", offer={"percent": 10})
    club.earning_rules.filter(source=other.source).update(discount_budget=rule.discount_budget)
    Program.objects.update(revision=100)
    both = quoted("80").discounted
    assert [item.amount for item in both.discounts] == [8, 0]
    assert [item.amount for item in quoted("75").discounted.discounts] == [7.5, 7.5]
    assert found.source == rule.source
