"""A whole program as data: what the program file, the form and the demo say, validated.

`loyalty.services.programs.apply_definition` is the one way from here into the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from django.utils.translation import gettext as _
from pydantic import (
    AfterValidator,
    Field,
    SerializeAsAny,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from loyalty.activity_data import problem_of_schema
from loyalty.giving_definitions import CharityDefinition, PledgeDefinition, check_pledges
from loyalty.launch_definitions import LaunchDefinition
from loyalty.partner_definitions import PartnerDefinition
from loyalty.plan_definitions import PlanDefinition, check_plans
from loyalty.program_parts import read_items
from loyalty.rule_definitions import (
    DiscountRuleDefinition,
    EarningRuleDefinition,
    MultiplierRule,
    Name,
    reserved_code,
)
from loyalty.rules.body_parts import Code, Part
from loyalty.stored_value_rules import check_stored_value
from loyalty.tier_definitions import TiersDefinition, check_wallet_types
from loyalty.time_definitions import EndingDefinition, PauseDefinition
from loyalty.unit_definitions import WalletTypeDefinition, check_tier_values
from loyalty.worth_checks import check_budgets_in_money
from members.choices import known_zones
from members.wrong_values import WrongPartError, refuse_double

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


def known_time_zone(value: str) -> str:
    if value not in known_zones():
        raise ValueError(_("No such time zone; write one like Europe/Athens."))
    return value


TimeZone = Annotated[str, AfterValidator(known_time_zone)]
# Never begins with what a spreadsheet takes for a formula.
BookCode = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ./_-]*$", max_length=32
    ),
]


class ActivityTypeDefinition(Part):
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


class AccountCodes(Part):
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
    stored_value: BookCode = Field(
        "2330", description="What is owed on gift cards and as store credit."
    )
    stored_value_sold: BookCode = Field(
        "1410", description="Money that came in for gift cards, before it is matched to payments."
    )
    stored_value_refunded: BookCode = Field(
        "4330", description="Orders that were refunded as store credit."
    )
    stored_value_spent: BookCode = Field(
        "1420", description="Orders that were paid with gift cards and store credit."
    )
    stored_value_expired: BookCode = Field(
        "4340", description="Stored value that expired, where it may."
    )
    discounts: BookCode = Field(
        "4350", description="What sales came in less by for discounts: matched with their revenue."
    )
    rule_discounts: BookCode = Field(
        "6340", description="What discount rules and discount cards took off orders."
    )
    reward_discounts: BookCode = Field("6341", description="What rewards took off orders.")
    voucher_discounts: BookCode = Field(
        "6342", description="What vouchers that anybody may use took off orders."
    )
    tier_worth: BookCode = Field(
        "6343", description="What units paid beyond their worth, of members in a tier."
    )
    charity_money: BookCode = Field(
        "2321", description="Money owed to charities: pledged, or rounded up."
    )
    round_ups: BookCode = Field(
        "1430", description="Money that came in with orders for charities, beside their total."
    )
    pledges: BookCode = Field("6350", description="What pledges to charities cost.")


class CompanyTerms(Part):
    """What companies in this program begin with. Each may have other limits of its own."""

    most_at_once: int | None = Field(
        None,
        ge=0,
        le=10**12,
        description="So many units a buyer spends at once without asking an approver. Empty: any.",
    )
    most_in_period: int | None = Field(
        None, ge=0, le=10**12, description="And so many in a period. Empty: any."
    )
    period: Literal["day", "month"] = Field(
        "month", description="The period of most_in_period, in the program's time zone."
    )
    answer_days: int = Field(
        7, ge=1, le=90, description="So many days approvers have to answer a request."
    )  # fmt: skip


class ProgramDefinition(Part):
    """One loyalty scheme."""

    code: Code = Field(description="Short name for files, commands and the API. Stays as it is.")
    name: Name = Field(description="What people call it.")
    description: str = Field("", max_length=2000, description="What it is for.")
    status: Literal["draft", "live", "archived"] = Field(
        "draft", description="Only a live program awards; once live it is never a draft again."
    )
    currency: Currency = Field(description="Orders in this currency earn.")
    time_zone: TimeZone = Field("UTC", description="Where its days begin, such as Europe/Athens.")
    enrollment: Literal["automatic", "account", "explicit"] = Field(
        "automatic", description="Automatic: every customer joins with their first order; account:"
        " with their account in the shop already.",
    )  # fmt: skip
    joinable: bool = Field(
        True, description="Customers may join by themselves: on its page, by link, at checkout."
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
    foreign_orders: Literal["convert", "refuse"] = Field(
        "convert", description="Orders in another currency: they count at the rate that came with"
        " them or that the table of exchange rates has for their day, or they do not count.",
    )  # fmt: skip
    four_eyes: bool = Field(
        False,
        description="Rules and tiers written in the browser are published by a second person.",
    )
    partners: tuple[PartnerDefinition, ...] = Field(
        (), description="At whose units are earned and spent beside the merchant."
    )
    charities: tuple[CharityDefinition, ...] = Field((), description="Whom members may give to.")
    pledges: tuple[PledgeDefinition, ...] = Field(
        (), description="What the merchant gives to charities for each event of a kind."
    )
    account_codes: AccountCodes = Field(
        AccountCodes(), description="How the journal names accounts; for all of it at once."
    )
    companies: CompanyTerms = Field(CompanyTerms(), description="What new companies begin with.")
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
    plans: tuple[PlanDefinition, ...] = Field((), description="What members can pay for.")
    voucher_pools: tuple[SerializeAsAny[Part], ...] = Field(
        (), description="Lists of codes that rewards hand out; the codes are not in the file."
    )
    access_windows: tuple[SerializeAsAny[Part], ...] = Field(
        (), description="Sales that open for some before others. Those that it does not name stay"
        " as they are.",
    )  # fmt: skip
    rewards: tuple[SerializeAsAny[Part], ...] = Field(
        (), description="What members may take, in the order in which they find it. Rewards that it"
        " does not name stay as they are.",
    )  # fmt: skip
    surveys: tuple[SerializeAsAny[Part], ...] = Field(
        (), description="What members are asked. Surveys that it does not name stay as they are."
    )
    challenges: tuple[SerializeAsAny[Part], ...] = Field(
        (), description="What members do for a reward. Challenges that it does not name stay as"
        " they are.",
    )  # fmt: skip
    challenge_levels: tuple[SerializeAsAny[Part], ...] = Field(
        (), description="What members are called who have done so many challenges; all of them."
        " Without any they stay as they are.",
    )  # fmt: skip
    journeys: tuple[SerializeAsAny[Part], ...] = Field(
        (), description="How members are led. Journeys that it does not name stay as they are."
    )
    games: tuple[SerializeAsAny[Part], ...] = Field(
        (), description="What members play for. Games that it does not name stay as they are."
    )
    referrals: tuple[SerializeAsAny[Part], ...] = Field(
        (), description="What bringing friends brings: at most one. Without it that stays as it is."
    )
    campaigns: tuple[SerializeAsAny[Part], ...] = Field(
        (), description="Promotions. Those that it does not name stay as they are."
    )
    posts: tuple[SerializeAsAny[Part], ...] = Field(
        (), description="What members read. Posts that it does not name stay as they are."
    )
    launch: LaunchDefinition | None = Field(
        None, description="How it begins; without, everyone may join at once."
    )
    pause: PauseDefinition | None = Field(
        None, description="When it rests; without it, it goes on."
    )
    ending: EndingDefinition | None = Field(None, description="How it ends; without it, not.")

    @field_validator(
        "voucher_pools", "access_windows", "rewards", "surveys", "games", "challenges",
        "challenge_levels", "journeys", "referrals", "campaigns", "posts", mode="before",
    )  # fmt: skip
    @classmethod
    def parts_are_read(cls, value: Any, info: ValidationInfo) -> Any:
        return read_items(info.field_name or "", value)

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
            ([getattr(item, "code", "") for item in self.voucher_pools], "voucher_pools"),
            ([getattr(item, "code", "") for item in self.access_windows], "access_windows"),
            ([getattr(item, "code", "") for item in self.rewards], "rewards"),
            ([getattr(item, "code", "") for item in self.surveys], "surveys"),
            ([getattr(item, "code", "") for item in self.challenges], "challenges"),
            ([getattr(item, "code", "") for item in self.journeys], "journeys"),
            ([getattr(item, "code", "") for item in self.games], "games"),
            ([getattr(item, "code", "") for item in self.referrals], "referrals"),
            ([getattr(item, "code", "") for item in self.campaigns], "campaigns"),
            ([getattr(item, "title", "") for item in self.posts], "posts"),
        ):  # fmt: skip
            refuse_double(codes, what, first=len(earning) if what == "discount_rules" else 0)
        for place, rule in enumerate(self.earning_rules):
            missing = set(rule.of) - set(earning) if isinstance(rule, MultiplierRule) else set()
            if missing:
                raise WrongPartError(
                    _("The rule %(rule)s multiplies the rule %(other)s, which is missing.")
                    % {"rule": rule.code, "other": min(missing)},
                    "earning_rules", place, "of",
                )  # fmt: skip
            if rule.wallet_type not in wallet_types:
                raise WrongPartError(
                    _("The rule %(rule)s names the wallet type %(wallet_type)s, which is missing.")
                    % {"rule": rule.code, "wallet_type": rule.wallet_type},
                    "earning_rules", place, "wallet_type",
                )  # fmt: skip
        return self

    @model_validator(mode="after")
    def launch_fits_in(self) -> Self:
        founding = self.launch.founding if self.launch else None
        if founding and founding.wallet_type not in {item.code for item in self.wallet_types}:
            raise WrongPartError(
                _("The founding bonus names the wallet type %s, which is missing.")
                % founding.wallet_type,
                "launch", "founding", "wallet_type",
            )  # fmt: skip
        return self

    @property
    def charity_names(self) -> list[str]:
        """Those that members may give to now."""
        return [item.name for item in self.charities if item.status == "live"]

    @model_validator(mode="after")
    def pledges_fit_in(self) -> Self:
        check_pledges(self.pledges, self.charities)
        return self

    @model_validator(mode="after")
    def tiers_fit_in(self) -> Self:
        check_wallet_types(self.tiers, [item.code for item in self.wallet_types])
        codes = [tier.code for tier in self.tiers.tiers] if self.tiers else []
        check_tier_values(self.wallet_types, codes)
        for name in ("earning_rules", "discount_rules"):
            for place, rule in enumerate(getattr(self, name)):
                reserved = reserved_code(rule.code)
                if reserved:
                    raise WrongPartError(reserved, name, place, "code")
        return self

    @model_validator(mode="after")
    def stored_value_fits_in(self) -> Self:
        check_stored_value(self)
        check_budgets_in_money(self)
        return self

    @model_validator(mode="after")
    def plans_fit_in(self) -> Self:
        check_plans(self.plans, self.wallet_types, self.currency)
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
