"""The budgets of promotions in money off prices, and carts: what a cart is priced with is held for
it, and had by its order. A cart without a discount looks at none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.utils.translation import gettext as _

from loyalty.codes_asked import cart_holder
from loyalty.rules.discounts import Discounted
from loyalty.services.discount_budgets import (
    BudgetGoneError,
    hold_of_budgets,
    let_go_of_budgets,
    pass_to_order,
    taken_of,
    while_budgets_last,
)
from rewards.errors import CheckoutRefusedError
from rewards.models import Checkout


def priced_while_it_lasts(reserve: Callable[[], Checkout]) -> Checkout:
    """Where another cart was faster, it is reserved at the prices that are left. Raises
    CheckoutRefusedError where others always are."""
    try:
        return while_budgets_last(reserve)
    except BudgetGoneError as gone:
        raise CheckoutRefusedError(
            _("The budget of a promotion changes all the time just now. Reserve the cart again."),
            code="budget_changing",
        ) from gone


def hold_discounts(
    checkout: Checkout, found: Discounted, *, held_before: bool, now: dt.datetime
) -> None:
    """What its price was worked out with. Raises BudgetGoneError where somebody was faster.
    `held_before`: it was priced with a discount before."""
    wanted = taken_of(found)
    if wanted or held_before:
        until = checkout.reserved_until
        hold_of_budgets(cart_holder(checkout.name), wanted, until=until, now=now)


def discounts_to_order(checkout: Checkout, now: dt.datetime) -> None:
    """Raises BudgetGoneError where it was held no longer, and others have it."""
    if checkout.discount:
        pass_to_order(cart_holder(checkout.name), checkout.source, checkout.order_external_id, now)


def let_discounts_go(checkout: Checkout, now: dt.datetime) -> None:
    if checkout.discount:
        let_go_of_budgets(
            cart_holder(checkout.name), checkout.source, checkout.order_external_id, now
        )
