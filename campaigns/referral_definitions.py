"""What a program may promise for bringing friends, validated: for whom, when, how much at most, in
which words."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from django.utils.translation import gettext as _
from pydantic import Field, field_validator, model_validator

from campaigns.campaign_definitions import Amount, Language, Said
from campaigns.models import ReferralTerms

_TEXT = r"^[^\x00]*$"
Title = Annotated[str, Field(max_length=80, pattern=_TEXT)]
Prose = Annotated[str, Field(max_length=300, pattern=_TEXT)]
MOST_STEPS = 5


class ReferralGift(Said):
    """What one side gets."""

    kind: Literal["none", "units", "percent", "reward"] = Field(
        "none",
        description="Nothing, so many units, units worth so many percent of the friend's first "
        "order, or a reward.",
    )
    units: Amount | None = Field(None, description="Of `units`: how many.")
    percent: Annotated[Decimal, Field(gt=0, le=100, decimal_places=4)] | None = Field(
        None, description="Of `percent`: of what the friend's first order comes to."
    )
    unit: Annotated[str, Field(max_length=64, pattern=_TEXT)] = Field(
        "", description="Code of the kind of units; empty: the program's first."
    )
    reward: Annotated[str, Field(max_length=64, pattern=_TEXT)] = Field(
        "", description="Of `reward`: its code."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        wanted = {"units": self.units, "percent": self.percent, "reward": self.reward}
        if self.kind in wanted and not wanted[self.kind]:
            raise ValueError(_("%s: say how much.") % self.kind)
        return self

    @property
    def is_nothing(self) -> bool:
        return self.kind == "none"


class ReferralShare(Said):
    """What one side gets of what the friend buys after the first purchase, for so many orders, so
    many months, or as long as both say."""

    percent: Annotated[Decimal, Field(gt=0, le=100, decimal_places=4)] = Field(
        description="Of what each of these orders comes to, in units."
    )
    unit: Annotated[str, Field(max_length=64, pattern=_TEXT)] = Field(
        "", description="Code of the kind of units; empty: the program's first."
    )
    orders: int | None = Field(None, ge=1, le=1000, description="Of the first so many of them.")
    months: int | None = Field(
        None, ge=1, le=60, description="Of those placed so many months from the first purchase."
    )
    most_per_order: Amount | None = Field(None, description="Units for one order, at most.")
    most: Amount | None = Field(None, description="Units for one friend in all, at most.")

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.orders is None and self.months is None:
            raise ValueError(_("Say for how many orders, or for how many months."))
        return self

    def as_gift(self) -> ReferralGift:
        return ReferralGift(kind="percent", percent=self.percent, unit=self.unit)


class ReferralStep(Said):
    """What the advocate gets instead, from so many friends on."""

    friends: Annotated[int, Field(ge=2, le=1000, description="From the how manieth friend on.")]
    gift: ReferralGift


class ReferralTexts(Said):
    """What people read in another language; what is not said is as in the first one."""

    title: Title = ""
    text: Prose = ""
    share: Prose = ""
    friend_title: Title = ""
    friend_text: Prose = ""


class ReferralDefinition(Said):
    """All that staff say of how members bring friends."""

    advocate: ReferralGift = Field(ReferralGift(), description="Who brought the friend gets it.")
    steps: list[ReferralStep] = Field(
        [], max_length=MOST_STEPS,
        description="Something else for the advocate, from so many friends on.",
    )  # fmt: skip
    friend: ReferralGift = Field(ReferralGift(), description="The friend gets it.")
    advocate_further: ReferralShare | None = Field(
        None, description="Of the friend's further purchases, for who brought them."
    )
    friend_further: ReferralShare | None = Field(
        None, description="Of the friend's further purchases, for the friend."
    )
    least: Amount | None = Field(None, description="The friend's first order of so much counts.")
    wait_days: int = Field(
        14, ge=0, le=180, description="Days after that order before anything is paid."
    )
    within_days: int = Field(90, ge=1, le=730, description="Days in which the friend must buy.")
    newcomers_only: bool = Field(True, description="Only who has bought nothing before.")
    most_per_day: int | None = Field(
        5, ge=1, le=1000, description="Friends of one member in a day; more are looked at by staff."
    )
    budget_units: Amount | None = Field(None, description="Units for both sides, in all.")
    budget_money: Amount | None = Field(None, description="Money that all of it may cost.")
    title: Title = Field("", description="What members read above it.")
    text: Prose = ""
    share: Prose = Field("", description="What members send to friends; the link goes with it.")
    friend_title: Title = Field("", description="What friends read who open the link.")
    friend_text: Prose = ""
    texts: dict[Language, ReferralTexts] = {}

    @field_validator("steps")
    @classmethod
    def _rising(cls, steps: list[ReferralStep]) -> list[ReferralStep]:
        numbers = [step.friends for step in steps]
        if numbers != sorted(set(numbers)):
            raise ValueError(_("Each step begins with more friends than the one before."))
        return steps

    def gift_for(self, friend: int) -> ReferralGift:
        """What the advocate gets for the how manieth friend."""
        found = self.advocate
        for step in self.steps:
            if step.friends <= friend:
                found = step.gift
        return found

    @property
    def gifts(self) -> list[ReferralGift]:
        return [self.advocate, *(step.gift for step in self.steps), self.friend]


FURTHER = ("advocate_further", "friend_further")
FIELDS = tuple(ReferralDefinition.model_fields)


def read_definition(body: dict[str, Any]) -> ReferralDefinition:
    return ReferralDefinition.model_validate(body)


def definition_of(terms: ReferralTerms) -> ReferralDefinition:
    return read_definition(terms.body)


def stored(definition: ReferralDefinition) -> dict[str, Any]:
    """As it is kept: only what is said."""
    return definition.model_dump(mode="json", exclude_defaults=True)
