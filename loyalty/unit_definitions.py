"""The units of a program as data: when they mature and expire, how they are used, and what members
may give away."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, Self, get_args

from django.utils.translation import gettext as _
from pydantic import Field, StringConstraints, field_serializer, model_validator

from loyalty.rules.body_parts import Code, Part, PositiveAmount
from members.formatting import plural_forms_of
from members.wrong_values import WrongPartError

UnitName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
# The same, or empty.
FormName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)]
UnitIcon = Literal[
    "award", "bike", "bolt", "book", "bread", "car", "cash", "coffee", "coin", "coins", "cookie",
    "crown", "diamond", "flame", "flower", "gift", "heart", "leaf", "medal", "paw", "pig-money",
    "pizza", "plant", "rosette", "rubber-stamp", "scissors", "seedling", "shirt", "star", "ticket",
    "trophy", "wallet",
]  # fmt: skip
UNIT_ICONS: tuple[str, ...] = get_args(UnitIcon)
ExpiryKind = Literal[
    "never", "days", "months", "years", "end_of_period", "fixed_date", "inactivity"
]
# What renews units that expire by inactivity: kinds of movements, as the ledger names them.
Renewal = Literal["accrual", "redemption", "gift", "pool"]
TierValue = Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=6)]
FULL = Decimal(100)
COUNTED = ("days", "months", "years", "end_of_period", "inactivity")


class ExpiryDefinition(Part):
    """When units expire. A change is for units earned from then on."""

    kind: ExpiryKind = Field("never", description="How the last day is found.")
    length: int | None = Field(
        None, ge=0, le=3650,
        description="How many days, months or years; for end_of_period how many periods after the"
        " one in which they were earned, 0 being the same; for inactivity months without activity.",
    )  # fmt: skip
    period: Literal["", "month", "quarter", "half_year", "year"] = Field(
        "", description="With end_of_period: the end of what."
    )
    month_day: Annotated[str, StringConstraints(pattern=r"^(|(0[1-9]|1[0-2])-[0-3]\d)$")] = Field(
        "", description="With fixed_date: the day of the year on which they expire, as MM-DD."
    )
    counted_from: Literal["earning", "maturity"] = Field(
        "earning", description="From when they were earned, or from when they could be spent."
    )
    last_day: Literal["end_of_day", "start_of_day"] = Field(
        "end_of_day", description="The last day is usable to its end, or expires as it begins."
    )
    renewed_by: tuple[Renewal, ...] = Field(
        (), description="With inactivity: what counts as activity; nothing named: earning and"
        " redeeming.",
    )  # fmt: skip
    restored_days: int = Field(
        0, ge=0, le=3650, description="A spend that is undone gives units at least so many days."
    )
    warned_days: int | None = Field(
        None, ge=1, le=365,
        description="They expire so many days after their warning went out at the earliest, and"
        " not without one.",
    )  # fmt: skip

    @model_validator(mode="after")
    def details_belong_to_their_kind(self) -> Self:
        if (self.kind in COUNTED) != (self.length is not None):
            raise ValueError(_("Give length with kind “%s”.") % self.kind
                             if self.kind in COUNTED
                             else _("Kind “%s” has no length.") % self.kind)  # fmt: skip
        if self.kind != "end_of_period" and self.length == 0:
            raise ValueError(_("length: 1 or more."))
        if self.kind != "days" and (self.length or 0) > 120:
            raise ValueError(_("length: at most 120."))
        if (self.kind == "end_of_period") != bool(self.period):
            raise ValueError(_("Give period with kind “end_of_period”, and only then."))
        if (self.kind == "fixed_date") != bool(self.month_day):
            raise ValueError(_("Give month_day with kind “fixed_date”, and only then."))
        if self.kind == "inactivity" and self.warned_days is not None:
            raise ValueError(_("Units that expire by inactivity are not warned one by one."))
        if self.renewed_by and self.kind != "inactivity":
            raise ValueError(_("Give renewed_by with kind “inactivity”, and only then."))
        return self

    @property
    def renewals(self) -> tuple[str, ...]:
        if self.kind != "inactivity":
            return ()
        return tuple(sorted(set(self.renewed_by))) or ("accrual", "redemption")


class PendingDefinition(Part):
    """When units of an order can be spent."""

    pending_from: Literal["placed", "paid", "fulfilled", "completed"] = Field(
        "placed", description="What they wait for."
    )
    pending_days: int = Field(
        0, ge=0, le=365, description="Days after it, for example for the return window."
    )


class GiftsDefinition(Part):
    """What members may give away of what they can spend."""

    to_members: bool = Field(False, description="Members may give to each other.")
    to_charities: bool = Field(True, description="Members may give to the program's charities.")
    least: PositiveAmount = Field(Decimal(1), description="The smallest gift.")
    step: PositiveAmount | None = Field(
        None, description="Gifts are multiples of it; without it any number."
    )
    most_per_day: PositiveAmount | None = Field(
        None, description="What a member may give to others in a day; without it no limit."
    )
    most_received_per_day: PositiveAmount | None = Field(
        None, description="What a member may be given by others in a day; without it no limit."
    )

    @model_validator(mode="after")
    def limits_leave_room(self) -> Self:
        for most in (self.most_per_day, self.most_received_per_day):
            if most is not None and most < self.least:
                raise ValueError(_("A day's limit below the smallest gift allows none."))
        if self.step is not None and self.least % self.step and self.least != 1:
            raise ValueError(_("The smallest gift is a multiple of the step."))
        return self

    @field_serializer("least", "step", "most_per_day", "most_received_per_day", when_used="json")
    def in_plain_notation(self, value: Decimal | None) -> str | None:
        return None if value is None else f"{value.normalize():f}"


class SpendingDefinition(Part):
    """How many units can be used at once. A change is for what is used from then on."""

    least: PositiveAmount | None = Field(
        None, description="The fewest that can be used at once; without it any number."
    )
    step: PositiveAmount | None = Field(
        None, description="They are used in multiples of it; without it in any number."
    )
    share: Annotated[Decimal, Field(gt=0, le=100, max_digits=7, decimal_places=4)] = Field(
        Decimal(100), description="So many percent of an order can be paid with them at most."
    )

    @model_validator(mode="after")
    def least_is_in_steps(self) -> Self:
        if self.least is not None and self.step is not None and self.least % self.step:
            raise ValueError(_("least: a multiple of step."))
        return self

    @field_serializer("least", "step", "share", when_used="json")
    def in_plain_notation(self, value: Decimal | None) -> str | None:
        return None if value is None else f"{value.normalize():f}"


class PluralForms(Part):
    """What so many are called, where the language of the names has more than one plural."""

    language: Annotated[str, StringConstraints(max_length=16)] = Field(
        "", description="Language of the names, such as ru: by its rule they are chosen. Empty: the"
        " reader’s.",
    )  # fmt: skip
    zero: FormName = Field("", description="Of none, as in Arabic.")
    two: FormName = Field("", description="Of two, as in Arabic or Slovenian.")
    few: FormName = Field("", description="Of a few, as 2 to 4 in Russian or Polish.")
    many: FormName = Field("", description="Of many, as 5 in Russian or Polish.")
    other: FormName = Field("", description="Of other numbers, such as fractions.")

    @model_validator(mode="after")
    def language_has_these_forms(self) -> Self:
        if not self.language:
            if self.forms:
                raise ValueError(_("language: say whose plural forms these are."))
            return self
        known = plural_forms_of(self.language)
        if known is None:
            raise ValueError(_("language: no such language; write one like ru."))
        strange = set(self.forms) - known
        if strange:
            raise ValueError(_("%s: the language has no such form.") % min(strange))
        return self

    @property
    def forms(self) -> dict[str, str]:
        """Those that are given."""
        said = self.model_dump(exclude={"language"})
        return {form: name for form, name in said.items() if name}


class WalletTypeDefinition(PendingDefinition):
    """A kind of unit, with its names."""

    code: Code = Field("points", description="Short name, unique in the program. Stays as it is.")
    singular: UnitName = Field("point", description="What one unit is called.")
    plural: UnitName = Field("points", description="What several are called.")
    plural_forms: PluralForms = Field(
        PluralForms(), description="Further names, where the language has several plurals."
    )
    icon: UnitIcon = Field("coins", description="The picture beside them.")
    decimals: int = Field(0, ge=0, le=4, description="Decimals of a unit; fixed once units exist.")
    unit_value: Decimal = Field(
        Decimal(0), ge=0, max_digits=14, decimal_places=6, description="Worth of one unit in money."
    )
    tier_values: Mapping[Code, TierValue] = Field(
        {}, description="What one of them pays in money, by the code of the payer's tier; in the"
        " others it pays what it is worth.",
    )  # fmt: skip
    expiry: ExpiryDefinition = Field(ExpiryDefinition(), description="When units expire.")
    gifts: GiftsDefinition = Field(GiftsDefinition(), description="What members may give away.")
    spending: SpendingDefinition = Field(
        SpendingDefinition(), description="How many can be used at once."
    )
    stored_value: bool = Field(
        False, description="Money that is owed: gift cards and store credit. It is paid in, never"
        " earned; with the decimals of the currency and a worth of 1. Stays as it is.",
    )  # fmt: skip

    @model_validator(mode="after")
    def amounts_are_countable(self) -> Self:
        gifts, spending = self.gifts, self.spending
        for what, amount in (
            ("gifts", gifts.least), ("gifts", gifts.most_per_day),
            ("gifts", gifts.most_received_per_day), ("spending", spending.least),
            ("spending", spending.step),
        ):  # fmt: skip
            if amount is not None and amount.scaleb(self.decimals) % 1:
                raise ValueError(
                    _("%(what)s: %(amount)s has more decimals than %(units)s have.")
                    % {"what": what, "amount": amount, "units": self.plural}
                )
        return self

    @model_validator(mode="after")
    def share_is_of_money(self) -> Self:
        if self.spending.share < FULL and not self.unit_value:
            raise ValueError(_("unit_value: a share of an order is paid with units of some worth."))
        return self

    @model_validator(mode="after")
    def tiers_pay_with_money(self) -> Self:
        if self.tier_values and not self.unit_value:
            raise ValueError(_("unit_value: what pays more in a tier has a worth for everybody."))
        return self

    @model_validator(mode="before")
    @classmethod
    def stored_value_has_one_way(cls, values: Any) -> Any:
        """What stored value can only be need not be said."""
        if isinstance(values, Mapping) and values.get("stored_value"):
            return {"unit_value": 1, "gifts": {"to_charities": False}, **values}
        return values

    @model_validator(mode="after")
    def stored_value_is_money(self) -> Self:
        if not self.stored_value:
            return self
        if self.unit_value != 1:
            raise ValueError(_("unit_value: stored value is money, so one is worth 1."))
        if self.tier_values:
            raise ValueError(_("tier_values: stored value is money, the same for everybody."))
        if self.gifts.to_members or self.gifts.to_charities:
            raise ValueError(_("gifts: stored value is given as a gift card, and not otherwise."))
        if self.pending_days or self.pending_from != "placed":
            raise ValueError(_("pending_days: what was paid in can be spent at once."))
        return self

    @field_serializer("unit_value", when_used="json")
    def in_plain_notation(self, value: Decimal) -> str:
        """The database pads with zeros; people do not."""
        return f"{value.normalize():f}" if value else "0"

    @field_serializer("tier_values", when_used="json")
    def each_in_plain_notation(self, values: Mapping[str, Decimal]) -> dict[str, str]:
        return {tier: f"{value.normalize():f}" for tier, value in values.items()}


def check_tier_values(units: Sequence[WalletTypeDefinition], tiers: Collection[str]) -> None:
    """Raises WrongPartError where units pay by a tier that the program lacks."""
    for place, unit in enumerate(units):
        missing = set(unit.tier_values) - set(tiers)
        if missing:
            raise WrongPartError(
                _("tier_values: the program has no tier “%(tier)s”, in which %(units)s pay more.")
                % {"tier": min(missing), "units": unit.plural},
                "wallet_types", place, "tier_values", min(missing),
            )  # fmt: skip
