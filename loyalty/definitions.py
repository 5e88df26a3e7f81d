"""A whole program as data: what the program file, the form and the demo say, validated.

`loyalty.services.programs.apply_definition` is the one way from here into the database.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Self, cast

from django.utils.translation import gettext as _
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    SerializeAsAny,
    StringConstraints,
    field_serializer,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from loyalty.activity_data import problem_of_schema
from loyalty.rule_conditions import read_condition
from loyalty.rules.bodies import (
    ActivityBody,
    AnniversaryBody,
    AwardingBody,
    BonusBody,
    Caps,
    CashbackBody,
    ConditionalBody,
    DiscountBody,
    EarningBody,
    FixedBody,
    MultiplierBody,
    NthPurchaseBody,
    PositiveAmount,
    RateBody,
    RuleBody,
    StampsBody,
    StreakBody,
    WindowedBody,
    parse_body,
)
from loyalty.tier_definitions import TiersDefinition, check_wallet_types
from members.conditions.tree import ConditionError

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
UnitName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


# Never begins with what a spreadsheet takes for a formula.
BookCode = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ./_-]*$", max_length=32
    ),
]


class _Definition(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


# The rules that tiers' benefits make have codes that begin like this.
TIER_RULES = "tier-"

ExpiryKind = Literal[
    "never", "days", "months", "years", "end_of_period", "fixed_date", "inactivity"
]
# What renews units that expire by inactivity: kinds of movements, as the ledger names them.
Renewal = Literal["accrual", "redemption", "gift", "pool"]
COUNTED = ("days", "months", "years", "end_of_period", "inactivity")


class ExpiryDefinition(_Definition):
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


class PendingDefinition(_Definition):
    """When units of an order can be spent."""

    pending_from: Literal["placed", "paid", "fulfilled", "completed"] = Field(
        "placed", description="What they wait for."
    )
    pending_days: int = Field(
        0, ge=0, le=365, description="Days after it, for example for the return window."
    )


class GiftsDefinition(_Definition):
    """What members may give away of what they can spend."""

    to_members: bool = Field(False, description="Members may give to each other.")
    to_charities: bool = Field(True, description="Members may give to the program's charities.")
    least: PositiveAmount = Field(Decimal(1), description="The smallest gift.")
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
        return self

    @field_serializer("least", "most_per_day", "most_received_per_day", when_used="json")
    def in_plain_notation(self, value: Decimal | None) -> str | None:
        return None if value is None else f"{value.normalize():f}"


class WalletTypeDefinition(PendingDefinition):
    """A kind of unit, with its names."""

    code: Code = Field("points", description="Short name, unique in the program. Stays as it is.")
    singular: UnitName = Field("point", description="What one unit is called.")
    plural: UnitName = Field("points", description="What several are called.")
    decimals: int = Field(0, ge=0, le=4, description="Decimals of a unit; fixed once units exist.")
    unit_value: Decimal = Field(
        Decimal(0), ge=0, max_digits=14, decimal_places=6, description="Worth of one unit in money."
    )
    expiry: ExpiryDefinition = Field(ExpiryDefinition(), description="When units expire.")
    gifts: GiftsDefinition = Field(GiftsDefinition(), description="What members may give away.")

    @model_validator(mode="after")
    def gifts_are_countable(self) -> Self:
        gifts = self.gifts
        for amount in (gifts.least, gifts.most_per_day, gifts.most_received_per_day):
            if amount is not None and amount.scaleb(self.decimals) % 1:
                raise ValueError(
                    _("gifts: %(amount)s has more decimals than %(units)s have.")
                    % {"amount": amount, "units": self.plural}
                )
        return self

    @field_serializer("unit_value", when_used="json")
    def in_plain_notation(self, value: Decimal) -> str:
        """The database pads with zeros; people do not."""
        return f"{value.normalize():f}" if value else "0"


class RuleDefinition(_Definition):
    """A rule of a program. What it says besides depends on its kind."""

    # What is said of a rule, and is no part of its versions.
    about: ClassVar[frozenset[str]] = frozenset({"code", "name"})

    code: Code = Field("base", description="Short name, unique in the program. Stays as it is.")
    name: Name = Field("Base rate", description="What people call it; explanations name it.")

    def body(self) -> RuleBody:
        """What its versions keep."""
        return parse_body(self.model_dump(exclude=set(self.about)))

    @model_validator(mode="after")
    def condition_can_be_read(self) -> Self:
        said: object = self
        if isinstance(said, ConditionalBody):
            try:
                read_condition(said.when, getattr(said, "kind", ""))
            except ConditionError as wrong:
                raise ValueError(
                    "; ".join(f"{error.field}: {error.message}" for error in wrong.errors)
                ) from wrong
        return self


class DiscountRuleDefinition(RuleDefinition, DiscountBody):
    """What members pay less for an order. It moves no units."""

    kind: Literal["discount"] = "discount"
    code: Code = Field(description="Short name, unique among all rules. Stays as it is.")
    name: Name = Field(description="What people call it; explanations name it.")

    def body(self) -> DiscountBody:
        found = super().body()
        assert isinstance(found, DiscountBody)
        return found


class EarningRuleDefinition(RuleDefinition):
    """How orders become units. What a rule says besides depends on its kind."""

    about = frozenset({"code", "name", "wallet_type", "pending", "expiry"})

    wallet_type: Code = Field("points", description="Code of the wallet type that it awards.")
    pending: PendingDefinition | None = Field(
        None, description="When what it awards can be spent; without it as the wallet type says."
    )
    expiry: ExpiryDefinition | None = Field(
        None, description="When what it awards expires; without it as the wallet type says."
    )

    @model_validator(mode="wrap")
    @classmethod
    def of_its_kind(cls, data: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        """A rule is read as its kind has it: a rate, if it names none."""
        if cls is not EarningRuleDefinition or not isinstance(data, Mapping):
            return read(data)
        kind = data.get("kind", "rate")
        if kind not in RULE_KINDS:
            raise PydanticCustomError(
                "unknown_kind",
                "kind: there is no kind {kind}; write one of {known}",
                {"kind": str(kind), "known": ", ".join(RULE_KINDS)},
            )
        return cast("Self", RULE_KINDS[kind].model_validate(data))

    def body(self) -> AwardingBody:
        found = super().body()
        assert not isinstance(found, DiscountBody)
        return found

    @model_validator(mode="after")
    def goes_with_others(self) -> Self:
        said: object = self
        if isinstance(said, WindowedBody) and said.windowed:
            if said.caps != Caps():
                raise ValueError(_("A bonus for a window has no caps: it is one for each window."))
            if said.group or said.stops:
                raise ValueError(_("group and stops are for rules that judge a single order."))
        if isinstance(said, EarningBody) and said.group and said.stops:
            raise ValueError(_("Give group or stops, not both."))
        return self


class RateRule(EarningRuleDefinition, RateBody):
    __doc__ = RateBody.__doc__


class CashbackRule(EarningRuleDefinition, CashbackBody):
    __doc__ = CashbackBody.__doc__


class FixedRule(EarningRuleDefinition, FixedBody):
    __doc__ = FixedBody.__doc__


class MultiplierRule(EarningRuleDefinition, MultiplierBody):
    __doc__ = MultiplierBody.__doc__


class BonusRule(EarningRuleDefinition, BonusBody):
    __doc__ = BonusBody.__doc__


class NthPurchaseRule(EarningRuleDefinition, NthPurchaseBody):
    __doc__ = NthPurchaseBody.__doc__


class StampsRule(EarningRuleDefinition, StampsBody):
    __doc__ = StampsBody.__doc__


class StreakRule(EarningRuleDefinition, StreakBody):
    __doc__ = StreakBody.__doc__


class ActivityRule(EarningRuleDefinition, ActivityBody):
    __doc__ = ActivityBody.__doc__


class AnniversaryRule(EarningRuleDefinition, AnniversaryBody):
    __doc__ = AnniversaryBody.__doc__


RULE_KINDS: Mapping[str, type[EarningRuleDefinition]] = {
    "rate": RateRule,
    "cashback": CashbackRule,
    "fixed": FixedRule,
    "multiplier": MultiplierRule,
    "threshold_bonus": BonusRule,
    "nth_purchase": NthPurchaseRule,
    "stamps": StampsRule,
    "streak": StreakRule,
    "activity": ActivityRule,
    "occasion": AnniversaryRule,
}


class ActivityTypeDefinition(_Definition):
    """Something that people do besides buying. It is the merchant's, for all programs: a file
    changes the types that it names and leaves others alone."""

    code: Code = Field(description="Short name; shops send activities with it. Stays as it is.")
    name: Name = Field(description="What people call it: Review.")
    told: Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)] = Field(
        "", description="What members read: “Review of {subject}”. Empty: its name."
    )
    active: bool = Field(True, description="Activities of this type are taken.")
    data_schema: Mapping[str, Any] = Field(
        {}, description="JSON schema (2020-12) of the data that comes with one. Empty: any data."
    )
    proof: Literal["none", "optional", "required"] = Field(
        "none", description="Whether a link or a text that proves it comes along."
    )
    approval: bool = Field(False, description="It counts once somebody of the staff approves it.")
    most: int | None = Field(
        None, ge=1, le=1_000_000, description="At most so many of one customer in a period."
    )
    period: Literal["day", "week", "month", "ever"] = Field(
        "ever", description="The period of most, in the merchant's time zone."
    )
    once_per_subject: bool = Field(
        False, description="Only one of a customer about the same subject, such as a product."
    )

    @field_validator("data_schema")
    @classmethod
    def schema_can_be_read(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        problem = problem_of_schema(value)
        if problem:
            raise ValueError(problem)
        return value


class PartyDefinition(_Definition):
    """A partner or a charity, with an account of its own in the books."""

    code: Code = Field(description="Short name, unique among its kind. Stays as it is.")
    name: Name = Field(description="What people call it.")


class AccountCodes(_Definition):
    """The accounts of the merchant's own bookkeeping that the journal names."""

    members: BookCode = Field("2300", description="What is owed to members: their units.")
    partners: BookCode = Field("2310", description="Units that came from partners or went there.")
    charities: BookCode = Field("2320", description="Units given to charities.")
    transit: BookCode = Field(
        "2390", description="Between wallets; always comes to nothing in the end."
    )
    redeemed: BookCode = Field("4300", description="Units that members spent.")
    expired: BookCode = Field("4310", description="Units that expired.")
    issued: BookCode = Field("6300", description="Units that members earned.")
    adjusted: BookCode = Field("6310", description="Units that staff gave or took.")
    written_off: BookCode = Field("6320", description="Debts of members that were written off.")
    revaluation: BookCode = Field(
        "6330", description="What a new worth of a unit made of the units there were."
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
    linked_returns: Literal["reconcile", "own_amount"] = Field(
        "reconcile", description="What a return with its order takes back."
    )
    debt_policy: Literal["carry", "write_off", "refuse_redemption_only"] = Field(
        "carry", description="What becomes of what a refund takes beyond what there is."
    )
    clawback_order: Literal["own_first", "oldest_first"] = Field(
        "own_first", description="Which units a refund takes first."
    )
    multiplying: Literal["best", "add", "multiply"] = Field(
        "best", description="What several multipliers for one line come to: the largest, what each"
        " adds, or each times those before it.",
    )  # fmt: skip
    discounting: Literal["best", "add", "in_turn"] = Field(
        "best", description="What several discounts on one order come to: the largest alone, each"
        " off the prices as they were, or each off what those before it left.",
    )  # fmt: skip
    four_eyes: bool = Field(
        False, description="Rules written in the browser are published by a second person."
    )
    partners: tuple[PartyDefinition, ...] = Field((), description="Whom units come from or go to.")
    charities: tuple[PartyDefinition, ...] = Field((), description="Whom members may give to.")
    account_codes: AccountCodes = Field(
        AccountCodes(), description="How the journal names accounts; for all of it at once."
    )
    wallet_types: tuple[WalletTypeDefinition, ...] = Field(
        min_length=1, description="The kinds of units it awards; at least one."
    )
    activity_types: tuple[ActivityTypeDefinition, ...] = Field(
        (), description="What people do besides buying; for all programs of the merchant."
    )
    earning_rules: tuple[SerializeAsAny[EarningRuleDefinition], ...] = Field(
        (), description="How orders become units, in their order of evaluation."
    )
    discount_rules: tuple[DiscountRuleDefinition, ...] = Field(
        (), description="What members pay less, in their order of evaluation."
    )

    tiers: TiersDefinition | None = Field(None, description="Its tiers; without them it has none.")

    @field_validator("time_zone")
    @classmethod
    def time_zone_exists(cls, value: str) -> str:
        if value not in zoneinfo.available_timezones():
            raise ValueError(_("No such time zone; write one like Europe/Athens."))
        return value

    @model_validator(mode="after")
    def codes_fit_together(self) -> Self:
        wallet_types = [item.code for item in self.wallet_types]
        earning = [item.code for item in self.earning_rules]
        rules = [*earning, *(item.code for item in self.discount_rules)]
        partners = [item.code for item in self.partners]
        charities = [item.code for item in self.charities]
        types = [item.code for item in self.activity_types]
        for codes, what in (
            (wallet_types, "wallet_types"), (earning, "earning_rules"),
            (rules, "discount_rules"), (partners, "partners"),
            (charities, "charities"), (types, "activity_types"),
        ):  # fmt: skip
            double = {code for code in codes if codes.count(code) > 1}
            if double:
                raise ValueError(
                    _("%(what)s: the code %(code)s is there twice.")
                    % {"what": what, "code": min(double)}
                )
        for rule in self.earning_rules:
            missing = set(rule.of) - set(earning) if isinstance(rule, MultiplierRule) else set()
            if missing:
                raise ValueError(
                    _("The rule %(rule)s multiplies the rule %(other)s, which is missing.")
                    % {"rule": rule.code, "other": min(missing)}
                )
            if rule.wallet_type not in wallet_types:
                raise ValueError(
                    _("The rule %(rule)s names the wallet type %(wallet_type)s, which is missing.")
                    % {"rule": rule.code, "wallet_type": rule.wallet_type}
                )
        return self

    @model_validator(mode="after")
    def tiers_fit_in(self) -> Self:
        check_wallet_types(self.tiers, [item.code for item in self.wallet_types])
        for rule in (*self.earning_rules, *self.discount_rules):
            if rule.code.startswith(TIER_RULES):
                raise ValueError(
                    _("Codes that begin with %s are those of tiers’ benefits.") % TIER_RULES
                )
        return self

    @model_validator(mode="after")
    def inactivity_is_one_for_a_wallet(self) -> Self:
        """Units that expire by inactivity expire together."""
        for item in self.wallet_types:
            ends = {
                (expiry.length, expiry.last_day, expiry.renewals)
                for expiry in (
                    item.expiry,
                    *(rule.expiry for rule in self.earning_rules if rule.wallet_type == item.code),
                )
                if expiry is not None and expiry.kind == "inactivity"
            }
            if len(ends) > 1:
                raise ValueError(
                    _("%s that expire by inactivity expire together: give them the same terms.")
                    % item.plural.capitalize()
                )
        return self
