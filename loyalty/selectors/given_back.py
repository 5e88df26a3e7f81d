"""What orders were paid with in units, and how their refunds divide into money and units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import get_currency_precision

from loyalty.models import Order, Refund, WalletType
from loyalty.rules.facts import ZERO
from loyalty.rules.giving_back import money_back, units_back
from loyalty.selectors.unit_tenders import Spend, spends_on


@dataclass(frozen=True, slots=True)
class UnitsPart:
    """Units of one kind, and the part of an order's total that they stand for. `returned`: of what
    was paid, how many have come back."""

    wallet_type: WalletType
    units: int
    amount: Decimal
    returned: int = 0


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What a refund gives back: so much money, and units in the proportion paid. Both in what can
    be paid out; the last refund brings what earlier ones left."""

    money: Decimal
    units: tuple[UnitsPart, ...] = ()


def paid_in_units(orders: Iterable[int]) -> dict[int, list[UnitsPart]]:
    """Of orders by their keys, what units paid of them."""
    found: dict[int, list[UnitsPart]] = {}
    for spend in spends_on(orders):
        transfer = spend.transfer
        part = UnitsPart(transfer.wallet_type, transfer.amount, _amount(spend), spend.back.units)
        found.setdefault(spend.order_id, []).append(part)
    return found


def given_back(refund: Refund) -> GivenBack:
    """How a recorded refund divides."""
    order = refund.order
    spends = spends_on([order.pk]) if order is not None else []
    if order is None or not spends:
        return GivenBack(Decimal(refund.total))
    earlier = [
        item.total
        for item in order.refunds.all()
        if (item.refunded_at, item.pk) < (refund.refunded_at, refund.pk)
    ]
    return divided(order, spends, sum(earlier, ZERO), Decimal(refund.total))


def divided(order: Order, spends: Sequence[Spend], before: Decimal, refunded: Decimal) -> GivenBack:
    """How so much divides, where so much of the order was given back before."""
    coin = Decimal(1).scaleb(-get_currency_precision(order.currency))
    after = before + refunded
    parts, money = [], max(order.total - sum(map(_amount, spends), ZERO), ZERO)
    for spend in spends:
        units, step = spend.transfer.amount, spend.transfer.wallet_type.spend_step or 1
        was, now = (units_back(units, so_far, order.total, step) for so_far in (before, after))
        worth = [money_back(_amount(spend), Decimal(back), Decimal(units), coin)
                 for back in (was, now)]  # fmt: skip
        if now > was:
            parts.append(UnitsPart(spend.transfer.wallet_type, now - was, worth[1] - worth[0]))
    back = [money_back(money, so_far, order.total, coin) for so_far in (before, after)]
    # More than the order cost is money that nobody had paid for it.
    beyond = max(after - max(order.total, before), ZERO)
    return GivenBack(back[1] - back[0] + beyond, tuple(parts))


def _amount(spend: Spend) -> Decimal:
    if spend.stands_for is not None:
        return spend.stands_for
    unit = spend.transfer.wallet_type
    return Decimal(spend.transfer.amount).scaleb(-unit.scale) * unit.unit_value
