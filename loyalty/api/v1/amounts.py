"""Units as decimal text at the wallet type's scale: 150 at scale 2 is "1.50"."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from django.utils.translation import gettext as _
from pydantic import Field

from loyalty import plain_numbers
from loyalty.models import WalletType
from members.api.bodies import refuse_field

Units = Annotated[
    str,
    Field(description="Units as decimal text, with the wallet type's decimals.", examples=["120"]),
]
UnitsIn = Annotated[
    str,
    Field(
        pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,4})?$",
        description="Units as decimal text, with at most the wallet type's decimals.",
        examples=["-20", "12.50"],
    ),
]
UnitsAboveZero = Annotated[
    str,
    Field(
        pattern=r"^(?:0{0,11}[1-9][0-9]{0,11}(\.[0-9]{1,4})?|0{1,12}\.[0-9]{0,3}[1-9][0-9]{0,3})$",
        max_length=17,
        description="Units as decimal text, above zero, with at most the wallet type's decimals.",
        examples=["20", "12.50"],
    ),
]


units_text = plain_numbers.units_text


def parse_units(text: str, wallet_type: WalletType, field: str = "units") -> int:
    """The decimal text as an integer, refused when it is finer than the wallet type counts."""
    scaled = Decimal(text).scaleb(wallet_type.scale)
    if scaled != scaled.to_integral_value():
        raise refuse_field(
            field,
            _("Give %(units)s with at most %(decimals)s decimals.")
            % {"units": wallet_type.plural, "decimals": wallet_type.scale},
            "too_fine",
        )
    return int(scaled)
