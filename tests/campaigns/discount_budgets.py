"""Promotions in money off prices, and carts and orders that take of their budget."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from campaigns.models import Campaign
from loyalty.models import DiscountBudget, Order, Program
from loyalty.selectors.discount_budgets import borne_of
from loyalty.services.order_inputs import DiscountInput, OrderInput
from loyalty.services.quotes import Quote, quote_order
from rewards.models import Checkout
from tests.campaigns.campaigns import DAY, launch, member
from tests.loyalty.factories import NOW, make_program, make_wallet, order
from tests.rewards.services.carts import cart, reserve

LATER = NOW + dt.timedelta(minutes=31)
RULE = "campaign-spring"


def make_club() -> Program:
    program = make_program()
    for number in ("c1", "c2"):
        make_wallet(program, number, at=NOW - 2 * DAY)
    return program


def promotion(program: Program, budget: str = "15", percent: int = 10, **said: Any) -> Campaign:
    money, offer = Decimal(budget), {"percent": percent}
    return launch(program, "percent-off", budget_money=money, offer=offer, **said)


def quoted(total: str = "100", **how: Any) -> Quote:
    (quote,) = quote_order(order("Q", total, **how))
    return quote


def told(number: str = "A1", amount: str = "10", **how: Any) -> OrderInput:
    """An order of 100 that says what the promotion took off."""
    off = Decimal(amount)
    said = [DiscountInput("club", RULE, off)] if off else []
    return order(number, str(100 - off), discount_total=off, discounts=said, **how)


def used() -> Decimal:
    return Decimal(DiscountBudget.objects.get().used)


def borne(number: str = "A1") -> tuple[Decimal, Decimal]:
    """What an order asks of the budget, and what that bears."""
    found = borne_of([Order.objects.get(external_id=number)])
    [use] = found.values()
    return use.asked, use.amount


def cart_of(number: str = "c1", name: str = "C1", total: str = "100", **how: Any) -> Checkout:
    return reserve(cart(member(number), name, total, **how), at=how.get("at", NOW))
