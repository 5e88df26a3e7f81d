"""Money as programs read it: decimal text without a currency."""

from __future__ import annotations

from decimal import Decimal


def money_text(amount: Decimal) -> str:
    """12.5000 → "12.50"; what is finer than a hundredth stays."""
    text = f"{amount:.4f}"
    return text[:-2] if text.endswith("00") else text.rstrip("0")
