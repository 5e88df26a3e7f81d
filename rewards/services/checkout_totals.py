"""What a cart comes to: the program's discounts, then its vouchers one by one, then units."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django.utils.translation import gettext as _

from loyalty.models import Membership
from loyalty.rules.facts import ZERO, Basket, Occasion
from loyalty.selectors.rulebooks import ProgramTerms
from loyalty.services.discount_budgets import Holders
from loyalty.services.order_inputs import CustomerRef, OrderInput, plain
from loyalty.services.quotes import Quote, quote_order
from members.conditions.moments import Moment
from rewards.errors import CheckoutRefusedError
from rewards.voucher_terms import Taken


@dataclass(frozen=True, slots=True)
class Priced:
    """A cart at the program's own discounts. `quote`: also what it would earn."""

    quote: Quote
    occasion: Occasion
    coin: Decimal

    @property
    def program(self) -> ProgramTerms:
        return self.quote.program


def priced(
    order: OrderInput, membership: Membership, *, now: dt.datetime, with_discounts: bool = True,
    holders: Holders = (),
) -> Priced:  # fmt: skip
    """`holders`: the cart, which may hold some of a promotion's budget. Raises InvalidOrderError
    where the cart contradicts itself, CheckoutRefusedError where the member's program cannot serve
    it."""
    program = membership.program
    customer = membership.customer
    buyer = replace(order, customer=CustomerRef(key=customer.pk))
    if order.currency != program.currency:
        raise CheckoutRefusedError(
            _("The program counts in %s.") % program.currency, code="other_currency"
        )
    quotes = quote_order(
        buyer, program_code=program.code, with_discounts=with_discounts,
        customer_id=customer.merged_into_id or customer.pk, now=now, holders=holders,
    )  # fmt: skip
    if not quotes:
        raise CheckoutRefusedError(_("The membership is not active."), code="not_active")
    [quote] = quotes
    occasion = Occasion(
        quote.discounted.basket,
        Moment(order.placed_at, program.zone),
        currency=order.currency,
        channel=order.channel,
        store=order.store,
    )
    coin = Decimal(1).scaleb(-get_currency_precision(order.currency))
    return Priced(quote, occasion, coin)


def without(occasion: Occasion, taken: Taken) -> Occasion:
    """The cart as the next voucher finds it."""
    return replace(occasion, basket=taken.basket)


def totals(order: OrderInput, found: Priced, left: Basket) -> dict[str, Any]:
    """The columns of a checkout that say what it comes to."""
    before = order.basket()
    given = found.quote.discounted
    return {
        "currency": order.currency,
        "goods": sum((line.total for line in before.lines), ZERO),
        "shipping": before.shipping_total,
        "discount": given.amount + before.discount_total,
        "voucher_discount": _off(given.basket) - _off(left),
        "total": left.total,
        "tax": left.tax_total,
        "lines": [
            {
                "line_no": line.line_no,
                "total": plain(line.total),
                "discount": plain(line.discount),
                "tax": plain(line.tax),
            }
            for line in left.lines
        ],
    }


def _off(basket: Basket) -> Decimal:
    """Prices as they are discounted: without tax that is added to them."""
    return sum((line.total for line in basket.lines), ZERO) + basket.shipping_total
