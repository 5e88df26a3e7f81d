"""Nothing off the price: status that is seen, events, what opens early, and a library."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from loyalty.definitions import ProgramDefinition
from loyalty.program_templates import parts
from loyalty.program_templates.answers import Answers
from loyalty.program_templates.kinds import ProgramTemplate
from loyalty.program_templates.points import LASTING, NAMES

EARNING = ("earn_units", "earn_per", "welcome_units")
EVENT = ("event_name", "event_on", "event_place", "event_seats", "event_units")
CONTENT = ("content_title", "content_link", "content_units")
BEGINS, LASTS = dt.time(18), dt.timedelta(hours=2)
AHEAD = dt.timedelta(weeks=8)


def in_eight_weeks() -> dt.date:
    """Far enough ahead to invite people."""
    return timezone.localdate() + AHEAD


def _experience(answers: Answers) -> dict[str, Any]:
    return {
        "code": parts.FIRST, "kind": "experience", "status": "live",
        "name": answers.experience_name, "wallet_type": "points", "price": answers.reward_units,
    }  # fmt: skip


def _event(answers: Answers) -> list[dict[str, Any]]:
    """A seat at the first one, if there is a day for it."""
    if answers.event_on is None:
        return []
    begins = dt.datetime.combine(answers.event_on, BEGINS, ZoneInfo(answers.time_zone))
    seat = {"place": answers.event_place, "starts_at": begins, "ends_at": begins + LASTS}
    return [{
        "code": "event", "kind": "event_seat", "status": "live", "name": answers.event_name,
        "wallet_type": "points", "price": answers.event_units, "stock": answers.event_seats,
        "ends_at": begins, "event": seat,
    }]  # fmt: skip


def _content(answers: Answers) -> list[dict[str, Any]]:
    """What is first in the library, if there is an address of it."""
    if not answers.content_link:
        return []
    item = {"code": "first", "title": answers.content_title, "status": "live",
            "link": answers.content_link}  # fmt: skip
    return [{
        "code": "library", "kind": "content", "status": "live", "name": answers.content_title,
        "wallet_type": "points", "price": answers.content_units, "content": item,
    }]  # fmt: skip


def _make(answers: Answers) -> ProgramDefinition:
    post = {"title": gettext("Behind the scenes"),
            "teaser": gettext("What only members read.")}  # fmt: skip
    return parts.program(
        answers,
        gettext("Members collect for what cannot be bought, and are seen for it."),
        wallet_types=(parts.unit(answers, "points"),),
        earning_rules=(parts.rate(answers, "points"), *parts.bonuses(answers, "points")),
        tiers=parts.tiers(answers),
        rewards=[_experience(answers), *_event(answers), *_content(answers)],
        posts=[post],
    )


TEMPLATES = (
    ProgramTemplate(
        code="experiences",
        name=_("Experiences and recognition"),
        summary=_("Status, events, early access and a library: nothing comes off the price."),
        suits=_("Brands with a story, whose customers want to belong more than to save."),
        icon="confetti",
        family="experiences",
        asks=(
            "reward_units", "experience_name", *EVENT, *CONTENT, "tiers", "tier_window",
            "tier_early_hours", "tier_perks", *NAMES, *EARNING, *LASTING,
        ),
        starter=("experience_name", "event_name"),
        make=_make,
        defaults={
            "reward_units": 500, "reward_worth": 0, "welcome_units": 100,
            "experience_name": _("A look behind the scenes"),
            "event_name": _("Members’ evening"), "event_on": in_eight_weeks,
            "event_place": _("In our shop"), "content_title": _("The first chapter"),
            "tier_early_hours": 48,
            "tier_perks": (_("A line of your own to call"), _("Your name on our wall")),
            "tiers": (
                {"name": _("Friend")}, {"name": _("Insider"), "threshold": 500},
                {"name": _("Ambassador"), "threshold": 1500},
            ),
        },
        words={
            "reward_units": (_("What does the first experience cost?"),
                             _("So many have to be collected before any can be used.")),
            "tiers": (_("Which tiers are there?"),
                      _("The first is everybody’s, from 0. 1× earns the same in all of them.")),
        },
    ),
)  # fmt: skip
