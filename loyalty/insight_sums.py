"""The arithmetic of key figures, as marketing books do it: pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

Number = Decimal | int


def share(part: Number, whole: Number) -> Decimal | None:
    """Out of 100; None: there is nothing to have a share of."""
    return Decimal(part) * 100 / whole if whole > 0 else None


def net_promoters(promoters: int, passives: int, detractors: int) -> Decimal | None:
    """NPS, from −100 to 100: who would recommend less who would not, of all who answered."""
    return share(promoters - detractors, promoters + passives + detractors)


def value_of_customer(revenue: Number, customers: int, months: int) -> Decimal | None:
    """What a customer brings in so many months, from the revenue of one."""
    return Decimal(revenue) * months / customers if customers > 0 else None


def likelihood(spread: Mapping[int, int]) -> Decimal | None:
    """From 0 to 100, of how often each number from 0 to 10 was given."""
    answers = sum(spread.values())
    return share(sum(number * times for number, times in spread.items()), 10 * answers)


def loyalty_index(
    recommend: Number | None, repurchase: Number | None, other_products: Number | None
) -> Decimal | None:
    """The mean of how likely members are, each from 0 to 100, to recommend, to buy again and to buy
    other products; of what nobody was asked, nothing is made up. None: nobody was asked anything.
    """
    known = [Decimal(part) for part in (recommend, repurchase, other_products) if part is not None]
    return sum(known, Decimal(0)) / len(known) if known else None


def change(before: Number | None, after: Number | None) -> Decimal | None:
    """How much more it is than before, out of 100; None: there was nothing before."""
    if before is None or after is None or before <= 0:
        return None
    return (Decimal(after) - before) * 100 / before
