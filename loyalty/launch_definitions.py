"""How a program is launched, as its file says it: its phases, and what founding members get."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal, Self

from django.utils.translation import gettext as _
from pydantic import Field, model_validator

from loyalty.rules.body_parts import Code, Part

ORDER = ("top", "invited", "everyone")
MOST_UNITS = Decimal(1_000_000_000)


class PhaseDefinition(Part):
    """From a day on more customers may join."""

    kind: Literal["top", "invited", "everyone"] = Field(
        description="The best customers, a larger share by invitation, or everyone."
    )
    percent: int | None = Field(
        None, ge=1, le=99,
        description="Of those who ever bought, by what they spent, counted from the first; everyone"
        " has none.",
    )  # fmt: skip
    starts_on: dt.date = Field(description="Its first day, in the program's time zone.")

    @model_validator(mode="after")
    def share_fits_kind(self) -> Self:
        if (self.kind == "everyone") != (self.percent is None):
            raise ValueError(_("Give a percent for a share of the customers, and only then."))
        return self


class FoundingDefinition(Part):
    """What those get who join in the first days."""

    wallet_type: Code = Field("points", description="Which units.")
    units: Annotated[Decimal, Field(gt=0, le=MOST_UNITS)] = Field(description="How many.")
    days: int = Field(30, ge=1, le=365, description="For so many days from the launch.")
    most_members: int | None = Field(
        None, ge=1, le=10_000_000, description="For so many members at most; empty: no limit."
    )


class LaunchDefinition(Part):
    """How the program begins. Without phases everyone may join at once."""

    phases: tuple[PhaseDefinition, ...] = Field(
        (), max_length=3, description="In their order; the last one takes in everyone."
    )
    founding: FoundingDefinition | None = Field(
        None, description="A bonus for those who join first."
    )

    @model_validator(mode="after")
    def phases_take_in_more_and_more(self) -> Self:
        kinds = [phase.kind for phase in self.phases]
        if kinds != [kind for kind in ORDER if kind in kinds] or (kinds and kinds[-1] != ORDER[-1]):
            raise ValueError(_("The phases are top, invited and everyone; everyone is the last."))
        for before, after in zip(self.phases, self.phases[1:], strict=False):
            if after.starts_on <= before.starts_on:
                raise ValueError(_("Each phase begins later than the one before it."))
            if before.percent and after.percent and after.percent <= before.percent:
                raise ValueError(_("Each phase takes in more customers than the one before it."))
        return self
