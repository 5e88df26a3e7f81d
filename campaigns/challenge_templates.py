"""Challenges to begin from: what is to be done, how long, what members read. Pure definitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class ChallengeTemplate:
    """`lasts`: so many days from tomorrow on; `said`: what else a definition says."""

    code: str
    label: Promise
    description: Promise
    icon: str
    lasts: int
    title: Promise
    text: Promise
    steps: tuple[Mapping[str, Any], ...]
    said: Mapping[str, Any] = field(default_factory=dict)


_ALL = (
    ChallengeTemplate(
        "spend", _("Spend so much in a month"), _("What members buy is added up."), "coins", 30,
        _("Your monthly challenge"), _("Reach the amount within the month, in as many orders as"
                                       " you like."),
        ({"kind": "spend", "amount": 150},),
    ),
    ChallengeTemplate(
        "visits", _("Come so often"), _("Five orders in a month, say."), "repeat", 30,
        _("Five times is the charm"), _("Order five times, and the bonus is yours."),
        ({"kind": "count", "number": 5},),
    ),
    ChallengeTemplate(
        "items", _("Buy so many of a category"), _("Items of categories or products are counted."),
        "category", 28, _("Collect your favorites"), _("Buy ten of them."),
        ({"kind": "count", "of": "items", "number": 10},),
    ),
    ChallengeTemplate(
        "streak", _("Weeks in a row"), _("An order in each of four weeks, one after the other."),
        "flame", 42, _("Keep the flame"), _("Order in four weeks in a row."),
        ({"kind": "streak", "every": "week", "number": 4},),
        {"badge": _("On fire"), "badge_icon": "flame"},
    ),
    ChallengeTemplate(
        "explorer", _("Discover categories"), _("Something from five different categories."),
        "compass", 30, _("Explorer"), _("Try something from five different categories."),
        ({"kind": "categories", "number": 5},), {"badge": _("Explorer"), "badge_icon": "star"},
    ),
    ChallengeTemplate(
        "collection", _("Complete the collection"), _("Each product, or category, of a list."),
        "puzzle", 60, _("Complete the collection"), _("Buy each of them."),
        ({"kind": "collection", "names": ["A-1", "A-2", "A-3"]},),
        {"badge": _("Collector"), "badge_icon": "trophy"},
    ),
    ChallengeTemplate(
        "welcome", _("The first month as a member"),
        _("Three orders within 30 days of joining, for every new member, without joining in."),
        "door-enter", 365, _("Welcome: your first three orders"),
        _("Order three times in your first 30 days."), ({"kind": "count", "number": 3},),
        {"opt_in": False, "days": 30},
    ),
    ChallengeTemplate(
        "team", _("Together"), _("Teams of five spend together; each gets the bonus."), "users", 30,
        _("Better together"), _("Form a team of up to five, and reach it together."),
        ({"kind": "spend", "amount": 500},), {"team_size": 5},
    ),
    ChallengeTemplate(
        "quest", _("A quest of several steps"), _("Steps one after the other."), "map-2", 42,
        _("The quest"), _("Take one step after the other."),
        ({"kind": "count", "number": 1}, {"kind": "categories", "number": 3},
         {"kind": "spend", "amount": 50, "in_one": True}),
        {"in_order": True, "badge": _("Adventurer"), "badge_icon": "award"},
    ),
)  # fmt: skip
CHALLENGES: Mapping[str, ChallengeTemplate] = {template.code: template for template in _ALL}
UNITS = 100
