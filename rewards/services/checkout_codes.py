"""The promotion codes of carts: what counts is kept for the cart, and used by its order."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from loyalty.codes_asked import (
    Answers,
    CodesAsked,
    cart_holder,
    code_keeper,
    order_holder,
)
from loyalty.services.quotes import Quote
from rewards.errors import CheckoutRefusedError
from rewards.models import Checkout


def hold_codes(checkout: Checkout, quote: Quote, now: dt.datetime) -> Answers:
    """What its price was worked out with is kept until the cart is paid. Raises
    CheckoutRefusedError where somebody else was faster."""
    keeper = code_keeper()
    counting = tuple(item.code for item in quote.codes if item.counts)
    if keeper is None or quote.codes_asked is None or not counting:
        return quote.codes
    asked: CodesAsked = replace(
        quote.codes_asked, codes=counting, holder=cart_holder(checkout.name)
    )
    for item in keeper.hold(asked, checkout.reserved_until, now):
        if not item.counts:
            words = f"{item.code}: {item.words}"
            raise CheckoutRefusedError(words, code=f"code_{item.reason}")
    return quote.codes


def codes_to_order(checkout: Checkout, now: dt.datetime) -> None:
    """What the cart kept is its order's."""
    keeper = code_keeper()
    if keeper is not None and checkout.codes:
        order = order_holder(checkout.source, checkout.order_external_id)
        keeper.pass_on(cart_holder(checkout.name), order, now)


def let_cart_go(checkout: Checkout, now: dt.datetime) -> None:
    """What it kept, or its order that never came would have used, may be used again."""
    keeper = code_keeper()
    if keeper is None or not checkout.codes:
        return
    holders = [cart_holder(checkout.name)]
    if checkout.order_external_id:
        holders.append(order_holder(checkout.source, checkout.order_external_id))
    keeper.let_go(holders, now)
