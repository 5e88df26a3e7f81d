"""The codes of orders and baskets, before these are judged: what is said of them goes along with
what the rules are asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from loyalty.codes_asked import CodesAsked, code_keeper, order_holder
from loyalty.models import Order
from loyalty.services.contexts import Wish
from loyalty.services.order_inputs import OrderInput


def codes_asked(wish: Wish, holder: str = "") -> CodesAsked:
    book = wish.program.rulebook
    rules = frozenset(
        version.rule_code
        for versions in (book.in_force(wish.at), book.discounts_in_force(wish.at))
        for version in versions
    )
    return CodesAsked(
        wish.program.id, wish.membership_id, wish.customer_id, wish.occasion.coupons, wish.at,
        rules, holder,
    )  # fmt: skip


def with_codes_looked_at(wishes: Sequence[Wish]) -> list[Wish]:
    """Of baskets: nothing is used."""
    keeper, telling = code_keeper(), [wish for wish in wishes if wish.occasion.coupons]
    if keeper is None or not telling:
        return list(wishes)
    found = iter(keeper.look([codes_asked(wish) for wish in telling]))
    return [replace(wish, codes=next(found)) if wish.occasion.coupons else wish for wish in wishes]


def with_codes_used(
    wishes: Sequence[Sequence[Wish]], orders: Sequence[OrderInput], now: dt.datetime
) -> list[list[Wish]]:
    """Of new orders, each with its wishes: what counts is used by it. Of one that came to nothing
    nothing is used."""
    keeper = code_keeper()
    if keeper is None or not any(order.coupons for order in orders):
        return [list(found) for found in wishes]
    asked = [
        codes_asked(wish, order_holder(order.source, order.external_id))
        for order, found in zip(orders, wishes, strict=True)
        for wish in found
        if _uses(order)
    ]
    answers = iter(keeper.claim(asked, now))
    return [
        [replace(wish, codes=next(answers)) if _uses(order) else wish for wish in found]
        for order, found in zip(orders, wishes, strict=True)
    ]


def with_codes_of_known(
    wishes: Sequence[Wish], orders: Sequence[Order], now: dt.datetime
) -> list[Wish]:
    """Of orders that were told before, and are judged by a program for the first time now."""
    keeper = code_keeper()
    if keeper is None or not any(wish.occasion.coupons for wish in wishes):
        return list(wishes)
    asked = [
        codes_asked(wish, order_holder(order.source, order.external_id))
        for wish, order in zip(wishes, orders, strict=True)
    ]
    answers = keeper.claim(asked, now)
    return [replace(wish, codes=found) for wish, found in zip(wishes, answers, strict=True)]


def let_codes_go(changed: Sequence[OrderInput], now: dt.datetime) -> None:
    """Of orders that were changed to what comes to nothing: their codes may be used again."""
    keeper = code_keeper()
    gone = [
        order_holder(order.source, order.external_id)
        for order in changed
        if order.status in Order.VOID
    ]
    if keeper is not None and gone:
        keeper.let_go(gone, now)


def _uses(order: OrderInput) -> bool:
    return bool(order.coupons) and order.status not in Order.VOID
