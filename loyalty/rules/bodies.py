"""What a rule version says, validated: the same shape in the database, the program file and the
API."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from loyalty.rules.body_parts import (
    AnyBody,
    BasePolicy,
    Code,
    LinesBody,
    Part,
    Percent,
    PositiveAmount,
    Rounding,
)
from loyalty.rules.discount_bodies import DiscountBody

Window = Literal["order", "day", "week", "month", "quarter", "year", "lifetime"]


class EarningBody(LinesBody, AnyBody):
    """What every kind of rule for orders says: which lines and which parts of them count, how much
    at most, and how it gets on with others."""

    base: BasePolicy = Field(BasePolicy(), description="Which parts of an order count.")
    group: Literal[""] | Code = Field(
        "", description="Of the rules in one group only the one that gives most awards."
    )
    stops: bool = Field(
        False, description="Where it awards, rules of the same units that come later do not."
    )


class RateBody(EarningBody):
    """So many units for so much money (or quantity) of the eligible lines."""

    kind: Literal["rate"] = "rate"
    measure: Literal["money", "quantity"] = Field(
        "money",
        description="Earn by what the lines cost, or by their quantity (litres, nights).",
    )
    units: PositiveAmount = Field(Decimal(1), description="Units earned …")
    per: PositiveAmount = Field(Decimal(1), description="… for each this much of the measure.")
    rounding: Rounding = Field(Rounding(), description="How fractions are rounded.")


class CategoryPercent(Part):
    """The percentage for one category."""

    category: str = Field(min_length=1, max_length=128, description="Exactly as on the lines.")
    percent: Percent = Field(description="What comes back of its price.")


class MarginPercent(Part):
    """The percentage from one margin on."""

    at_least: Annotated[Decimal, Field(ge=-100, le=100, max_digits=5, decimal_places=2)] = Field(
        description="Percent of the price that the shop keeps of the item, at least."
    )
    percent: Percent = Field(description="What comes back of its price.")


class Bracket(Part):
    """The percentage from so much spent in the year on."""

    above: Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=4)] = Field(
        description="What is spent above this in the year, up to the next bracket."
    )
    percent: Percent = Field(description="What comes back of it.")


class CashbackBody(EarningBody):
    """A percentage of the price, as units that are worth one of the currency."""

    kind: Literal["cashback"]
    percent: Percent = Field(Decimal(0), description="What comes back of every eligible line.")
    by_category: tuple[CategoryPercent, ...] = Field(
        (), description="Other percentages for lines of these categories."
    )
    by_margin: tuple[MarginPercent, ...] = Field(
        (), description="Other percentages by what the shop keeps of an item, where the order says"
        " what it cost (`unit_cost`): from the lowest margin on. A category's own goes before.",
    )  # fmt: skip
    brackets: tuple[Bracket, ...] = Field(
        (), description="Percentages by what the member spent in the calendar year; each is for"
        " the part in its bracket.",
    )  # fmt: skip
    rounding: Rounding = Field(Rounding(), description="How fractions are rounded.")

    @model_validator(mode="after")
    def says_one_thing(self) -> Self:
        by_line = self.by_category or self.by_margin or self.percent
        if self.brackets and by_line:
            raise ValueError(
                "brackets: give them alone, without percent, by_category and by_margin"
            )
        if not (self.brackets or by_line):
            raise ValueError("percent: give a percentage above zero")
        margins = [item.at_least for item in self.by_margin]
        if margins != sorted(set(margins)):
            raise ValueError("by_margin: list them from the lowest to the highest, each once")
        above = [bracket.above for bracket in self.brackets]
        if above != sorted(set(above)):
            raise ValueError("brackets: list them from the lowest to the highest, each once")
        if len({item.category for item in self.by_category}) < len(self.by_category):
            raise ValueError("by_category: a category is there twice")
        return self


class FixedBody(EarningBody):
    """So many units for every order that something eligible was bought with."""

    kind: Literal["fixed"]
    units: PositiveAmount = Field(description="Units for the order.")


class MultiplierBody(EarningBody):
    """What rates and cashback award, times so much: on the eligible lines."""

    kind: Literal["multiplier"]
    factor: Annotated[Decimal, Field(gt=1, le=1000, max_digits=8, decimal_places=4)] = Field(
        description="2 doubles, 1.5 gives half as much again."
    )
    of: tuple[Code, ...] = Field(
        (), description="Codes of the rules it multiplies; none named: all of its units."
    )


class WindowedBody(EarningBody):
    """A rule that may belong to a window of a member's orders instead of a single one."""

    units: PositiveAmount = Field(Decimal(1), description="Units for reaching it.")

    @property
    def windowed(self) -> bool:
        return True

    @property
    def period(self) -> str:
        """What begins a new window."""
        return "lifetime"

    @property
    @abstractmethod
    def goal(self) -> Decimal:
        """What has to be reached."""

    @property
    @abstractmethod
    def repeated(self) -> bool:
        """Whether it is awarded again each time that the goal is reached."""


