"""What the bodies of rules are made of: which lines and which parts of an order count, how much at
most, and how fractions are rounded."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

PositiveAmount = Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=4)]
Percent = Annotated[Decimal, Field(ge=0, le=100, max_digits=7, decimal_places=4)]
Code = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BasePolicy(Part):
    """Which parts of an order count toward the base. Gift cards bought never earn."""

    include_tax: bool = Field(False, description="Tax earns too.")
    include_shipping: bool = Field(False, description="Shipping earns too.")
    after_discounts: bool = Field(True, description="Count prices after discounts.")
    paid_with_stored_value: bool = Field(
        True, description="The part paid with gift cards or credit earns."
    )
    paid_with_units: bool = Field(False, description="The part paid with points earns.")

    @cached_property
    def key(self) -> int:
        """Tells policies apart, faster than comparing them."""
        said = (
            self.include_tax, self.include_shipping, self.after_discounts,
            self.paid_with_stored_value, self.paid_with_units,
        )  # fmt: skip
        return sum(2**place for place, yes in enumerate(said) if yes)


class LineFilter(Part):
    """Lines that match any of the named categories, SKUs or tags. Empty: no restriction."""

    categories: tuple[str, ...] = Field((), description="Category names, exactly as on the lines.")
    skus: tuple[str, ...] = Field((), description="SKUs, exactly as on the lines.")
    tags: tuple[str, ...] = Field((), description="Tags; one is enough.")

    @cached_property
    def names_lines(self) -> bool:
        return bool(self.categories or self.skus or self.tags)


class BundlePart(Part):
    """So many pieces of what is named, one part of a bundle."""

    pieces: int = Field(1, ge=1, le=100, description="So many pieces of it.")
    include: LineFilter = Field(LineFilter(), description="What it is; empty: anything.")


class Rounding(Part):
    """How fractions of the smallest unit are rounded, and where."""

    per: Literal["order", "line"] = Field(
        "order", description="Round once per order, or on each line."
    )
    mode: Literal["down", "nearest", "up"] = Field("down", description="Nearest: half goes up.")


Period = Literal["day", "week", "month", "year", "lifetime"]


class MemberCaps(Part):
    """How many units one member gets at most. Of several periods each counts."""

    day: PositiveAmount | None = Field(None, description="In a day of the program's time zone.")
    week: PositiveAmount | None = Field(None, description="In a week, from Monday.")
    month: PositiveAmount | None = Field(None, description="In a calendar month.")
    year: PositiveAmount | None = Field(None, description="In a calendar year.")
    lifetime: PositiveAmount | None = Field(None, description="Ever.")

    @cached_property
    def said(self) -> tuple[tuple[Period, Decimal], ...]:
        """Those that there are, the shortest period first."""
        found: tuple[tuple[Period, Decimal | None], ...] = (
            ("day", self.day), ("week", self.week), ("month", self.month), ("year", self.year),
            ("lifetime", self.lifetime),
        )  # fmt: skip
        return tuple((period, most) for period, most in found if most is not None)


class Caps(Part):
    """How much the rule awards at most. Nothing named: no limit."""

    per_order: PositiveAmount | None = Field(
        None,
        description="For one order, or one activity; of a rate or cashback with what multiplies"
        " it.",
    )
    per_member: MemberCaps = Field(
        MemberCaps(), description="For one member in a period: day, week, month, year, lifetime."
    )
    budget: PositiveAmount | None = Field(None, description="For all members together, in units.")
    budget_money: PositiveAmount | None = Field(
        None, description="For all members together, in the program's currency: what the units are"
        " worth when they are given.",
    )  # fmt: skip

    @model_validator(mode="before")
    @classmethod
    def in_one_period(cls, data: Any) -> Any:
        """What was written when a rule had one period only: `per_member: 100, period: month`."""
        if not isinstance(data, Mapping) or isinstance(
            data.get("per_member"), Mapping | MemberCaps
        ):
            return data
        said = dict(data)
        most, period = said.pop("per_member", None), said.pop("period", "month")
        if most is None:
            return said
        # What names no period is refused as any other that there is not.
        return said | {"per_member": {str(period): most}}

    @cached_property
    def has_budget(self) -> bool:
        return self.budget is not None or self.budget_money is not None

    @cached_property
    def counted(self) -> bool:
        """Whether what is given has to be counted, for a member or for all."""
        return self.has_budget or bool(self.per_member.said)


class ConditionalBody(Part):
    """What every kind of rule says."""

    when: Mapping[str, Any] = Field(
        {}, description="Only under this condition; see the language of conditions."
    )


class AnyBody(ConditionalBody):
    """What every kind of rule says that awards units."""

    caps: Caps = Field(Caps(), description="How much it awards at most.")


class LinesBody(Part):
    """Which lines of an order a rule is for."""

    include: LineFilter = Field(LineFilter(), description="Only these lines count.")
    exclude: LineFilter = Field(LineFilter(), description="These lines do not count.")

    @cached_property
    def names_lines(self) -> bool:
        """Whether it is for some lines only."""
        return self.include.names_lines or self.exclude.names_lines
