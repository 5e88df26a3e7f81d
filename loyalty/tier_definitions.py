"""A program's tiers as data: what its file, the form and the demonstration say, validated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Literal, Self, get_args

from django.utils.translation import gettext as _
from pydantic import (
    Field,
    StringConstraints,
    field_serializer,
    field_validator,
    model_validator,
)

from loyalty.rules.body_parts import Part, PositiveAmount
from members.wrong_values import WrongPartError

TierCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=32)]
TierName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Amount = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=4)]

Color = Literal[
    "secondary", "azure", "blue", "cyan", "green", "indigo", "lime", "orange", "pink", "purple",
    "red", "teal", "yellow",
]  # fmt: skip
Icon = Literal["award", "coin", "crown", "diamond", "flame", "gift", "heart", "medal", "rocket",
               "star", "trophy"]  # fmt: skip
BenefitKind = Literal[
    "multiplier", "birthday_bonus", "free_shipping", "free_returns", "early_access",
    "exclusive_products", "service_line", "concierge", "gift", "invitation", "custom",
]  # fmt: skip
COLORS: tuple[str, ...] = get_args(Color)
ICONS: tuple[str, ...] = get_args(Icon)
# What a kind of benefit says besides its text, and must say.
NEEDED: Mapping[str, str] = {
    "multiplier": "factor", "birthday_bonus": "units", "early_access": "hours", "custom": "name",
}  # fmt: skip
ALLOWED: Mapping[str, tuple[str, ...]] = {
    "multiplier": ("factor", "wallet_type"),
    "birthday_bonus": ("units", "wallet_type"),
    "free_shipping": ("above",),
    "early_access": ("hours",),
    "custom": ("name",),
}
# What the engine gives by itself: once for a tier.
EARNING_KINDS = ("multiplier", "birthday_bonus")


class BenefitDefinition(Part):
    """Something that members of a tier have. Multipliers, birthday bonuses and early access to
    rewards act by themselves; the others are told to the shop."""

    kind: BenefitKind = Field(description="What it is.")
    factor: Annotated[Decimal, Field(gt=1, le=1000, max_digits=8, decimal_places=4)] | None = Field(
        None, description="Of a multiplier: 1.5 gives half as much again on rates and cashback."
    )
    units: PositiveAmount | None = Field(None, description="Of a birthday bonus.")
    wallet_type: Annotated[str, StringConstraints(max_length=64)] = Field(
        "", description="Of a multiplier or birthday bonus: for which units. Empty: the first."
    )
    above: Amount | None = Field(
        None, description="Of free shipping: for orders from so much. Without it for all."
    )
    hours: Annotated[int, Field(ge=1, le=8760)] | None = Field(
        None, description="Of early access: so many hours before everybody else."
    )
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)] = Field(
        "", description="Of a custom perk: what it is called."
    )
    text: Text = Field(
        "", description="What members read about it: which products, which number to call."
    )

    @model_validator(mode="after")
    def says_what_belongs_to_its_kind(self) -> Self:
        needed = NEEDED.get(self.kind)
        if needed and not getattr(self, needed):
            raise ValueError(_("%(kind)s: give %(field)s.") % {"kind": self.kind, "field": needed})
        allowed = ALLOWED.get(self.kind, ())
        for field in ("factor", "units", "wallet_type", "above", "hours", "name"):
            if field not in allowed and getattr(self, field) not in (None, ""):
                raise ValueError(
                    _("%(kind)s: it has no %(field)s.") % {"kind": self.kind, "field": field}
                )
        return self

    @field_serializer("factor", "units", "above", when_used="json")
    def in_plain_notation(self, value: Decimal | None) -> str | None:
        return None if value is None else plain(value)


class TierDefinition(Part):
    """A step of the ladder."""

    code: TierCode = Field(description="Short name; the same tier keeps it.")
    name: TierName = Field(description="What people call it: Gold.")
    color: Color = Field("secondary", description="Of its badge.")
    icon: Icon = Field("award", description="Of its badge.")
    threshold: Amount = Field(
        Decimal(0), description="Reached with so much of what counts; the first with nothing."
    )
    benefits: tuple[BenefitDefinition, ...] = Field((), description="What its members have.")

    @field_validator("benefits")
    @classmethod
    def earning_benefits_once(
        cls, value: tuple[BenefitDefinition, ...]
    ) -> tuple[BenefitDefinition, ...]:
        kinds = [benefit.kind for benefit in value]
        for kind in EARNING_KINDS:
            if kinds.count(kind) > 1:  # type: ignore[arg-type]
                raise ValueError(_("%s: give one for a tier.") % kind)
        if len(value) > 20:
            raise ValueError(_("At most 20 benefits."))
        return value

    @field_serializer("threshold", when_used="json")
    def in_plain_notation(self, value: Decimal) -> str:
        return plain(value)


class ScoreDefinition(Part):
    """What an activity of a type counts towards an activity score."""

    activity: Annotated[str, StringConstraints(max_length=64)] = Field(
        description="Code of the type of activity."
    )
    points: PositiveAmount = Field(description="What one of them counts.")

    @field_serializer("points", when_used="json")
    def in_plain_notation(self, value: Decimal) -> str:
        return plain(value)


class TiersDefinition(Part):
    """The program's tiers. A change is for the time from then on; the past stays as it was."""

    metric: Literal["spend", "units", "orders", "score"] = Field(
        "spend", description="What counts: money spent and kept, units of a wallet type earned,"
        " orders, or an activity score.",
    )  # fmt: skip
    wallet_type: Annotated[str, StringConstraints(max_length=64)] = Field(
        "", description="With units: which. Better a wallet type of its own than one that is spent."
    )
    score: tuple[ScoreDefinition, ...] = Field((), description="With score: what activities count.")
    window: Literal["calendar_year", "rolling_12_months", "membership_year", "lifetime"] = Field(
        "calendar_year", description="Over which time it is added up."
    )
    counts_from: Literal["placed", "confirmed"] = Field(
        "placed", description="Orders count when they are placed, or on the day on which they are"
        " completed or confirmed.",
    )  # fmt: skip
    refunds_count_on: Literal["sale", "refund_date"] = Field(
        "sale", description="What comes back after the return window, or in another period, counts"
        " in the window of its sale or on its own date.",
    )  # fmt: skip
    return_days: int = Field(
        30, ge=0, le=365, description="What comes back within so many days was never bought: a tier"
        " that it carried is lost at once.",
    )  # fmt: skip
    downgrade: Literal["none", "soft_landing", "recompute", "to_base", "immediate"] = Field(
        "recompute", description="What a review does to a tier that was not kept: nothing, one tier"
        " down at most, down to what was reached, down to the first; or no review, but at once.",
    )  # fmt: skip
    grace_days: int = Field(
        0, ge=0, le=180, description="Days after the review before a tier is lost."
    )
    priced_by: Literal["before", "after"] = Field(
        "before", description="An order is priced by the tier before it, or by the one it leads to."
    )
    tiers: tuple[TierDefinition, ...] = Field(
        min_length=2, max_length=6, description="From the first to the highest."
    )

    @model_validator(mode="after")
    def tiers_rise(self) -> Self:
        codes = [tier.code for tier in self.tiers]
        if len(set(codes)) < len(codes):
            raise ValueError(_("A code of a tier is there twice."))
        thresholds = [tier.threshold for tier in self.tiers]
        if thresholds[0]:
            raise ValueError(_("The first tier is everybody's: its threshold is 0."))
        if thresholds != sorted(set(thresholds)):
            raise ValueError(_("Each tier asks for more than the one before."))
        return self

    @model_validator(mode="after")
    def details_belong_to_the_metric(self) -> Self:
        if (self.metric == "units") != bool(self.wallet_type):
            raise ValueError(_("Give wallet_type with the metric “units”, and only then."))
        if (self.metric == "score") != bool(self.score):
            raise ValueError(_("Give score with the metric “score”, and only then."))
        types = [item.activity for item in self.score]
        if len(set(types)) < len(types):
            raise ValueError(_("score: an activity is there twice."))
        if self.metric == "orders" and any(tier.threshold % 1 for tier in self.tiers):
            raise ValueError(_("Numbers of orders are whole."))
        return self

    def wallet_types(self) -> dict[tuple[int | str, ...], str]:
        """Codes of the wallet types that it names, by where it does."""
        named: dict[tuple[int | str, ...], str] = {("wallet_type",): self.wallet_type}
        for number, tier in enumerate(self.tiers):
            for place, benefit in enumerate(tier.benefits):
                named["tiers", number, "benefits", place, "wallet_type"] = benefit.wallet_type
        return {place: code for place, code in named.items() if code}


def check_wallet_types(tiers: TiersDefinition | None, known: Sequence[str]) -> None:
    """Raises WrongPartError where the tiers name a wallet type that the program lacks."""
    for place, code in tiers.wallet_types().items() if tiers else ():
        if code not in known:
            words = _("The tiers name the wallet type %s, which is missing.") % code
            raise WrongPartError(words, "tiers", *place)


def plain(value: Decimal) -> str:
    """The database pads with zeros; people do not."""
    return f"{value.normalize():f}" if value else "0"
