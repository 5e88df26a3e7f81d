"""Cashback: a percentage of the price comes back as credit; flat, by category, by what was spent in
the year."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from loyalty.definitions import ProgramDefinition
from loyalty.program_templates import parts
from loyalty.program_templates.answers import Answers
from loyalty.program_templates.kinds import ProgramTemplate
from loyalty.program_templates.points import LASTING
from loyalty.rule_definitions import CashbackRule
from loyalty.unit_definitions import WalletTypeDefinition

USE = ("reward_units", "spend_step", "spend_share")
CREDIT = {
    "unit_singular": "cashback", "unit_plural": "cashback", "unit_icon": "cash",
    "reward_units": 5, "spend_step": Decimal("0.01"), "pending_days": 14,
}  # fmt: skip
WORDS = {
    "reward_units": (_("From how much can it be used?"), _("The least that pays for an order.")),
    "spend_step": (_("In steps of how much?"), _("0.01: any amount. 5: 5, 10, 15 and so on.")),
}
MONEY = ("reward_units", "spend_step")


def credit(answers: Answers) -> WalletTypeDefinition:
    """A wallet in money: one is worth one of the currency, and has its coins."""
    decimals = min(get_currency_precision(answers.currency), 4)
    return parts.unit(answers, "cashback", worth=Decimal(1), decimals=decimals)


def percentage(answers: Answers, **body: Any) -> CashbackRule:
    return CashbackRule(
        code="cashback", name=gettext("Cashback"), wallet_type="cashback", kind="cashback", **body
    )


def _flat(answers: Answers) -> ProgramDefinition:
    return _program(answers, percentage(answers, percent=answers.percent))


def _by_category(answers: Answers) -> ProgramDefinition:
    categories = tuple(item.model_dump() for item in answers.categories)
    return _program(answers, percentage(answers, percent=answers.percent, by_category=categories))


def _by_spend(answers: Answers) -> ProgramDefinition:
    brackets = tuple(item.model_dump() for item in answers.brackets)
    return _program(answers, percentage(answers, brackets=brackets))


def _program(answers: Answers, rule: CashbackRule) -> ProgramDefinition:
    return parts.program(
        answers,
        gettext("A part of the price comes back as credit for later orders."),
        wallet_types=(credit(answers),),
        earning_rules=(rule,),
    )


TEMPLATES = (
    ProgramTemplate(
        code="cashback",
        name=_("Cashback"),
        summary=_("The same percentage of every order comes back as credit."),
        suits=_("Shops whose customers compare prices, and want to see money, not points."),
        icon="percentage",
        family="cashback",
        asks=("percent", *USE, *LASTING),
        starter=("percent", "reward_units"),
        make=_flat,
        defaults={**CREDIT, "percent": 5},
        words=WORDS,
        money=MONEY,
    ),
    ProgramTemplate(
        code="cashback-by-category",
        name=_("Cashback by category"),
        summary=_("Another percentage for each category: more where your margin is larger."),
        suits=_("Assortments with very different margins, such as electronics and accessories."),
        icon="category",
        family="cashback",
        asks=("percent", "categories", *USE, *LASTING),
        starter=("percent", "categories"),
        make=_by_category,
        defaults={
            **CREDIT, "percent": 1, "categories": ({"category": "Accessories", "percent": 5},),
        },
        words={**WORDS, "percent": (_("How many percent for the rest?"),
                                    _("For all that no category below names."))},
        money=MONEY,
    ),
    ProgramTemplate(
        code="cashback-by-spend",
        name=_("Cashback by spending"),
        summary=_("The more is spent in a year, the larger the percentage of what comes next."),
        suits=_("Shops where people spend a lot over a year: building, travel, business supply."),
        icon="chart-bar",
        family="cashback",
        asks=("brackets", *USE, *LASTING),
        starter=("brackets", "reward_units"),
        make=_by_spend,
        defaults={
            **CREDIT,
            "brackets": ({"above": 0, "percent": 1}, {"above": 500, "percent": 3},
                         {"above": 1500, "percent": 5}),
        },
        words={**WORDS, "brackets": (_("Which percentage above which spending in the year?"),
                                     _("Each is for the part in its bracket."))},
        money=MONEY,
    ),
)  # fmt: skip
