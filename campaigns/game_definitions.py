"""What a game may say, validated: its prizes, how plays come about, in which words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from django.utils.translation import gettext as _
from pydantic import (
    AwareDatetime,
    Field,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_validator,
)

from campaigns.campaign_definitions import STORED, Amount, Language, Said, checked_audience
from campaigns.fair_draws import MOST_WEIGHT
from campaigns.models import Game, GamePrize
from loyalty.rules.amounts import plain_text
from loyalty.rules.body_parts import Code

_TEXT = r"^[^\x00]*$"
MOST_PRIZES = 12
Name = Annotated[str, Field(min_length=1, max_length=80, pattern=_TEXT)]
Count = Annotated[int, Field(ge=1, le=100_000_000)]


class GameTexts(Said):
    """What members read in another language; what is not said is as in the first one."""

    title: Annotated[str, Field(max_length=80, pattern=_TEXT)] = ""
    text: Annotated[str, Field(max_length=300, pattern=_TEXT)] = ""


class PrizeDefinition(Said):
    """One of the prizes. `catches`: it is drawn instead of one that has run out."""

    code: Code
    kind: Literal["units", "reward", "play", "nothing"]
    name: Name
    texts: dict[Language, Annotated[str, Field(max_length=80, pattern=_TEXT)]] = {}
    weight: int = Field(ge=1, le=MOST_WEIGHT)
    units: Amount | None = None
    reward: Code | None = Field(None, description="The reward's code.")
    cost: Decimal | None = Field(
        None, ge=0, max_digits=14, decimal_places=4,
        description="What one costs. Of units, what they are worth.",
    )  # fmt: skip
    stock: Count | None = None
    per_day: Count | None = None
    catches: bool = False

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.units is not None) != (self.kind == "units"):
            raise ValueError(_("units: say how many units are won, of units alone."))
        if (self.reward is not None) != (self.kind == "reward"):
            raise ValueError(_("reward: say which reward is won, of rewards alone."))
        if self.cost is not None and self.kind != "reward":
            raise ValueError(_("cost: it is known for all but rewards."))
        if self.catches and (self.kind != "nothing" or self.stock or self.per_day):
            raise ValueError(_("catches: this has to be nothing, without stock and daily limit."))
        return self

    @field_serializer("units", "cost", when_used="json")
    def _plain(self, value: Decimal | None) -> str | None:
        return None if value is None else plain_text(value)


class Earning(Said):
    """What earns plays. `least`: of an order; `activity`: the code of its type."""

    on: Literal["order", "activity", "joined", "tier_up"]
    plays: int = Field(1, ge=1, le=20)
    least: Amount | None = None
    activity: Code | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.least is not None and self.on != "order":
            raise ValueError(_("least: only orders have an amount."))
        if (self.activity is not None) != (self.on == "activity"):
            raise ValueError(_("activity: say which activity earns a play."))
        return self

    @field_serializer("least", when_used="json")
    def _plain(self, value: Decimal | None) -> str | None:
        return None if value is None else plain_text(value)


class GameDefinition(Said):
    """All that staff say of a game."""

    name: Name
    kind: Literal["wheel", "slot", "scratch", "box"]
    title: Name
    text: Annotated[str, Field(max_length=300, pattern=_TEXT)] = ""
    texts: dict[Language, GameTexts] = {}
    audience: dict[str, Any] = {}
    price: Amount | None = None
    free_plays: int = Field(0, ge=0, le=20)
    free_each: Literal["", "day", "week"] = ""
    earning: list[Earning] = Field([], max_length=10)
    play_days: int | None = Field(None, ge=1, le=366)
    daily_plays: int | None = Field(None, ge=1, le=1000)
    guests: bool = Field(
        False,
        description="Who is no member plays once on the public page, and claims it by joining.",
    )
    claim_hours: int = Field(
        48, ge=1, le=720, description="Hours in which a guest joins and claims it."
    )
    budget_units: Amount | None = None
    budget_money: Amount | None = None
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    prizes: list[PrizeDefinition] = Field([], max_length=MOST_PRIZES)

    @field_validator("audience")
    @classmethod
    def _readable(cls, when: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        return checked_audience(when, info)

    @field_validator("ends_at")
    @classmethod
    def _later(cls, ends_at: dt.datetime | None, info: ValidationInfo) -> dt.datetime | None:
        starts_at = info.data.get("starts_at")
        if ends_at and starts_at and ends_at <= starts_at:
            raise ValueError(_("It has to end after it begins."))
        return ends_at

    @field_validator("prizes")
    @classmethod
    def _told_apart(cls, prizes: list[PrizeDefinition]) -> list[PrizeDefinition]:
        codes = [prize.code for prize in prizes]
        if len(set(codes)) < len(codes):
            raise ValueError(_("Two prizes have the same code."))
        if sum(prize.catches for prize in prizes) > 1:
            raise ValueError(_("One prize alone catches the others."))
        if sum(prize.weight for prize in prizes) > MOST_WEIGHT:
            raise ValueError(_("The weights come to more than %s.") % f"{MOST_WEIGHT:,}")
        return prizes

    @model_validator(mode="after")
    def _together(self) -> Self:
        if bool(self.free_plays) != bool(self.free_each):
            raise ValueError(_("free_plays: say how many, and how often."))
        if self.guests and self.audience:
            raise ValueError(_("guests: of guests nobody knows whether they are in an audience."))
        return self

    @field_serializer("price", "budget_units", "budget_money", when_used="json")
    def _plain(self, value: Decimal | None) -> str | None:
        return None if value is None else plain_text(value)


PLAIN = tuple(name for name in GameDefinition.model_fields if name != "prizes")


def definition_of_game(game: Game) -> GameDefinition:
    """Also where its audience names what is gone meanwhile."""
    said = {name: getattr(game, name) for name in PLAIN}
    prizes = [prize_definition(prize) for prize in game.prizes.all()]
    return GameDefinition.model_validate(said | {"prizes": prizes}, context=STORED)


def prize_definition(prize: GamePrize) -> PrizeDefinition:
    names = ("code", "kind", "name", "texts", "weight", "units", "stock", "per_day", "catches")
    reward = prize.reward.code if prize.reward else None
    cost = prize.cost if prize.reward else None
    return PrizeDefinition(
        **{name: getattr(prize, name) for name in names}, reward=reward, cost=cost
    )


def earnings_of(game: Game, on: str) -> Sequence[Earning]:
    return [Earning.model_validate(item) for item in game.earning if item.get("on") == on]
