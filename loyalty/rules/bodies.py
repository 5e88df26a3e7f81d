"""What a rule version says, validated: the same shape in the database, the program file and the
API."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

PositiveAmount = Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=4)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BasePolicy(_Body):
    """Which parts of an order count toward the base. Gift cards bought never earn."""

    include_tax: bool = Field(False, description="Tax earns too.")
    include_shipping: bool = Field(False, description="Shipping earns too.")
    after_discounts: bool = Field(True, description="Count prices after discounts.")
    paid_with_stored_value: bool = Field(
        True, description="The part paid with gift cards or credit earns."
    )
    paid_with_units: bool = Field(False, description="The part paid with points earns.")


class LineFilter(_Body):
    """Lines that match any of the named categories, SKUs or tags. Empty: no restriction."""

    categories: tuple[str, ...] = Field((), description="Category names, exactly as on the lines.")
    skus: tuple[str, ...] = Field((), description="SKUs, exactly as on the lines.")
    tags: tuple[str, ...] = Field((), description="Tags; one is enough.")


class Rounding(_Body):
    """How fractions of the smallest unit are rounded, and where."""

    per: Literal["order", "line"] = Field(
        "order", description="Round once per order, or on each line."
    )
    mode: Literal["down", "nearest", "up"] = Field("down", description="Nearest: half goes up.")


class Caps(_Body):
    """How much the rule awards at most, in whole units. Nothing named: no limit."""

    per_order: PositiveAmount | None = Field(None, description="For one order.")
    per_member: PositiveAmount | None = Field(None, description="For one member in a period.")
    period: Literal["day", "week", "month", "year", "lifetime"] = Field(
        "month", description="The period of per_member, in the program's time zone."
    )
    budget: PositiveAmount | None = Field(None, description="For all members together.")


class EarningBody(_Body):
    """What every kind of rule says: which lines and which parts of them count, and how much at
    most."""

    base: BasePolicy = BasePolicy()
    include: LineFilter = LineFilter()
    exclude: LineFilter = LineFilter()
    caps: Caps = Caps()


class RateBody(EarningBody):
    """So many units for so much money (or quantity) of the eligible lines."""

    kind: Literal["rate"] = "rate"
    measure: Literal["money", "quantity"] = Field(
        "money",
        description="Earn by what the lines cost, or by their quantity (litres, nights).",
    )
    units: PositiveAmount = Field(Decimal(1), description="Units earned …")
    per: PositiveAmount = Field(Decimal(1), description="… for each this much of the measure.")
    rounding: Rounding = Rounding()


class BonusBody(EarningBody):
    """So many units when the eligible lines of an order, or of all orders in a window, reach so
    much."""

    kind: Literal["threshold_bonus"]
    reach: PositiveAmount = Field(description="So much money has to be reached.")
    window: Literal["order", "day", "week", "month", "quarter", "year", "lifetime"] = Field(
        "order", description="In one order, or in all orders of a period of the program's days."
    )
    units: PositiveAmount = Field(Decimal(1), description="Units for reaching it.")
    repeats: bool = Field(False, description="Again each time that it is reached.")

    @property
    def windowed(self) -> bool:
        """Whether it belongs to a window rather than to a single order."""
        return self.window != "order"


RuleBody = RateBody | BonusBody


def parse_body(data: object) -> RuleBody:
    """Validate a stored or written body. Raises pydantic.ValidationError naming each wrong
    field."""
    kind = data.get("kind") if isinstance(data, Mapping) else None
    body: type[RuleBody] = BonusBody if kind == "threshold_bonus" else RateBody
    return body.model_validate(data)
