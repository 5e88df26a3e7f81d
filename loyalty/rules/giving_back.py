"""What comes back of a payment when a part of its order does: in the proportion paid."""

from __future__ import annotations

from decimal import Decimal


def units_back(paid: int, refunded: Decimal, total: Decimal, step: int = 1) -> int:
    """How many of the units paid are back once so much of an order was refunded, in steps. The last
    refund brings what is left."""
    if refunded <= 0 or total <= 0:
        return 0
    if refunded >= total:
        return paid
    exact = int(paid * refunded // total)
    return exact - exact % step


def money_back(paid: Decimal, refunded: Decimal, total: Decimal, coin: Decimal) -> Decimal:
    """How much of an amount paid is back by then, in whole coins."""
    if refunded <= 0 or total <= 0:
        return Decimal(0)
    if refunded >= total:
        return paid
    return paid * refunded // (total * coin) * coin
