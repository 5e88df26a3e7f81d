"""Programs that do good: the merchant gives to a charity for what members do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from loyalty.definitions import ActivityTypeDefinition, ProgramDefinition
from loyalty.giving_definitions import CharityDefinition, PledgeDefinition
from loyalty.program_templates import parts
from loyalty.program_templates.answers import Answers
from loyalty.program_templates.kinds import ProgramTemplate
from loyalty.program_templates.points import LASTING, NAMES, REWARD
from loyalty.program_templates.referrals import referral_terms
from loyalty.ready_activities import REFERRAL

EARNING = ("earn_units", "earn_per")
PLEDGE = (
    "charity_name", "charity_icon", "thing_singular", "thing_plural", "thing_price",
    "pledge_event", "pledge_things", "pledge_least", "pledge_budget",
)  # fmt: skip


def _pledge(answers: Answers, charity: CharityDefinition) -> PledgeDefinition:
    names = {
        "order": gettext("%s for each order"), "member": gettext("%s for each new member"),
        "friend": gettext("%s for each friend"),
    }  # fmt: skip
    said: dict[str, Any] = {"event": answers.pledge_event}
    if answers.pledge_event == "friend":
        said = {"event": "activity", "activity_type": REFERRAL}
    elif answers.pledge_event == "order" and answers.pledge_least:
        said |= {"least": answers.pledge_least}
    one = answers.pledge_things == 1
    things = answers.thing_singular if one else answers.thing_plural
    amount = things if one else f"{answers.pledge_things.normalize():f} {things}"
    return PledgeDefinition(
        code=f"for-each-{answers.pledge_event}", charity=charity.code, status="live",
        name=capfirst(names[answers.pledge_event] % amount), things=answers.pledge_things,
        budget=answers.pledge_budget or None, **said,
    )  # fmt: skip


def _friends(answers: Answers) -> Mapping[str, Any]:
    """What makes members bring friends, so that there is something to give for."""
    if answers.pledge_event != "friend":
        return {}
    known = ActivityTypeDefinition(code=REFERRAL, name=gettext("A friend who was brought"))
    return {"activity_types": (known,), "referrals": referral_terms(answers)}


def _make(answers: Answers) -> ProgramDefinition:
    [code] = parts.codes([answers.charity_name], "charity")
    charity = CharityDefinition(
        code=code, name=answers.charity_name, icon=answers.charity_icon,
        thing_singular=answers.thing_singular, thing_plural=answers.thing_plural,
        thing_price=answers.thing_price,
    )  # fmt: skip
    return parts.program(
        answers,
        gettext("We give for what members do, and members can give what they collect."),
        wallet_types=(parts.unit(answers, "points", to_charities=True),),
        earning_rules=(parts.rate(answers, "points"),),
        charities=(charity,),
        pledges=(_pledge(answers, charity),),
        rewards=parts.first_reward(answers, "points"),
        **_friends(answers),
    )


TEMPLATES = (
    ProgramTemplate(
        code="pledge",
        name=_("A good deed for each order"),
        summary=_("You plant a tree for each order or friend, and members see what came of it."),
        suits=_("Brands whose customers ask what becomes of the world, and tell their friends."),
        icon="plant-2",
        family="values",
        asks=(*PLEDGE, "friend_units", *NAMES, *EARNING, *REWARD, *LASTING),
        starter=("charity_name", "earn_units"),
        make=_make,
        defaults={
            "charity_name": _("A charity of your choice"), "thing_singular": _("tree"),
            "thing_plural": _("trees"), "friend_gift": "units", "friend_units": 50,
            "unit_singular": "leaf", "unit_plural": "leaves", "unit_icon": "heart",
            "reward_units": 200, "reward_worth": 5,
        },
        words={
            "friend_units": (_("How many units does a friend get who was brought?"),
                             _("Counts where you give for friends: with their first order.")),
        },
    ),
)  # fmt: skip
