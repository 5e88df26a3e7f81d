"""A whole program as data: what the program file, the form and the demo say, validated.

`loyalty.services.programs.apply_definition` is the one way from here into the database.
"""

from __future__ import annotations

import zoneinfo
from decimal import Decimal
from typing import Annotated, Literal, Self

from django.utils.translation import gettext as _
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_serializer,
    field_validator,
    model_validator,
)

from loyalty.rules.bodies import BasePolicy, LineFilter, PositiveAmount, RateBody, Rounding

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
UnitName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class _Definition(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExpiryDefinition(_Definition):
    """When units expire. A change is for units earned from then on."""

    kind: Literal["never", "months"] = Field("never", description="Never, or months after earning.")
    months: int | None = Field(None, ge=1, le=120, description="With kind months: how many.")
    last_day: Literal["end_of_day", "start_of_day"] = Field(
        "end_of_day", description="The last day is usable to its end, or expires as it begins."
    )

    @model_validator(mode="after")
    def months_belong_to_their_kind(self) -> Self:
        if (self.kind == "months") != (self.months is not None):
            raise ValueError(_("Give months with kind “months”, and only then."))
        return self


class WalletTypeDefinition(_Definition):
    """A kind of unit, with its names."""

    code: Code = Field("points", description="Short name, unique in the program. Stays as it is.")
    singular: UnitName = Field("point", description="What one unit is called.")
    plural: UnitName = Field("points", description="What several are called.")
    decimals: int = Field(0, ge=0, le=4, description="Decimals of a unit; fixed once units exist.")
    unit_value: Decimal = Field(
        Decimal(0), ge=0, max_digits=14, decimal_places=6, description="Worth of one unit in money."
    )
    pending_days: int = Field(0, ge=0, le=365, description="Days until earned units are spendable.")
    expiry: ExpiryDefinition = Field(ExpiryDefinition(), description="When units expire.")

    @field_serializer("unit_value", when_used="json")
    def in_plain_notation(self, value: Decimal) -> str:
        """The database pads with zeros; people do not."""
        return f"{value.normalize():f}" if value else "0"


class EarningRuleDefinition(_Definition):
    """The base rule: so many units for so much of what was bought."""

    code: Code = Field("base", description="Short name, unique in the program. Stays as it is.")
    name: Name = Field("Base rate", description="What people call it; explanations name it.")
    wallet_type: Code = Field("points", description="Code of the wallet type that it awards.")
    kind: Literal["rate"] = Field("rate", description="The kind of rule.")
    measure: Literal["money", "quantity"] = Field("money", description="What is counted.")
    units: PositiveAmount = Field(Decimal(1), description="Units earned …")
    per: PositiveAmount = Field(Decimal(1), description="… for each this much of the measure.")
    base: BasePolicy = Field(BasePolicy(), description="Which parts of an order count.")
    include: LineFilter = Field(LineFilter(), description="Only these lines earn.")
    exclude: LineFilter = Field(LineFilter(), description="These lines earn nothing.")
    rounding: Rounding = Field(Rounding(), description="How fractions are rounded.")

    def body(self) -> RateBody:
        return RateBody(
            measure=self.measure,
            units=self.units,
            per=self.per,
            base=self.base,
            include=self.include,
            exclude=self.exclude,
            rounding=self.rounding,
        )


class ProgramDefinition(_Definition):
    """One loyalty scheme."""

    code: Code = Field(description="Short name for files, commands and the API. Stays as it is.")
    name: Name = Field(description="What people call it.")
    description: str = Field("", max_length=2000, description="What it is for.")
    status: Literal["draft", "live", "archived"] = Field(
        "draft", description="Only a live program awards; once live it is never a draft again."
    )
    currency: Currency = Field(description="Orders in this currency earn.")
    time_zone: str = Field("UTC", description="Where its days begin, such as Europe/Athens.")
    enrollment: Literal["automatic", "explicit"] = Field(
        "automatic", description="Automatic: every customer joins with their first order."
    )
    unlinked_returns: Literal["own_amount", "ignore"] = Field(
        "own_amount", description="What a return without its order takes back."
    )
    wallet_types: tuple[WalletTypeDefinition, ...] = Field(
        min_length=1, description="The kinds of units it awards; at least one."
    )
    earning_rules: tuple[EarningRuleDefinition, ...] = Field(
        (), description="How orders become units."
    )

    @field_validator("time_zone")
    @classmethod
    def time_zone_exists(cls, value: str) -> str:
        if value not in zoneinfo.available_timezones():
            raise ValueError(_("No such time zone; write one like Europe/Athens."))
        return value

    @model_validator(mode="after")
    def codes_fit_together(self) -> Self:
        wallet_types = [item.code for item in self.wallet_types]
        rules = [item.code for item in self.earning_rules]
        for codes, what in ((wallet_types, "wallet_types"), (rules, "earning_rules")):
            double = {code for code in codes if codes.count(code) > 1}
            if double:
                raise ValueError(
                    _("%(what)s: the code %(code)s is there twice.")
                    % {"what": what, "code": min(double)}
                )
        for rule in self.earning_rules:
            if rule.wallet_type not in wallet_types:
                raise ValueError(
                    _("The rule %(rule)s names the wallet type %(wallet_type)s, which is missing.")
                    % {"rule": rule.code, "wallet_type": rule.wallet_type}
                )
        return self
