"""Members bring friends: both have something of it, once the friend has bought and keeps it."""

from __future__ import annotations

from typing import Any, Literal

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from loyalty.definitions import ProgramDefinition
from loyalty.program_templates import parts
from loyalty.program_templates.answers import Answers
from loyalty.program_templates.kinds import ProgramTemplate
from loyalty.program_templates.points import EARNING, LASTING, NAMES, REWARD

FRIENDS = (
    "advocate_gift", "advocate_units", "advocate_percent", "friend_gift", "friend_units",
    "friend_percent", "further_percent", "further_months", "friend_least", "friend_wait_days",
)  # fmt: skip


def referral_terms(answers: Answers) -> list[dict[str, Any]]:
    """What both sides get. `ProgramReferrals` of the campaigns reads it."""
    body: dict[str, Any] = {
        "advocate": _gift(answers, "advocate"), "friend": _gift(answers, "friend"),
        "wait_days": answers.friend_wait_days,
    }  # fmt: skip
    if answers.friend_least:
        body["least"] = answers.friend_least
    if answers.further_percent:
        share = {"percent": answers.further_percent, "months": answers.further_months}
        body["advocate_further"] = share
    return [{"state": "live", "body": body}]


def _gift(answers: Answers, side: Literal["advocate", "friend"]) -> dict[str, Any]:
    kind = getattr(answers, f"{side}_gift")
    match kind:
        case "units" | "percent":
            return {"kind": kind, kind: getattr(answers, f"{side}_{kind}")}
        case "reward":
            return {"kind": kind, "reward": parts.FIRST}
    return {}


def _make(answers: Answers) -> ProgramDefinition:
    return parts.program(
        answers,
        gettext("Members collect for what they buy, and more for friends whom they bring."),
        wallet_types=(parts.unit(answers, "points"),),
        earning_rules=(parts.rate(answers, "points"), *parts.bonuses(answers, "points")),
        rewards=parts.first_reward(answers, "points"),
        referrals=referral_terms(answers),
    )


TEMPLATES = (
    ProgramTemplate(
        code="referrals",
        name=_("Members bring friends"),
        summary=_("Both sides get something: a part of the first purchase, so many, or a reward."),
        suits=_("Shops that people recommend anyway, with customers who are worth winning."),
        icon="user-plus",
        family="referrals",
        asks=(*FRIENDS, *NAMES, *EARNING, *REWARD, *LASTING),
        starter=("advocate_percent", "friend_units"),
        make=_make,
        defaults={
            "reward_units": 100, "reward_worth": 5, "advocate_gift": "percent",
            "advocate_percent": 10, "friend_gift": "units", "friend_units": 100,
        },
    ),
)  # fmt: skip
