"""Stamp cards: by visit, by item, or by what is spent. A full card brings something free."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from loyalty.definitions import ProgramDefinition
from loyalty.program_templates import parts
from loyalty.program_templates.answers import Answers
from loyalty.program_templates.kinds import ProgramTemplate
from loyalty.program_templates.points import LASTING, NAMES
from loyalty.rule_definitions import StampsRule

FREE = {"unit_singular": "free item", "unit_plural": "free items", "unit_icon": "gift",
        "reward_units": 1, "reward_worth": 5, "pending_days": 0}  # fmt: skip
WORDS = {
    "reward_worth": (_("What is one of them worth in money?"), _("What it costs in the shop.")),
    "unit_singular": (_("What does a full card bring?"), _("A free coffee, a free wash.")),
    "unit_plural": (_("And several of them?"), _("Free coffees, free washes.")),
}


def _card(per: Literal["visit", "quantity", "money"]) -> Callable[[Answers], ProgramDefinition]:
    def make(answers: Answers) -> ProgramDefinition:
        return parts.program(
            answers,
            gettext("A card that fills up with stamps; a full one brings something free."),
            wallet_types=(parts.unit(answers, "rewards"),),
            earning_rules=(
                StampsRule(
                    code="card", name=gettext("Stamp card"), wallet_type="rewards", kind="stamps",
                    stamp_per=per, each=answers.stamp_each, full_at=answers.stamps,
                    units=answers.card_units,
                ),
            ),
            rewards=parts.first_reward(
                answers, "rewards", name=capfirst(answers.unit_singular),
                skus=answers.reward_skus,
            ),
        )  # fmt: skip

    return make


TEMPLATES = (
    ProgramTemplate(
        code="stamps-visit",
        name=_("Stamp card by visit"),
        summary=_("A stamp for each order; a full card brings something free."),
        suits=_("Cafés, hairdressers, car washes: visits of about the same value."),
        icon="rubber-stamp",
        family="stamps",
        asks=("stamps", "card_units", *NAMES, "reward_worth", "reward_skus", *LASTING),
        starter=("stamps", "unit_singular"),
        make=_card("visit"),
        defaults={**FREE, "stamps": 10},
        words=WORDS,
    ),
    ProgramTemplate(
        code="stamps-item",
        name=_("Stamp card by item"),
        summary=_("A stamp for each item: buy nine, and the tenth is free."),
        suits=_("Shops that sell one thing over and over: coffee, bread, pet food."),
        icon="stack-2",
        family="stamps",
        asks=(
            "stamps", "stamp_each", "card_units", *NAMES, "reward_worth", "reward_skus", *LASTING,
        ),
        starter=("stamps", "unit_singular"),
        make=_card("quantity"),
        defaults={**FREE, "stamps": 9},
        words={
            **WORDS, "stamp_each": (_("How many items bring one stamp?"), _("Usually one.")),
        },
    ),
    ProgramTemplate(
        code="stamps-amount",
        name=_("Stamp card by amount"),
        summary=_("A stamp for each so much spent, so that larger orders fill the card sooner."),
        suits=_("Shops with orders of very different value that like a card to fill."),
        icon="receipt",
        family="stamps",
        asks=(
            "stamps", "stamp_each", "card_units", *NAMES, "reward_worth", "reward_skus", *LASTING,
        ),
        starter=("stamps", "stamp_each"),
        make=_card("money"),
        defaults={**FREE, "stamps": 10, "stamp_each": 10},
        words={
            **WORDS,
            "stamp_each": (_("How much spent brings one stamp?"),
                           _("Whole ones of each order count.")),
        },
        money=("stamp_each",),
    ),
)  # fmt: skip
