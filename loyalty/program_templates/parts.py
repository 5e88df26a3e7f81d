"""What the programs of templates are made of: units, rates, tiers, and a program around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django.utils.text import slugify
from django.utils.translation import gettext as _

from loyalty.definitions import CompanyTerms, ProgramDefinition
from loyalty.giving_definitions import CharityDefinition
from loyalty.plan_definitions import CreditsDefinition, PlanDefinition
from loyalty.program_templates.answers import Answers
from loyalty.rule_definitions import (
    AnniversaryRule,
    DiscountRuleDefinition,
    EarningRuleDefinition,
    NthPurchaseRule,
    RateRule,
)
from loyalty.rules.discount_bodies import DiscountBracket
from loyalty.tier_definitions import COLORS, BenefitDefinition, TierDefinition, TiersDefinition
from loyalty.unit_definitions import (
    ExpiryDefinition,
    GiftsDefinition,
    PluralForms,
    SpendingDefinition,
    WalletTypeDefinition,
)
from members.formatting import format_money

# A unit's worth has so many decimals.
MILLIONTH = Decimal("0.000001")
HAS_PLAN = {"field": "membership.has_plan", "op": "yes"}
BUYS_FOR_COMPANY = {"field": "company.buyer", "op": "yes"}
# The code of the reward that the answers promise.
FIRST = "first"
TIER_COLORS = ("secondary", "azure", "yellow", "purple", "red", "teal")
TIER_ICONS = ("award", "medal", "star", "crown", "diamond", "trophy")
assert set(TIER_COLORS) <= set(COLORS)


def program(answers: Answers, description: str, **parts: Any) -> ProgramDefinition:
    """A draft with these parts."""
    return ProgramDefinition(
        code=answers.code,
        name=answers.program_name,
        description=description,
        currency=answers.currency,
        time_zone=answers.time_zone,
        **parts,
    )


def unit(
    answers: Answers, code: str, *, worth: Decimal | None = None, decimals: int = 0,
    to_charities: bool = False,
) -> WalletTypeDefinition:  # fmt: skip
    """What is collected. `worth`: of one; without it as the first reward says. `to_charities`:
    members may give it away, as they may where the answers name charities."""
    if worth is None:
        worth = (answers.reward_worth / answers.reward_units).quantize(MILLIONTH)
    return WalletTypeDefinition(
        code=code,
        singular=answers.unit_singular,
        plural=answers.unit_plural,
        plural_forms=PluralForms(
            language=answers.unit_language, few=answers.unit_few, many=answers.unit_many
        ),
        icon=answers.unit_icon,
        decimals=decimals,
        unit_value=worth,
        pending_days=answers.pending_days,
        expiry=_expiry(answers),
        gifts=GiftsDefinition(to_charities=to_charities or bool(answers.charities)),
        spending=_spending(answers, decimals),
    )


def _spending(answers: Answers, decimals: int) -> SpendingDefinition:
    """The smallest unit as the least, or as the step, says nothing."""
    smallest = Decimal(1).scaleb(-decimals)
    least, step = answers.reward_units, answers.spend_step
    return SpendingDefinition(
        least=None if least == smallest else least,
        step=None if step == smallest else step,
        share=answers.spend_share,
    )


def _expiry(answers: Answers) -> ExpiryDefinition:
    match answers.expiry:
        case "never":
            return ExpiryDefinition()
        case "end_of_year":
            return ExpiryDefinition(kind="end_of_period", period="year", length=1)
        case _:
            return ExpiryDefinition(kind=answers.expiry, length=answers.expiry_months)


def first_reward(
    answers: Answers, unit_code: str, *, name: str = "", skus: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """What the answers promise, ready to be taken: so much off an order, or one of these products
    for nothing. Of what they say it is worth nothing there is none. `RewardDefinition` of the
    rewards reads it."""
    coin = Decimal(1).scaleb(-get_currency_precision(answers.currency))
    worth = answers.reward_worth.quantize(coin)
    if not worth:
        return []
    what: dict[str, Any] = {"kind": "free_product", "skus": list(skus)}
    if not skus:
        what = {"kind": "amount_off", "amount": worth}
    name = name or _("%s off") % format_money(worth, answers.currency)
    said = {"code": FIRST, "status": "live", "name": name, "wallet_type": unit_code,
            "price": answers.reward_units, "worth": worth, "cost": worth}  # fmt: skip
    return [said | what]


def rate(answers: Answers, unit_code: str) -> RateRule:
    """So many units for so much money."""
    return RateRule(
        code="base", name=_("Base rate"), wallet_type=unit_code,
        units=answers.earn_units, per=answers.earn_per,
    )  # fmt: skip


def bonuses(answers: Answers, unit_code: str) -> list[EarningRuleDefinition]:
    """With the first order, and for the birthday, where the answers give any."""
    found: list[EarningRuleDefinition] = []
    if answers.welcome_units:
        found.append(
            NthPurchaseRule(
                code="welcome",
                name=_("Welcome"),
                wallet_type=unit_code,
                kind="nth_purchase",
                number=1,
                units=answers.welcome_units,
            )
        )
    if answers.birthday_units:
        found.append(
            AnniversaryRule(
                code="birthday",
                name=_("Birthday"),
                wallet_type=unit_code,
                kind="occasion",
                day="birthday",
                units=answers.birthday_units,
            )
        )
    return found


def tiers(answers: Answers) -> TiersDefinition | None:
    """A ladder by what is spent, each step with its multiplier."""
    if not answers.tiers:
        return None
    names = codes([tier.name for tier in answers.tiers], "tier")
    return TiersDefinition(
        metric="spend",
        window=answers.tier_window,
        downgrade="none" if answers.tier_window == "lifetime" else "soft_landing",
        tiers=tuple(
            TierDefinition(
                code=code, name=step.name, color=color, icon=icon, threshold=step.threshold,
                benefits=tuple(_tier_benefits(answers, number)),
            )
            for number, (code, step, color, icon) in enumerate(
                zip(names, answers.tiers, TIER_COLORS, TIER_ICONS, strict=False)
            )
        ),
    )  # fmt: skip


def _tier_benefits(answers: Answers, number: int) -> Iterator[BenefitDefinition]:
    """What a step has: the more of it, the higher it is."""
    factor = answers.tiers[number].factor
    if factor > 1:
        yield BenefitDefinition(kind="multiplier", factor=factor)
    if number and answers.tier_early_hours:
        yield BenefitDefinition(kind="early_access", hours=answers.tier_early_hours)
    if number == len(answers.tiers) - 1:
        for perk in answers.tier_perks:
            yield BenefitDefinition(kind="custom", name=perk)


def charities(answers: Answers) -> tuple[CharityDefinition, ...]:
    found = codes(answers.charities, "charity")
    return tuple(
        CharityDefinition(code=code, name=name)
        for code, name in zip(found, answers.charities, strict=True)
    )


def discount(answers: Answers, code: str, name: str, **body: Any) -> DiscountRuleDefinition:
    """A discount rule; with `brackets_by` its brackets are those of the answers."""
    if "brackets_by" in body:
        body["brackets"] = tuple(
            DiscountBracket(above=item.above, percent=item.percent) for item in answers.brackets
        )
    return DiscountRuleDefinition(code=code, name=name, **body)


def plan(answers: Answers) -> PlanDefinition:
    """What members pay for, with what it brings."""
    return PlanDefinition(
        code=codes([answers.plan_name], "plan")[0],
        name=answers.plan_name,
        price=answers.plan_price,
        period=answers.plan_period,
        trial_days=answers.plan_trial_days,
        credits=CreditsDefinition(units=answers.plan_credits) if answers.plan_credits else None,
        benefits=tuple(_benefits(answers)),
    )


def _benefits(answers: Answers) -> Iterator[BenefitDefinition]:
    if answers.plan_factor > 1:
        yield BenefitDefinition(kind="multiplier", factor=answers.plan_factor)
    if answers.plan_shipping != "none":
        above = answers.plan_shipping_from if answers.plan_shipping == "from" else None
        yield BenefitDefinition(kind="free_shipping", above=above)
    if answers.plan_early_hours:
        yield BenefitDefinition(kind="early_access", hours=answers.plan_early_hours)
    for perk in answers.plan_perks:
        yield BenefitDefinition(kind="custom", name=perk)


def company_terms(answers: Answers) -> CompanyTerms:
    """What a buyer uses of the company's units without asking, and how soon approvers answer."""
    limits: dict[str, int] = {}
    if answers.company_approval == "always":
        limits = {"most_at_once": 0}
    elif answers.company_approval == "limits":
        limits = {
            "most_at_once": answers.company_at_once,
            "most_in_period": answers.company_in_period,
        }
    return CompanyTerms(
        period=answers.company_period, answer_days=answers.company_answer_days, **limits
    )


def codes(names: tuple[str, ...] | list[str], stem: str) -> list[str]:
    """Short names: of the names where they have letters that fit, else numbered; each once."""
    found: list[str] = []
    for number, name in enumerate(names, 1):
        code = slugify(name).strip("-_").replace("_", "-")[:32]
        found.append(code if code and code not in found else f"{stem}-{number}")
    return found
