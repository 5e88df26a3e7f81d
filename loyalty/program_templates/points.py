"""Points, stars and coins: so many for so much money, with or without tiers; for gifts, and to
give."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from loyalty.definitions import ProgramDefinition
from loyalty.program_templates import parts
from loyalty.program_templates.answers import Answers
from loyalty.program_templates.kinds import ProgramTemplate

NAMES = ("unit_singular", "unit_plural", "unit_icon", "unit_language", "unit_few", "unit_many")
EARNING = ("earn_units", "earn_per", "welcome_units", "birthday_units")
REWARD = ("reward_units", "reward_worth", "spend_step", "spend_share")
LASTING = ("pending_days", "expiry", "expiry_months")
# One rate, one reward: three questions with the name.
STARTER = ("earn_units", "reward_units")
LADDER = (
    {"name": "Bronze"},
    {"name": "Silver", "threshold": 500, "factor": Decimal("1.25")},
    {"name": "Gold", "threshold": 1500, "factor": Decimal("1.5")},
)


def _collecting(unit: str, text: Promise) -> Callable[[Answers], ProgramDefinition]:
    """So many of this unit for what is spent, and whatever else the template asks."""

    def make(answers: Answers) -> ProgramDefinition:
        return parts.program(
            answers,
            str(text),
            wallet_types=(parts.unit(answers, unit),),
            earning_rules=(parts.rate(answers, unit), *parts.bonuses(answers, unit)),
            charities=parts.charities(answers),
            rewards=parts.first_reward(answers, unit),
            tiers=parts.tiers(answers),
        )

    return make


COLLECTED = _("Members collect for what they spend, and use it for rewards.")

TEMPLATES = (
    ProgramTemplate(
        code="points",
        name=_("Points"),
        summary=_("So many points for what is spent; enough of them make a reward."),
        suits=_("Shops where people buy several times a year. The kind that everybody knows."),
        icon="coins",
        family="points",
        asks=(*NAMES, *EARNING, *REWARD, *LASTING),
        starter=STARTER,
        make=_collecting("points", COLLECTED),
        defaults={"reward_units": 100, "reward_worth": 5},
    ),
    ProgramTemplate(
        code="stars",
        name=_("Stars or coins"),
        summary=_("A star, coin or bean of your own for each so much spent. Few are enough."),
        suits=_("Cafés, bakeries, beauty: small orders, often. Small numbers are easy to follow."),
        icon="star",
        family="points",
        asks=(*NAMES, *EARNING, *REWARD, *LASTING),
        starter=("earn_per", "reward_units"),
        make=_collecting("stars", _("A star for so much spent; a few stars make a reward.")),
        defaults={
            "unit_singular": "star", "unit_plural": "stars", "unit_icon": "star", "earn_per": 10,
            "reward_units": 10, "reward_worth": 5, "spend_step": 10,
        },
        words={
            "earn_per": (_("How much spent brings one star?"), _("10 for each ten spent.")),
        },
    ),
    ProgramTemplate(
        code="tiered-points",
        name=_("Points with tiers"),
        summary=_("Points for what is spent, and more of them the more is spent in a year."),
        suits=_("Shops whose best customers buy many times as much as the others."),
        icon="stairs-up",
        family="points",
        asks=(*NAMES, *EARNING, "tiers", "tier_window", *REWARD, *LASTING),
        starter=STARTER,
        make=_collecting("points", COLLECTED),
        defaults={"reward_units": 100, "reward_worth": 5, "tiers": LADDER},
    ),
    ProgramTemplate(
        code="gifts",
        name=_("Save up for gifts"),
        summary=_("Points add up to gifts, or pay a part of an order: up to a share of it."),
        suits=_("Groceries, drugstores, home: steady baskets, and a margin to protect."),
        icon="gift",
        family="gifts",
        asks=(*NAMES, *EARNING, *REWARD, *LASTING),
        starter=("earn_units", "spend_share"),
        make=_collecting(
            "points",
            _("Members save up for gifts, or pay a part of an order with what they saved."),
        ),
        defaults={
            "unit_icon": "gift", "reward_units": 50, "reward_worth": Decimal("0.50"),
            "spend_step": 50, "spend_share": 30, "expiry": "inactivity",
        },
        words={
            "reward_units": (_("From how many can they be used?"),
                             _("So many are the fewest that pay a part of an order.")),
        },
    ),
    ProgramTemplate(
        code="charity",
        name=_("Points to give"),
        summary=_("Members give their points, all or a part, to a charity that you choose."),
        suits=_("Brands that stand for something, and customers who care for it too."),
        icon="heart",
        family="values",
        asks=("charities", *NAMES, *EARNING, *REWARD, *LASTING),
        starter=("earn_units", "charities"),
        make=_collecting(
            "points", _("Members give what they collect, all or a part of it, to a good cause.")
        ),
        defaults={
            "unit_singular": "heart", "unit_plural": "hearts", "unit_icon": "heart",
            "reward_units": 100, "reward_worth": 2, "charities": (_("A charity of your choice"),),
        },
    ),
)  # fmt: skip
