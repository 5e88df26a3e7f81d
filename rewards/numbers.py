"""Whole units as people write them, and the smallest units that the ledger counts."""

from __future__ import annotations

from decimal import Decimal


def smallest(whole: Decimal, scale: int) -> int:
    """Raises ValueError where there are more decimals than the units have."""
    units = whole.scaleb(scale)
    if units != units.to_integral_value():
        raise ValueError(scale)
    return int(units)
