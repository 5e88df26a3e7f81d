"""The steps of a challenge: what is to be done, as data. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from loyalty.rules.body_parts import LineFilter

MOST_STEPS = 8
Amount = Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=4)]
Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00]+$")]


class Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Step(Said):
    only: LineFilter = Field(
        LineFilter(), description="Only these lines count. Empty: everything that is bought."
    )


class SpendStep(_Step):
    """Buy for so much."""

    kind: Literal["spend"] = "spend"
    amount: Amount = Field(description="In the program's currency.")
    in_one: bool = Field(False, description="In one order, instead of added up.")
    more_than: bool = Field(False, description="More than that: the amount itself is too little.")


class CountStep(_Step):
    """Order so often, or buy so many items."""

    kind: Literal["count"] = "count"
    of: Literal["orders", "items"] = "orders"
    number: int = Field(ge=1, le=10_000)


class StreakStep(_Step):
    """Buy in so many days, weeks (from Monday) or months in a row."""

    kind: Literal["streak"] = "streak"
    every: Literal["day", "week", "month"] = "week"
    number: int = Field(ge=2, le=366)
    least: Amount | None = Field(None, description="An order counts from this amount on.")


class CategoriesStep(_Step):
    """Buy from so many different categories."""

    kind: Literal["categories"] = "categories"
    number: int = Field(ge=2, le=100)


class CollectionStep(Said):
    """Buy each of a list: of products, or something of each category."""

    kind: Literal["collection"] = "collection"
    of: Literal["categories", "skus"] = "skus"
    names: tuple[Name, ...] = Field(min_length=2, max_length=50)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.names)) != len(self.names):
            raise ValueError("names: each of them once.")
        return self


Step = Annotated[
    SpendStep | CountStep | StreakStep | CategoriesStep | CollectionStep,
    Field(discriminator="kind"),
]
Steps = Annotated[tuple[Step, ...], Field(min_length=1, max_length=MOST_STEPS)]
_steps: TypeAdapter[tuple[Step, ...]] = TypeAdapter(Steps)


def read_steps(said: object) -> tuple[Step, ...]:
    """Raises pydantic.ValidationError."""
    return _steps.validate_python(said)