class BonusBody(WindowedBody):
    """So many units when the eligible lines of an order, or of all orders in a window, reach so
    much."""

    kind: Literal["threshold_bonus"]
    reach: PositiveAmount = Field(description="So much money has to be reached.")
    window: Window = Field(
        "order", description="In one order, or in all orders of a period of the program's days."
    )
    repeats: bool = Field(False, description="Again each time that it is reached.")

    @property
    def windowed(self) -> bool:
        return self.window != "order"

    @property
    def period(self) -> str:
        return self.window

    @property
    def goal(self) -> Decimal:
        return self.reach

    @property
    def repeated(self) -> bool:
        return self.repeats


class NthPurchaseBody(WindowedBody):
    """So many units with the N-th order, or with every N-th."""

    kind: Literal["nth_purchase"]
    number: int = Field(ge=1, le=10_000, description="Which purchase; 1 is the first as a member.")
    window: Literal["day", "week", "month", "quarter", "year", "lifetime"] = Field(
        "lifetime", description="Counted in a period of the program's days, or ever."
    )
    repeats: bool = Field(False, description="With every so many purchases again.")
    least: PositiveAmount | None = Field(
        None, description="Only orders whose eligible lines come to so much money count."
    )

    @property
    def period(self) -> str:
        return self.window

    @property
    def goal(self) -> Decimal:
        return Decimal(self.number)

    @property
    def repeated(self) -> bool:
        return self.repeats


class StampsBody(WindowedBody):
    """A card that is stamped with orders; a full one brings units, and the next begins."""

    kind: Literal["stamps"]
    stamp_per: Literal["visit", "quantity", "money"] = Field(
        "visit", description="A stamp for each order, for each item, or for so much money."
    )
    each: PositiveAmount = Field(
        Decimal(1), description="With quantity or money: so much of it brings one stamp."
    )
    full_at: int = Field(ge=2, le=1000, description="Stamps that fill a card.")

    @property
    def goal(self) -> Decimal:
        return Decimal(self.full_at)

    @property
    def repeated(self) -> bool:
        return True


class StreakBody(WindowedBody):
    """So many units for orders in so many days, weeks or months in a row."""

    kind: Literal["streak"]
    length: int = Field(ge=2, le=366, description="Periods in a row.")
    of: Literal["day", "week", "month"] = Field("week", description="What the periods are.")
    repeats: bool = Field(True, description="Again for each further such streak.")
    least: PositiveAmount | None = Field(
        None, description="Only orders whose eligible lines come to so much money count."
    )

    @property
    def goal(self) -> Decimal:
        return Decimal(self.length)

    @property
    def repeated(self) -> bool:
        return self.repeats


class ActivityBody(AnyBody):
    """So many units for something that a member did: a review, a survey, a visit."""

    kind: Literal["activity"]
    activity: Code = Field(description="Code of the type of activity.")
    units: PositiveAmount = Field(description="Units for it, or for each of `times`.")
    times: Annotated[str, Field(pattern=r"^(|[A-Za-z_][A-Za-z0-9_.-]*)$", max_length=64)] = Field(
        "", description="Name of a number in its data: so many times the units. A dot leads into"
        " what is nested.",
    )  # fmt: skip
    fractions: Literal["down", "nearest", "up"] = Field(
        "down", description="With times: how fractions of the smallest unit are rounded."
    )


class AnniversaryBody(AnyBody):
    """So many units once a year: for the birthday, or for the day of joining or of the first
    purchase."""

    kind: Literal["occasion"]
    day: Literal["birthday", "enrollment", "first_purchase"] = Field(
        "birthday", description="The birthday, the day of joining the program, or that of the first"
        " purchase; the last two from the first year on.",
    )  # fmt: skip
    units: PositiveAmount = Field(description="Units for the day.")
    days_before: int = Field(
        0, ge=0, le=60, description="Given so many days ahead, so that they can be used on it."
    )


# Rules that an order is judged by.
OrderBody = (
    RateBody
    | CashbackBody
    | FixedBody
    | MultiplierBody
    | BonusBody
    | NthPurchaseBody
    | StampsBody
    | StreakBody
)
# Rules that award units.
AwardingBody = OrderBody | ActivityBody | AnniversaryBody
RuleBody = AwardingBody | DiscountBody
# What multipliers multiply.
BaseBody = RateBody | CashbackBody

KINDS: Mapping[str, type[RuleBody]] = {
    get_args(body.model_fields["kind"].annotation)[0]: body for body in get_args(RuleBody)
}


def parse_body(data: object) -> RuleBody:
    """Validate a stored or written body. Raises pydantic.ValidationError naming each wrong
    field."""
    kind = data.get("kind", "rate") if isinstance(data, Mapping) else "rate"
    body = KINDS.get(kind if isinstance(kind, str) else "", RateBody)
    return body.model_validate(data)
