"""The arithmetic of key figures, as marketing books do it: pure."""

from __future__ import annotations

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


def loyalty_index(recommend: Number, repurchase: Number, other_products: Number) -> Decimal:
    """The mean of three shares out of 100: who would recommend, who buys again, who buys other
    things as well."""
    return (Decimal(recommend) + repurchase + other_products) / 3
