"""Companies: several buyers, one wallet, lower prices for many pieces or for much bought in a year,
and approvers for what is spent."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from loyalty.definitions import ProgramDefinition
from loyalty.program_templates import parts
from loyalty.program_templates.answers import Answers
from loyalty.program_templates.kinds import ProgramTemplate
from loyalty.program_templates.points import LASTING, NAMES, REWARD
from loyalty.rule_definitions import DiscountRuleDefinition
from loyalty.rules.discount_bodies import DiscountBracket

EARNING = ("earn_units", "earn_per")
APPROVAL = (
    "company_approval", "company_at_once", "company_in_period", "company_period",
    "company_answer_days",
)  # fmt: skip
DEFAULTS: dict[str, Any] = {
    "reward_units": 1000,
    "reward_worth": 10,
    "expiry_months": 24,
}


def _bulk(answers: Answers) -> DiscountRuleDefinition:
    return DiscountRuleDefinition(
        code="bulk", name=gettext("Bulk orders"), brackets_by="quantity",
        when=parts.BUYS_FOR_COMPANY,
        brackets=tuple(
            DiscountBracket(above=item.above, percent=item.percent)
            for item in answers.bulk_brackets
        ),
    )  # fmt: skip


def _yearly(answers: Answers) -> DiscountRuleDefinition:
    return parts.discount(
        answers, "yearly", gettext("By what the company buys"), brackets_by="company_year"
    )


def _program(
    rule: Callable[[Answers], DiscountRuleDefinition], text: Promise
) -> Callable[[Answers], ProgramDefinition]:
    def make(answers: Answers) -> ProgramDefinition:
        return parts.program(
            answers,
            str(text),
            wallet_types=(parts.unit(answers, "points"),),
            earning_rules=(parts.rate(answers, "points"),),
            discount_rules=(rule(answers),),
            companies=parts.company_terms(answers),
            rewards=parts.first_reward(answers, "points"),
        )

    return make


TEMPLATES = (
    ProgramTemplate(
        code="companies",
        name=_("Companies, by quantity"),
        summary=_("Buyers of a company collect together, and pay less for many pieces."),
        suits=_("Wholesale and supply: parts, packaging, office. The size of the order counts."),
        icon="building-warehouse",
        family="companies",
        asks=("bulk_brackets", *EARNING, *NAMES, *REWARD, *LASTING, *APPROVAL),
        starter=("earn_units", "bulk_brackets"),
        make=_program(
            _bulk, _("Buyers collect for their company, which pays less for large orders.")
        ),
        defaults={
            **DEFAULTS,
            "bulk_brackets": ({"above": 99, "percent": 5}, {"above": 499, "percent": 8}),
        },
    ),
    ProgramTemplate(
        code="companies-by-spend",
        name=_("Companies, by yearly spending"),
        summary=_("The more a company’s buyers bought in the year, the less it pays for more."),
        suits=_("Supply with accounts that last: crafts, care, gastronomy, agencies."),
        icon="building-skyscraper",
        family="companies",
        asks=("brackets", *EARNING, *NAMES, *REWARD, *LASTING, *APPROVAL),
        starter=("earn_units", "brackets"),
        make=_program(
            _yearly,
            _("Buyers collect for their company, which pays less the more it bought in the year."),
        ),
        defaults={
            **DEFAULTS,
            "brackets": ({"above": Decimal(2000), "percent": 2},
                         {"above": 10000, "percent": 5}),
        },
        words={
            "brackets": (_("Which percentage above how much bought in the year?"),
                         _("By all buyers of the company together, before the order.")),
        },
    ),
)  # fmt: skip
