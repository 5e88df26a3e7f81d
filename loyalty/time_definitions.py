"""A program's pause and the plan of its end, as a program file says them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Self

from django.utils.translation import gettext as _
from pydantic import AwareDatetime, Field, field_serializer, model_validator

from loyalty.rules.body_parts import Code, Part, PositiveAmount
from loyalty.tier_definitions import plain


class PauseDefinition(Part):
    """A time in which nothing is earned: the one that is, or the next. Those that are over are not
    in the file, and stay."""

    starts_at: AwareDatetime = Field(
        description="When it begins, with its time zone: 2026-08-01T00:00:00+02:00."
    )
    ends_at: AwareDatetime | None = Field(
        None, description="When it goes on; without it until somebody resumes the program."
    )
    spending: bool = Field(True, description="Units can be spent meanwhile.")


class ConversionDefinition(Part):
    """What units become that are left when the program ends."""

    wallet_type: Code = Field(description="Which units.")
    program: Code = Field(description="The program in which they go on; it is there, and live.")
    to_wallet_type: Code = Field(description="As which units of it.")
    take: PositiveAmount = Field(Decimal(1), description="For each so many …")
    give: PositiveAmount = Field(
        Decimal(1), description="… members get so many, rounded down to a unit that there is."
    )

    @field_serializer("take", "give", when_used="json")
    def in_plain_notation(self, value: Decimal) -> str:
        return plain(value)


class EndingDefinition(Part):
    """How the program ends. Its days are whole, in the program's time zone; once nothing is earned
    any more they stay as they are."""

    announced_on: dt.date = Field(description="The day from which members are told.")
    last_earning_day: dt.date = Field(description="What is bought later earns nothing.")
    last_spending_day: dt.date = Field(
        description="What is left after it expires, or goes on elsewhere."
    )
    conversions: tuple[ConversionDefinition, ...] = Field(
        (), max_length=20, description="Units that go on in other programs; the others expire."
    )

    @model_validator(mode="after")
    def days_follow_each_other(self) -> Self:
        if not self.announced_on <= self.last_earning_day <= self.last_spending_day:
            raise ValueError(
                _("Members are told first, then earn for the last time, then spend for the last.")
            )
        return self
