"""Paid plans: a membership that costs something and pays off, credits that come every month, and a
plan beside points that are free for all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from loyalty.definitions import ProgramDefinition
from loyalty.program_templates import parts
from loyalty.program_templates.answers import Answers
from loyalty.program_templates.cashback import credit
from loyalty.program_templates.kinds import ProgramTemplate
from loyalty.program_templates.points import EARNING, LASTING, NAMES, REWARD

FEE = ("plan_name", "plan_price", "plan_period", "plan_trial_days")
BRINGS = ("plan_shipping", "plan_shipping_from", "plan_early_hours", "plan_perks")
EXPIRY = ("expiry", "expiry_months")
# Credits are money: one is worth one of the currency.
CREDITS: dict[str, Any] = {
    "unit_singular": "credit", "unit_plural": "credit", "unit_icon": "cash",
    "reward_units": Decimal("0.01"), "spend_step": Decimal("0.01"),
}  # fmt: skip
MONEY = ("reward_units", "spend_step", "plan_credits")
LESS = (
    _("How many percent less do its members pay?"),
    _("Off every order, as long as they have the plan."),
)


def _membership(answers: Answers) -> ProgramDefinition:
    """Whoever pays has lower prices, and credits where the plan has any."""
    price = parts.discount(
        answers,
        "member-price",
        gettext("Member price"),
        percent=answers.percent,
        when=parts.HAS_PLAN,
    )
    return parts.program(
        answers,
        gettext("Members pay for a plan, and have lower prices and more for it."),
        wallet_types=(credit(answers),),
        discount_rules=(price,),
        plans=(parts.plan(answers),),
    )


def _points_and_plan(answers: Answers) -> ProgramDefinition:
    return parts.program(
        answers,
        gettext("Everybody collects for free; whoever has the plan collects more."),
        wallet_types=(parts.unit(answers, "points"),),
        earning_rules=(parts.rate(answers, "points"), *parts.bonuses(answers, "points")),
        plans=(parts.plan(answers),),
        rewards=parts.first_reward(answers, "points"),
    )


TEMPLATES = (
    ProgramTemplate(
        code="paid-membership",
        name=_("Paid membership"),
        summary=_("Members pay a fee and have lower prices, free shipping and more for it."),
        suits=_("Shops where people buy often and compare prices, or pay for shipping each time."),
        icon="credit-card-pay",
        family="plan",
        asks=(*FEE, "percent", *BRINGS, "plan_credits", *EXPIRY),
        starter=("plan_price", "percent"),
        make=_membership,
        defaults={
            **CREDITS, "plan_price": 49, "plan_period": "year", "plan_trial_days": 30,
            "percent": 10, "plan_shipping": "always",
        },
        words={"percent": LESS},
        money=MONEY,
    ),
    ProgramTemplate(
        code="plan-credits",
        name=_("Monthly credits"),
        summary=_("A fee every month, more than its worth in credit, and lower prices beyond it."),
        suits=_("Coffee, beauty, books, fitness: something that people need every month."),
        icon="calendar-repeat",
        family="plan",
        asks=(*FEE, "plan_credits", "percent", *BRINGS, *EXPIRY),
        starter=("plan_price", "plan_credits"),
        make=_membership,
        defaults={
            **CREDITS, "plan_name": _("Monthly"), "plan_price": 20, "plan_credits": 24,
            "percent": 5, "expiry_months": 3,
        },
        words={
            "percent": LESS,
            "plan_credits": (_("How much credit comes every month?"),
                             _("In money. With every month that is paid for, not on trial.")),
        },
        money=MONEY,
    ),
    ProgramTemplate(
        code="points-plan",
        name=_("Free points and a paid plan"),
        summary=_("Points for everybody; whoever pays for the plan earns more and ships free."),
        suits=_("Shops with points whose best customers would pay for having more of them."),
        icon="stars",
        family="hybrid",
        asks=(*NAMES, *EARNING, *FEE, "plan_factor", "plan_credits", *BRINGS, *REWARD, *LASTING),
        starter=("earn_units", "plan_price"),
        make=_points_and_plan,
        defaults={
            "reward_units": 100, "reward_worth": 5, "plan_price": Decimal("4.90"),
            "plan_trial_days": 14, "plan_factor": 2, "plan_credits": 50, "plan_shipping": "from",
        },
    ),
)  # fmt: skip
