"""What a discount rule says, validated: the same shape in the database, the program file and the
API."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from loyalty.rules.body_parts import (
    BundlePart,
    Code,
    ConditionalBody,
    LinesBody,
    Part,
    Percent,
    PositiveAmount,
    Rounding,
)


class DiscountBracket(Part):
    """What is taken off where more than so much is reached, up to the next bracket."""

    above: Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=4)] = Field(
        description="More than this has to be reached; exactly this belongs to the one before."
    )
    percent: Percent | None = Field(None, description="So many percent off …")
    amount: PositiveAmount | None = Field(None, description="… or so much money off.")

    @model_validator(mode="after")
    def says_one_thing(self) -> Self:
        if (self.percent is None) == (self.amount is None):
            raise ValueError("brackets: give percent or amount in each")
        return self


class DiscountBody(LinesBody, ConditionalBody):
    """Money off the price of an order, for members. It moves no units."""

    kind: Literal["discount"]
    off: Literal["order", "items", "cheapest", "bundle"] = Field(
        "order",
        description="Off all eligible items together, off each of them, off the cheapest ones, or"
        " off items that cost one price together.",
    )
    percent: Percent | None = Field(None, description="So many percent off …")
    amount: PositiveAmount | None = Field(
        None, description="… or so much money off; with items and cheapest off each piece."
    )
    brackets: tuple[DiscountBracket, ...] = Field(
        (), description="Another percent or amount by how much is reached, for all of the order."
    )
    brackets_by: Literal[
        "order", "quantity", "spent_year", "spent_lifetime", "company_year", "company_lifetime"
    ] = Field(
        "order",
        description="What brackets go by: what the eligible items cost, how many pieces they are,"
        " what the member had spent before, in the calendar year or ever, or what all buyers of"
        " the company had that they buy for.",
    )
    pieces: int = Field(
        1, ge=1, le=100, description="With cheapest: so many pieces are cheaper or free."
    )
    every: int | None = Field(
        None, ge=2, le=1000,
        description="With cheapest: for every so many pieces again; without it once.",
    )  # fmt: skip
    bundle: tuple[BundlePart, ...] = Field(
        (), max_length=10, description="With bundle: what it consists of."
    )
    price: PositiveAmount | None = Field(
        None, description="With bundle: what its pieces cost together."
    )
    times: int | None = Field(
        None, ge=1, le=1000, description="With bundle: so often in one order; else as often as"
        " there are pieces for it.",
    )  # fmt: skip
    least: PositiveAmount | None = Field(
        None, description="Only orders whose eligible items come to so much money."
    )
    most: PositiveAmount | None = Field(None, description="So much money off one order at most.")
    budget: PositiveAmount | None = Field(
        None, description="So much money off all orders together at most. It begins before the rule"
        " takes anything off, and stays from then on; the amount may change.",
    )  # fmt: skip
    with_tax: bool = Field(
        True, description="Prices are compared with least and brackets with their tax."
    )
    reduced_too: bool = Field(True, description="Items that are reduced already count too.")
    rounding: Rounding = Field(
        Rounding(per="line", mode="nearest"), description="How fractions are rounded."
    )
    step: PositiveAmount | None = Field(
        None, description="Rounded to a multiple of this; without it to the smallest coin."
    )
    group: Literal[""] | Code = Field(
        "", description="Of the discounts in one group only the one that takes most off."
    )
    stops: bool = Field(
        False, description="Where it takes something off, discounts that come later do not."
    )

    @model_validator(mode="after")
    def says_one_thing(self) -> Self:
        said = (self.percent is not None, self.amount is not None, bool(self.brackets))
        self._check_bundle(any(said))
        if self.off != "bundle" and (sum(said) != 1 or self.percent == 0):
            raise ValueError("percent: give one of percent, amount and brackets")
        above = [bracket.above for bracket in self.brackets]
        if above != sorted(set(above)):
            raise ValueError("brackets: list them from the lowest to the highest, each once")
        if self.off != "cheapest" and (self.every is not None or self.pieces != 1):
            raise ValueError("every: give it, and pieces, with off: cheapest")
        if self.every is not None and self.pieces >= self.every:
            raise ValueError("pieces: fewer than every")
        if self.group and self.stops:
            raise ValueError("group: give group or stops, not both")
        return self

    def _check_bundle(self, says_how_much: bool) -> None:
        if self.off != "bundle":
            if self.bundle or self.price is not None or self.times is not None:
                raise ValueError("bundle: give it, price and times with off: bundle")
            return
        if says_how_much:
            raise ValueError("price: give it alone, without percent, amount and brackets")
        if self.price is None:
            raise ValueError("price: say what its pieces cost together")
        if sum(part.pieces for part in self.bundle) < 2:
            raise ValueError("bundle: name two pieces at least")
