"""Discount cards: members pay less. Nothing is collected, and nothing is owed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from loyalty.definitions import ProgramDefinition
from loyalty.program_templates import parts
from loyalty.program_templates.answers import Answers
from loyalty.program_templates.kinds import ProgramTemplate
from loyalty.unit_definitions import WalletTypeDefinition

BRACKETS = {
    "brackets": (_("Which percentage above how much of an order?"),
                 _("All of the order gets it; exactly the amount belongs to the bracket before.")),
}  # fmt: skip


def _fixed(answers: Answers) -> ProgramDefinition:
    rule = parts.discount(answers, "card", gettext("Discount card"), percent=answers.percent)
    return _program(answers, gettext("Members pay less for every order."), rule)


def _by(
    what: Literal["order", "spent_lifetime"], text: Promise
) -> Callable[[Answers], ProgramDefinition]:
    def make(answers: Answers) -> ProgramDefinition:
        rule = parts.discount(answers, "card", gettext("Discount card"), brackets_by=what)
        return _program(answers, str(text), rule)

    return make


def _program(answers: Answers, description: str, rule: object) -> ProgramDefinition:
    # Every program has a kind of units; as long as no rule gives any, members read nothing of it.
    return parts.program(
        answers, description, wallet_types=(WalletTypeDefinition(),), discount_rules=(rule,)
    )


TEMPLATES = (
    ProgramTemplate(
        code="discount-card",
        name=_("Discount card"),
        summary=_("Members pay the same percentage less for every order."),
        suits=_("Shops that want the simplest of all: show the card, pay less."),
        icon="id-badge-2",
        family="discount",
        asks=("percent",),
        starter=("percent",),
        make=_fixed,
        defaults={"percent": 5},
    ),
    ProgramTemplate(
        code="discount-by-order",
        name=_("Discount by order value"),
        summary=_("Larger orders cost members less, small ones the same as everybody."),
        suits=_("Shops that want larger baskets: delivery, wholesale, food in bulk."),
        icon="discount",
        family="discount",
        asks=("brackets",),
        starter=("brackets",),
        make=_by("order", _("The larger the order, the less members pay.")),
        defaults={"brackets": ({"above": 50, "percent": 5}, {"above": 100, "percent": 10})},
        words=BRACKETS,
    ),
    ProgramTemplate(
        code="discount-by-purchase",
        name=_("Discount card by purchase"),
        summary=_("The card gives 5% to 5,000, 10% to 10,000 and 15% above, say: off the whole"
                  " purchase."),
        suits=_("Furniture, electronics, jewelry: few purchases, and large ones."),
        icon="credit-card",
        family="discount",
        asks=("brackets",),
        starter=("brackets",),
        make=_by("order", _("The card gives more the larger the purchase.")),
        defaults={
            "brackets": ({"above": 0, "percent": 5}, {"above": 5000, "percent": 10},
                         {"above": 10000, "percent": 15}),
        },
        words=BRACKETS,
    ),
    ProgramTemplate(
        code="progressive-card",
        name=_("Progressive discount card"),
        summary=_("The more a member has spent, the larger the percentage off the next order."),
        suits=_("Clothing, cosmetics, hobby: customers who come back for years."),
        icon="stairs-up",
        family="discount",
        asks=("brackets",),
        starter=("brackets",),
        make=_by("spent_lifetime", _("The more was spent before, the less members pay.")),
        defaults={
            "brackets": ({"above": Decimal(0), "percent": 3}, {"above": 500, "percent": 5},
                         {"above": 1500, "percent": 10}),
        },
        words={
            "brackets": (_("Which percentage above how much spent before?"),
                         _("All that the member ever spent before the order.")),
        },
    ),
)  # fmt: skip
