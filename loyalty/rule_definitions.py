"""The rules of a program as data: bodies of their kind, named, with the terms of what they give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, cast

from django.utils.translation import gettext as _
from pydantic import Field, ModelWrapValidatorHandler, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from loyalty.rule_conditions import read_condition
from loyalty.rules.bodies import (
    ActivityBody,
    AnniversaryBody,
    AwardingBody,
    BonusBody,
    CashbackBody,
    EarningBody,
    FixedBody,
    MultiplierBody,
    NthPurchaseBody,
    RateBody,
    RuleBody,
    StampsBody,
    StreakBody,
    WindowedBody,
    parse_body,
)
from loyalty.rules.body_parts import Caps, Code, ConditionalBody, Part
from loyalty.rules.discount_bodies import DiscountBody
from loyalty.unit_definitions import ExpiryDefinition, PendingDefinition
from members.conditions.tree import ConditionError

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
# The rules that benefits of tiers and of plans make have codes that begin like this.
TIER_RULES = "tier-"
PLAN_RULES = "paid-plan-"
# Those that campaigns write.
CAMPAIGN_RULES = "campaign-"


def reserved_code(code: str) -> str:
    """Why a rule that people write cannot have this code; empty: it can."""
    if code.startswith(TIER_RULES):
        return _("Codes that begin with %s are those of tiers’ benefits.") % TIER_RULES
    if code.startswith(PLAN_RULES):
        return _("Codes that begin with %s are those of plans’ benefits.") % PLAN_RULES
    if code.startswith(CAMPAIGN_RULES):
        return _("Codes that begin with %s are those of campaigns’ rules.") % CAMPAIGN_RULES
    return ""


class RuleDefinition(Part):
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
            budgets = {"budget": said.caps.budget, "budget_money": said.caps.budget_money}
            if said.caps != Caps(**budgets):
                raise ValueError(
                    _("A bonus for a window has no caps but a budget: it is one for each window.")
                )
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
