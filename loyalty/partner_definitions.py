"""Partners as forms, the API and a program file say them, validated."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal, Self

from django.utils.translation import gettext as _
from pydantic import Field, field_serializer, model_validator

from loyalty.giving_definitions import Summary, Website, plainly
from loyalty.rule_definitions import Name
from loyalty.rules.body_parts import Code, Part

PerUnit = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=6)]


class PartnerRateDefinition(Part):
    """What a unit is worth between the program and the partner, from a day on."""

    wallet_type: Code = Field("points", description="Code of the units.")
    from_on: dt.date | None = Field(
        None,
        description="The first day; of days that are settled it stays as it is. Empty: the"
        " partner's first.",
    )
    issued: PerUnit = Field(
        Decimal(0), description="What the partner pays for a unit that is earned there."
    )
    taken_in: PerUnit = Field(
        Decimal(0), description="What the partner is paid for a unit that is spent there."
    )

    @field_serializer("issued", "taken_in")
    def money_plainly(self, value: Decimal) -> str:
        return plainly(value) or "0"


class PartnerDefinition(Part):
    """A brand that issues units and takes them in, with an account of its own in the books."""

    code: Code = Field(description="Short name, unique among its kind. Stays as it is.")
    name: Name = Field(description="What people call it.")
    since: dt.date | None = Field(
        None, description="The first day that is settled; without one, the day it is added."
    )
    status: Literal["live", "ended"] = Field("live", description="Whether it takes part.")
    summary: Summary = Field("", description="It in a sentence, for members.")
    website: Website = Field("", description="Web address, beginning with https.")
    rates: tuple[PartnerRateDefinition, ...] = Field(
        (), description="What units cost and bring there, by kind and day."
    )

    @model_validator(mode="after")
    def one_rate_a_day(self) -> Self:
        days = [(rate.wallet_type, rate.from_on) for rate in self.rates]
        if len(days) != len(set(days)):
            raise ValueError(_("There are two rates for the same units and day."))
        return self
