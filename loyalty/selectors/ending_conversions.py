"""What units become when their program ends, as it is planned."""

from __future__ import annotations

from collections.abc import Sequence

from loyalty.conversion_rates import ConversionRate
from loyalty.models import EndingConversion, ProgramEnding


def rate_of(conversion: EndingConversion) -> ConversionRate:
    """Of a conversion whose kinds of units are loaded."""
    return ConversionRate(
        conversion.take, conversion.give, conversion.wallet_type.scale,
        conversion.to_wallet_type.scale,
    )  # fmt: skip


def conversions_in(ending: ProgramEnding) -> Sequence[EndingConversion]:
    """Of a plan, with the kinds of units and the other program; one query."""
    return list(
        ending.conversions.select_related("wallet_type", "to_wallet_type__program").order_by(
            "wallet_type"
        )
    )
