"""Several kinds in one program: cashback with tiers, points for purchases and actions."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from loyalty.definitions import ActivityTypeDefinition, ProgramDefinition
from loyalty.program_templates import parts
from loyalty.program_templates.answers import Answers
from loyalty.program_templates.cashback import CREDIT, MONEY, USE, WORDS, credit, percentage
from loyalty.program_templates.kinds import ProgramTemplate
from loyalty.program_templates.points import EARNING, LASTING, NAMES, REWARD
from loyalty.rule_definitions import ActivityRule


def _cashback_tiers(answers: Answers) -> ProgramDefinition:
    return parts.program(
        answers,
        gettext("A part of the price comes back, and more of it the higher the tier."),
        wallet_types=(credit(answers),),
        earning_rules=(percentage(answers, percent=answers.percent),),
        tiers=parts.tiers(answers),
    )


def _points_actions(answers: Answers) -> ProgramDefinition:
    actions = tuple(
        ActivityRule(
            code=f"for-{item.activity}"[:64], name=item.name, wallet_type="points",
            kind="activity", activity=item.activity, units=item.units,
        )
        for item in answers.actions
    )  # fmt: skip
    return parts.program(
        answers,
        gettext("Members collect for what they buy, and for what they do besides."),
        wallet_types=(parts.unit(answers, "points"),),
        activity_types=tuple(
            ActivityTypeDefinition(code=item.activity, name=item.name) for item in answers.actions
        ),
        earning_rules=(
            parts.rate(answers, "points"), *parts.bonuses(answers, "points"), *actions,
        ),
        rewards=parts.first_reward(answers, "points"),
    )  # fmt: skip


TEMPLATES = (
    ProgramTemplate(
        code="cashback-tiers",
        name=_("Cashback with tiers"),
        summary=_("A percentage comes back, and more of it for those who spend more in a year."),
        suits=_("Shops that compete on price and still want to keep their best customers."),
        icon="medal",
        family="hybrid",
        asks=("percent", "tiers", "tier_window", *USE, *LASTING),
        starter=("percent", "tiers"),
        make=_cashback_tiers,
        defaults={
            **CREDIT, "percent": 2,
            "tiers": (
                {"name": "Bronze"},
                {"name": "Silver", "threshold": 500, "factor": Decimal("1.5")},
                {"name": "Gold", "threshold": 1500, "factor": 2},
            ),
        },
        words=WORDS,
        money=MONEY,
    ),
    ProgramTemplate(
        code="points-actions",
        name=_("Points for buying and doing"),
        summary=_("Points for orders, and for reviews, surveys and a profile that is complete."),
        suits=_("Brands that live on what customers say of them, and online shops."),
        icon="message-star",
        family="hybrid",
        asks=("actions", *NAMES, *EARNING, *REWARD, *LASTING),
        starter=("earn_units", "actions"),
        make=_points_actions,
        defaults={
            "reward_units": 100, "reward_worth": 5, "welcome_units": 50, "birthday_units": 50,
            "actions": (
                {"activity": "review", "name": _("Review"), "units": 20},
                {"activity": "survey", "name": _("Survey"), "units": 30},
                {"activity": "profile", "name": _("Complete profile"), "units": 50},
            ),
        },
    ),
)  # fmt: skip
