"""A program's paid plans as data: what its file, the form and the demonstration say, validated."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal, Self

from babel.numbers import get_currency_precision
from django.utils.translation import gettext as _
from pydantic import Field, StringConstraints, field_serializer, field_validator, model_validator

from loyalty.rules.body_parts import Part, PositiveAmount
from loyalty.tier_definitions import EARNING_KINDS, BenefitDefinition, TierCode, TierName, plain
from loyalty.unit_definitions import ExpiryDefinition, WalletTypeDefinition
from members.wrong_values import WrongPartError

RetryDay = Annotated[int, Field(ge=1, le=60)]


class CreditsDefinition(Part):
    """Units that come with a plan once it is paid for."""

    units: PositiveAmount = Field(description="How many, each time.")
    wallet_type: Annotated[str, StringConstraints(max_length=64)] = Field(
        "", description="Of which kind. Empty: the first."
    )
    every: Literal["month", "period"] = Field(
        "month", description="Each month that is paid for, or once with each payment."
    )
    expiry: ExpiryDefinition | None = Field(
        None, description="When they expire; without it as the wallet type says."
    )

    @field_validator("expiry")
    @classmethod
    def expires_by_itself(cls, value: ExpiryDefinition | None) -> ExpiryDefinition | None:
        if value is not None and value.kind == "inactivity":
            raise ValueError(_("Credits of a plan do not expire by inactivity."))
        return value

    @field_serializer("units", when_used="json")
    def in_plain_notation(self, value: Decimal) -> str:
        return plain(value)


class PlanDefinition(Part):
    """Something that members pay for again and again. Who has it keeps price and credits until it
    renews; what it brings is changed for all at once."""

    code: TierCode = Field(description="Short name; the same plan keeps it.")
    name: TierName = Field(description="What people call it: Plus.")
    description: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = Field(
        "", description="What members read about it."
    )
    price: Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=4)] = Field(
        description="For a period, in the program's currency."
    )
    period: Literal["month", "quarter", "year"] = Field(
        "month", description="How long one payment lasts."
    )
    trial_days: int = Field(
        0, ge=0, le=365, description="Days before the first payment, once for a member."
    )
    offered: bool = Field(
        True, description="Members can take it. One that is not offered any more goes on for those"
        " who have it.",
    )  # fmt: skip
    credits: CreditsDefinition | None = Field(None, description="Units that come with it.")
    benefits: tuple[BenefitDefinition, ...] = Field((), description="What its members have.")
    upgrade: Literal["renewal", "at_once"] = Field(
        "renewal", description="Members with a plan that costs less a month get this one when"
        " theirs renews, or at once: then what is left of their payment is taken off the first one"
        " for this.",
    )  # fmt: skip
    retry_days: tuple[RetryDay, ...] = Field(
        (1, 3, 7), description="A payment that failed is tried again so many days after it was due."
    )
    grace_days: int = Field(
        10, ge=1, le=90, description="What is not paid so many days after it was due ends the plan;"
        " until then its benefits last.",
    )  # fmt: skip
    pay_days: int = Field(
        14, ge=0, le=90, description="Days to pay an invoice that nobody collects."
    )

    @field_validator("benefits")
    @classmethod
    def earning_benefits_once(
        cls, value: tuple[BenefitDefinition, ...]
    ) -> tuple[BenefitDefinition, ...]:
        kinds: list[str] = [benefit.kind for benefit in value]
        for kind in EARNING_KINDS:
            if kinds.count(kind) > 1:
                raise ValueError(_("%s: give one for a plan.") % kind)
        if len(value) > 20:
            raise ValueError(_("At most 20 benefits."))
        return value

    @model_validator(mode="after")
    def retries_are_in_the_days_of_grace(self) -> Self:
        days = list(self.retry_days)
        if days != sorted(set(days)):
            raise ValueError(_("retry_days: each is later than the one before."))
        if len(days) > 10:
            raise ValueError(_("retry_days: at most 10."))
        if days and days[-1] > self.grace_days:
            raise ValueError(_("grace_days: not before the last time that it is tried again."))
        return self

    @field_serializer("price", when_used="json")
    def in_plain_notation(self, value: Decimal) -> str:
        return plain(value)


def check_plans(
    plans: Sequence[PlanDefinition], wallet_types: Sequence[WalletTypeDefinition], currency: str
) -> None:
    """Raises ValueError where plans do not fit into their program."""
    codes = [plan.code for plan in plans]
    for number, code in enumerate(codes):
        if code in codes[:number]:
            raise WrongPartError(_("plans: a code is there twice."), "plans", number, "code")
    if len(plans) > 20:
        raise WrongPartError(_("plans: at most 20."), "plans")
    decimals = {item.code: item.decimals for item in wallet_types}
    for number, plan in enumerate(plans):
        check_price(plan, currency, "plans", number)
        for place, code in _wallet_types(plan).items():
            if code not in decimals:
                raise WrongPartError(
                    _("The plan %(plan)s names the wallet type %(wallet_type)s, which is missing.")
                    % {"plan": plan.code, "wallet_type": code},
                    "plans", number, *place,
                )  # fmt: skip
        if plan.credits is not None:
            digits = decimals[plan.credits.wallet_type or wallet_types[0].code]
            if plan.credits.units.scaleb(digits) % 1:
                raise WrongPartError(
                    _("The plan %s: its credits have more decimals than their units have.")
                    % plan.code,
                    "plans", number, "credits", "units",
                )  # fmt: skip


def _wallet_types(plan: PlanDefinition) -> dict[tuple[int | str, ...], str]:
    """Codes of the wallet types that it names, by where it does."""
    named: dict[tuple[int | str, ...], str] = {
        ("benefits", place, "wallet_type"): benefit.wallet_type
        for place, benefit in enumerate(plan.benefits)
    }
    if plan.credits:
        named["credits", "wallet_type"] = plan.credits.wallet_type
    return {place: code for place, code in named.items() if code}


def check_price(plan: PlanDefinition, currency: str, *place: int | str) -> None:
    """Nobody can pay less than the smallest coin of the currency. `place`: the plan's."""
    if plan.price != round(plan.price, get_currency_precision(currency)):
        raise WrongPartError(
            _("The plan %(plan)s: %(price)s is no sum of money in %(currency)s.")
            % {"plan": plan.code, "price": plain(plan.price), "currency": currency},
            *place, "price",
        )  # fmt: skip
