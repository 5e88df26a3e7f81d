"""Numbers as files have them, for machines: no thousands, all digits."""

from __future__ import annotations

from decimal import Decimal

from loyalty.models import WalletType


def whole(units: int, wallet_type: WalletType) -> Decimal:
    """The number that people know, for a chart or a file."""
    return Decimal(units).scaleb(-wallet_type.scale)


def exact(value: Decimal, decimals: int) -> str:
    """A number as files have it: all of its digits, and so many decimals at least."""
    digits = -int(value.normalize().as_tuple().exponent)
    return f"{value:.{max(digits, decimals)}f}"


def units_text(units: int, scale: int) -> str:
    """The integer as decimal text."""
    return str(units) if not scale else f"{Decimal(units).scaleb(-scale):.{scale}f}"
