"""Charities and pledges as a program file says them, validated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from django.utils.translation import gettext as _
from pydantic import (
    AwareDatetime,
    Field,
    StringConstraints,
    field_serializer,
    field_validator,
    model_validator,
)

from loyalty.rule_conditions import read_condition
from loyalty.rule_definitions import Name
from loyalty.rules.body_parts import Code, Part, PositiveAmount
from members.conditions.tree import ConditionError
from members.wrong_values import WrongPartError

Text = Annotated[str, StringConstraints(strip_whitespace=True)]
Summary = Annotated[Text, Field(max_length=300)]
Called = Annotated[Text, Field(max_length=40)]
Icon = Literal["heart", "tree", "plant-2", "paw", "school", "ripple", "soup", "stethoscope", "home"]
# https only: members follow it from their own pages.
Website = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=300, pattern=r"^(https://\S+\.\S+)?$")
]
Exact = Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=4)]


def plainly(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"


class CharityText(Part):
    """What members read of a charity in one language."""

    name: Annotated[Text, Field(max_length=120)] = Field("", description="Its name.")
    summary: Summary = Field("", description="It in a sentence.")


class CharityRateDefinition(Part):
    """What units are worth there: so much money, or so many things, for so many units."""

    wallet_type: Code = Field("points", description="Code of the units.")
    units: PositiveAmount = Field(Decimal(1), description="For so many whole units:")
    money: Exact | None = Field(None, description="so much money,")
    things: Exact | None = Field(None, description="or so many things, as trees.")

    @model_validator(mode="after")
    def one_of_both(self) -> Self:
        if (self.money is None) == (self.things is None):
            raise ValueError(_("Say money or things, and one only."))
        return self

    @field_serializer("units", "money", "things", when_used="json")
    def in_plain_notation(self, value: Decimal | None) -> str | None:
        return plainly(value)


class CharityDefinition(Part):
    """Whom members may give to, with an account of its own in the books."""

    code: Code = Field(description="Short name, unique among them. Stays as it is.")
    name: Name = Field(description="What people call it.")
    status: Literal["live", "archived"] = Field(
        "live", description="To an archived one nothing can be given."
    )
    summary: Summary = Field("", description="What it does, in a sentence.")
    texts: Mapping[Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)?$")],
                   CharityText] = Field(
        {}, description="Name and summary in other languages, by the language: el, zh-hans."
    )  # fmt: skip
    website: Website = Field("", description="Its web address, beginning with https.")
    icon: Icon = Field("heart", description="The picture beside its name.")
    thing_singular: Called = Field("", description="What its work is counted in: tree.")
    thing_plural: Called = Field("", description="Several of them: trees.")
    thing_price: Exact | None = Field(None, description="Money for one of them.")
    rates: tuple[CharityRateDefinition, ...] = Field(
        (), max_length=20,
        description="What units are worth there. Without one: what they are worth to members.",
    )  # fmt: skip

    @model_validator(mode="after")
    def things_are_named(self) -> Self:
        if bool(self.thing_singular) != bool(self.thing_plural):
            raise ValueError(_("Name one thing and several of them, or neither."))
        counted = self.thing_price is not None or any(rate.things for rate in self.rates)
        if counted and not self.thing_singular:
            raise ValueError(_("Say what its work is counted in: tree, trees."))
        named = [rate.wallet_type for rate in self.rates]
        if len(set(named)) < len(named):
            raise ValueError(_("One rate for each kind of units."))
        return self

    @field_serializer("thing_price", when_used="json")
    def in_plain_notation(self, value: Decimal | None) -> str | None:
        return plainly(value)


class PledgeDefinition(Part):
    """What the merchant gives to a charity for each event of a kind."""

    code: Code = Field(description="Short name, unique among its charity's. Stays as it is.")
    charity: Code = Field(description="Code of the charity. Stays as it is.")
    name: Name = Field(description="What people call it: A tree for each order.")
    status: Literal["draft", "live", "archived"] = Field(
        "draft", description="Only a live one counts events."
    )
    event: Literal["order", "activity", "member"] = Field(
        description="For each order, activity, or new member. Stays as it is."
    )
    activity_type: Literal[""] | Code = Field(
        "", description="Of activities: only those of this type, as referral."
    )
    least: Exact | None = Field(None, description="Of orders: only from so much money on.")
    when: Mapping[str, Any] = Field({}, description="For whom: a condition about the member.")
    money: Exact | None = Field(None, description="So much money for each,")
    things: Exact | None = Field(None, description="or so many things, as trees.")
    budget: Exact | None = Field(
        None, description="In all at most so much, in the same. Empty: no limit."
    )
    starts_at: AwareDatetime | None = Field(
        None, description="For events from then on. Empty: from when it is written."
    )
    ends_at: AwareDatetime | None = Field(None, description="For events before then.")

    @field_validator("when")
    @classmethod
    def condition_can_be_read(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        if value:
            try:
                read_condition(value, "occasion")
            except ConditionError as error:
                raise ValueError(str(error)) from error
        return value

    @model_validator(mode="after")
    def fits_its_event(self) -> Self:
        if (self.money is None) == (self.things is None):
            raise ValueError(_("Say money or things, and one only."))
        if self.activity_type and self.event != "activity":
            raise ValueError(_("Only activities have a type."))
        if self.least is not None and self.event != "order":
            raise ValueError(_("Only orders have an amount."))
        if self.ends_at and self.starts_at and self.ends_at <= self.starts_at:
            raise ValueError(_("It ends after it begins."))
        if self.budget is not None and self.budget < self.amount:
            raise ValueError(_("The budget is less than what one event gives."))
        return self

    @property
    def amount(self) -> Decimal:
        return self.money or self.things or Decimal(0)

    @field_serializer("least", "money", "things", "budget", when_used="json")
    def in_plain_notation(self, value: Decimal | None) -> str | None:
        return plainly(value)


def check_pledges(
    pledges: Sequence[PledgeDefinition], charities: Sequence[CharityDefinition]
) -> None:
    """Each names a charity of the program, which counts the things that it gives. Raises
    WrongPartError."""
    known = {item.code: item for item in charities}
    seen: set[tuple[str, str]] = set()
    for place, pledge in enumerate(pledges):
        words = {"pledge": pledge.code, "charity": pledge.charity}
        charity = known.get(pledge.charity)
        if charity is None:
            raise WrongPartError(
                _("The pledge %(pledge)s names the charity %(charity)s, which is missing.") % words,
                "pledges", place, "charity",
            )  # fmt: skip
        if (pledge.charity, pledge.code) in seen:
            said = _("%(charity)s has the pledge %(pledge)s twice.") % words
            raise WrongPartError(said, "pledges", place, "code")
        if pledge.things is not None and not charity.thing_singular:
            raise WrongPartError(
                _("The pledge %(pledge)s gives things: say what %(charity)s counts.") % words,
                "pledges", place, "things",
            )  # fmt: skip
        seen.add((pledge.charity, pledge.code))
