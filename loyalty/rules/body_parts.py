"""What the bodies of rules are made of: which lines and which parts of an order count, how much at
most, and how fractions are rounded."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

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


class Caps(Part):
    """How much the rule awards at most, in whole units. Nothing named: no limit."""

    per_order: PositiveAmount | None = Field(
        None,
        description="For one order, or one activity; of a rate or cashback with what multiplies"
        " it.",
    )
    per_member: PositiveAmount | None = Field(None, description="For one member in a period.")
    period: Literal["day", "week", "month", "year", "lifetime"] = Field(
        "month", description="The period of per_member, in the program's time zone."
    )
    budget: PositiveAmount | None = Field(None, description="For all members together.")


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
