"""What an order would have cost before discounts that were off its prices when it was charged."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from loyalty.rules.coins import in_proportion, spread
from loyalty.rules.facts import ZERO, Basket, Line
from loyalty.rules.margins import with_margins

# In place of a line: what was taken off the order as a whole.
WHOLE = -1


def without_discounts(basket: Basket, off: Decimal, coin: Decimal) -> Basket:
    """The basket at its prices before `off` was taken from them. Where other discounts were off
    them too, which stay, it is spread over all of them; taxes rise as prices do."""
    borne = {
        place: Fraction(line.discount)
        for place, line in enumerate(basket.lines)
        if line.discount > 0
    }
    if basket.discount_total > 0:
        borne[WHOLE] = Fraction(basket.discount_total)
    taken = min(Fraction(off), sum(borne.values(), Fraction(0)))
    if taken <= 0:
        return basket
    shares = spread(taken, borne, borne, Fraction(coin))
    back = {place: _decimal(share) for place, share in shares.items()}
    lines = tuple(
        _raised(line, back[place], coin) if place in back else line
        for place, line in enumerate(basket.lines)
    )
    own = sum((line.tax for line in basket.lines), ZERO)
    goods = Fraction(sum((line.total for line in basket.lines), ZERO) - basket.discount_total)
    beyond = in_proportion(
        basket.tax_total - own, goods + Fraction(sum(back.values(), ZERO)), goods, coin
    )
    before = replace(
        basket, lines=lines, discount_total=basket.discount_total - back.get(WHOLE, ZERO),
        tax_total=sum((line.tax for line in lines), ZERO) + beyond,
    )  # fmt: skip
    return with_margins(before)


def _raised(line: Line, more: Decimal, coin: Decimal) -> Line:
    tax = in_proportion(line.tax, Fraction(line.total + more), Fraction(line.total), coin)
    return replace(line, total=line.total + more, discount=line.discount - more, tax=tax)


def _decimal(exact: Fraction) -> Decimal:
    return Decimal(exact.numerator) / Decimal(exact.denominator)
