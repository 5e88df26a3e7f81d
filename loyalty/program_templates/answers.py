"""What a template of a program wants to know, validated. A template asks some of it and has its own
defaults for the rest."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

from django.utils.translation import gettext as _
from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from loyalty.definitions import Currency, TimeZone
from loyalty.giving_definitions import Icon
from loyalty.partner_definitions import PerUnit
from loyalty.rule_definitions import Name
from loyalty.rules.body_parts import Code, Part, Percent, PositiveAmount
from loyalty.tier_definitions import TierName
from loyalty.unit_definitions import FormName, UnitIcon, UnitName

Amount = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=4)]
Factor = Annotated[Decimal, Field(ge=1, le=1000, max_digits=8, decimal_places=4)]
Share = Annotated[Decimal, Field(gt=0, le=100, max_digits=7, decimal_places=4)]
Category = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]
# Languages with more than one plural need further names of a unit; the others need none.
PluralLanguage = Literal["", "ar", "be", "cs", "hr", "lt", "pl", "ro", "ru", "sk", "sl", "sr", "uk"]


class TierAnswer(Part):
    """A step of the ladder."""

    name: TierName
    threshold: Amount = Decimal(0)
    factor: Factor = Decimal(1)


class BracketAnswer(Part):
    """The percentage above so much, up to the next bracket."""

    above: Amount = Decimal(0)
    percent: Percent


class CategoryAnswer(Part):
    """The percentage for one category."""

    category: Category
    percent: Percent


class ActionAnswer(Part):
    """Something to do besides buying, and what it brings."""

    activity: Code
    name: Name
    units: PositiveAmount


class PrizeAnswer(Part):
    """So many units, and in how many of a hundred plays they are won."""

    units: PositiveAmount
    percent: Annotated[Decimal, Field(gt=0, lt=100, max_digits=4, decimal_places=2)]


class PartnerAnswer(Part):
    """A brand that takes part, and what a unit is worth between it and the program."""

    name: Name
    issued: PerUnit
    taken_in: PerUnit


Link = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=500, pattern=r"^(https?://\S+)?$")
]
Gift = Literal["none", "units", "percent", "reward"]
Thing = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Sku = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
Perk = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


class Answers(Part):
    """All that can be answered. Money is in the program's currency, units are whole units."""

    program_name: Name
    code: Code
    currency: Currency
    time_zone: TimeZone = "UTC"

    unit_singular: UnitName = "point"
    unit_plural: UnitName = "points"
    unit_icon: UnitIcon = "coins"
    unit_language: PluralLanguage = ""
    unit_few: FormName = ""
    unit_many: FormName = ""

    earn_units: PositiveAmount = Decimal(1)
    earn_per: PositiveAmount = Decimal(1)
    percent: Share = Decimal(5)
    categories: Annotated[tuple[CategoryAnswer, ...], Field(max_length=50)] = ()
    brackets: Annotated[tuple[BracketAnswer, ...], Field(max_length=20)] = ()
    stamps: Annotated[int, Field(ge=2, le=1000)] = 10
    stamp_each: PositiveAmount = Decimal(1)
    card_units: PositiveAmount = Decimal(1)
    actions: Annotated[tuple[ActionAnswer, ...], Field(max_length=20)] = ()
    welcome_units: Amount = Decimal(0)
    birthday_units: Amount = Decimal(0)

    reward_units: PositiveAmount = Decimal(100)
    reward_worth: Amount = Decimal(1)
    reward_skus: Annotated[tuple[Sku, ...], Field(max_length=100)] = ()
    spend_step: PositiveAmount = Decimal(1)
    spend_share: Share = Decimal(100)
    charities: Annotated[tuple[Name, ...], Field(max_length=20)] = ()

    pending_days: Annotated[int, Field(ge=0, le=365)] = 0
    expiry: Literal["never", "months", "end_of_year", "inactivity"] = "months"
    expiry_months: Annotated[int, Field(ge=1, le=120)] = 12

    tiers: Annotated[tuple[TierAnswer, ...], Field(max_length=6)] = ()
    tier_window: Literal[
        "calendar_year", "rolling_12_months", "membership_year", "lifetime"
    ] = "calendar_year"  # fmt: skip

    plan_name: TierName = "Plus"
    plan_price: PositiveAmount = Decimal("9.90")
    plan_period: Literal["month", "quarter", "year"] = "month"
    plan_trial_days: Annotated[int, Field(ge=0, le=365)] = 0
    plan_credits: Amount = Decimal(0)
    plan_factor: Factor = Decimal(1)
    plan_shipping: Literal["none", "from", "always"] = "none"
    plan_shipping_from: PositiveAmount = Decimal(20)
    plan_early_hours: Annotated[int, Field(ge=0, le=8760)] = 0
    plan_perks: Annotated[tuple[Perk, ...], Field(max_length=10)] = ()

    bulk_brackets: Annotated[tuple[BracketAnswer, ...], Field(max_length=20)] = ()
    company_approval: Literal["never", "limits", "always"] = "limits"
    company_at_once: Annotated[int, Field(ge=1, le=10**9)] = 2000
    company_in_period: Annotated[int, Field(ge=1, le=10**9)] = 10000
    company_period: Literal["day", "month"] = "month"
    company_answer_days: Annotated[int, Field(ge=1, le=90)] = 7

    charity_name: Name = "A charity of your choice"
    charity_icon: Icon = "tree"
    thing_singular: Thing = "tree"
    thing_plural: Thing = "trees"
    thing_price: PositiveAmount = Decimal(1)
    pledge_event: Literal["order", "friend", "member"] = "order"
    pledge_things: PositiveAmount = Decimal(1)
    pledge_least: Amount = Decimal(0)
    pledge_budget: Amount = Decimal(0)

    game_kind: Literal["wheel", "scratch", "slot", "box"] = "wheel"
    game_plays: Literal["day", "week", "order", "bought"] = "day"
    game_least: Amount = Decimal(0)
    game_price: PositiveAmount = Decimal(50)
    prizes: Annotated[tuple[PrizeAnswer, ...], Field(max_length=9)] = ()
    prize_reward: Annotated[Decimal, Field(ge=0, lt=100, max_digits=4, decimal_places=2)] = Decimal(
        0
    )

    advocate_gift: Gift = "none"
    advocate_units: PositiveAmount = Decimal(100)
    advocate_percent: Share = Decimal(10)
    friend_gift: Gift = "none"
    friend_units: PositiveAmount = Decimal(100)
    friend_percent: Share = Decimal(10)
    further_percent: Annotated[Decimal, Field(ge=0, le=100, max_digits=7, decimal_places=4)] = (
        Decimal(0)
    )
    further_months: Annotated[int, Field(ge=1, le=60)] = 12
    friend_least: Amount = Decimal(0)
    friend_wait_days: Annotated[int, Field(ge=0, le=180)] = 14

    partners: Annotated[tuple[PartnerAnswer, ...], Field(max_length=20)] = ()

    tier_early_hours: Annotated[int, Field(ge=0, le=8760)] = 0
    tier_perks: Annotated[tuple[Perk, ...], Field(max_length=10)] = ()
    experience_name: Annotated[Name, StringConstraints(max_length=80)] = "Experience"
    event_name: Annotated[Name, StringConstraints(max_length=80)] = "Event"
    event_on: dt.date | None = None
    event_place: Annotated[Name, StringConstraints(max_length=120)] = "Our shop"
    event_seats: Annotated[int, Field(ge=1, le=100_000)] = 20
    event_units: Amount = Decimal(0)
    content_title: Annotated[Name, StringConstraints(max_length=80)] = "Library"
    content_link: Link = ""
    content_units: Amount = Decimal(0)

    @field_validator("prize_reward")
    @classmethod
    def not_all_is_won(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        won = value + sum(prize.percent for prize in info.data.get("prizes", ()))
        if won >= 100:
            raise ValueError(
                _(
                    "With the prizes above it comes to 100 or more. Leave some plays"
                    " that win nothing: they come where a prize has run out."
                )
            )
        return value

    @field_validator("advocate_gift", "friend_gift")
    @classmethod
    def gift_is_there(cls, value: str, info: ValidationInfo) -> str:
        if value in ("percent", "reward") and not info.data.get("reward_worth", 1):
            raise ValueError(_("The first reward is worth nothing. Say what it is worth first."))
        return value

    @field_validator("spend_step")
    @classmethod
    def reward_is_in_steps(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        if info.data.get("reward_units", value) % value:
            raise ValueError(_("The first reward costs a multiple of it."))
        return value

    @field_validator("brackets", "bulk_brackets")
    @classmethod
    def brackets_rise(cls, value: tuple[BracketAnswer, ...]) -> tuple[BracketAnswer, ...]:
        above = [bracket.above for bracket in value]
        if above != sorted(set(above)):
            raise ValueError(_("List them from the lowest to the highest, each once."))
        return value

    @field_validator("categories")
    @classmethod
    def categories_once(cls, value: tuple[CategoryAnswer, ...]) -> tuple[CategoryAnswer, ...]:
        if len({item.category for item in value}) < len(value):
            raise ValueError(_("A category is there twice."))
        return value

    @field_validator("actions")
    @classmethod
    def actions_once(cls, value: tuple[ActionAnswer, ...]) -> tuple[ActionAnswer, ...]:
        if len({item.activity for item in value}) < len(value):
            raise ValueError(_("An activity is there twice."))
        return value

    @field_validator("tiers")
    @classmethod
    def tiers_rise(cls, value: tuple[TierAnswer, ...]) -> tuple[TierAnswer, ...]:
        if not value:
            return value
        thresholds = [tier.threshold for tier in value]
        if len(value) < 2:
            raise ValueError(_("A ladder has two tiers at least."))
        if thresholds[0]:
            raise ValueError(_("The first tier is everybody’s: its threshold is 0."))
        if thresholds != sorted(set(thresholds)):
            raise ValueError(_("Each tier asks for more than the one before."))
        if len({tier.name for tier in value}) < len(value):
            raise ValueError(_("Two tiers have the same name."))
        return value
