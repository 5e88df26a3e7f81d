"""What may speak for somebody taking advantage of a program: the signals, what each asks for, and
how much it weighs.

A signal is found by facts, each of which has a name ("order:12"). Higher applications add signals
of their own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened: `kind` is that of the row, `id` its key. `at`: when; `place`: where,
    as a store or a source."""

    kind: str
    id: int
    at: dt.datetime
    place: str = ""

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class Limit:
    """A number from which on a signal is one. Its name is what policies call it."""

    name: str
    label: Text
    usual: int
    low: int = 1
    high: int = 1_000


@dataclass(frozen=True, slots=True)
class Signal:
    """`weight`: how many of 100 it adds, if a merchant says nothing else; `reason` is told with
    what was found, by the names of its placeholders and `n`, how many facts there are."""

    key: str
    label: Text
    meaning: Text
    weight: int
    limits: tuple[Limit, ...]
    reason: Any  # a lazy plural


# The facts of a signal of each of these members since then, by the key of the membership. Called
# with the memberships, whose customers are there; a constant number of queries.
Source = Callable[[Sequence[Any], dt.datetime, dt.datetime], Mapping[int, Sequence[Fact]]]

DUPLICATES = Signal(
    "duplicates",
    _("Duplicate accounts"),
    _("Other members of the program look like the same person."),
    20,
    (Limit("least", _("From how many other accounts on"), 1, high=20),),
    ngettext_lazy(
        "%(n)s other member looks like the same person.",
        "%(n)s other members look like the same person.",
        "n",
    ),
)
BONUS_FARMING = Signal(
    "bonus_farming",
    _("Sign-up bonus taken several times"),
    _("Accounts that look like one person each took what joining brings."),
    45,
    (Limit("least", _("From how many accounts with the bonus on"), 2, low=2, high=20),),
    ngettext_lazy(
        "%(n)s account that looks like one person took the bonus for joining.",
        "%(n)s accounts that look like one person each took the bonus for joining.",
        "n",
    ),
)
RETURNS = Signal(
    "returns",
    _("Many returns"),
    _("Much more of what they buy comes back than is usual in the shop."),
    30,
    (
        Limit("least", _("From how many returned orders on"), 4, high=100),
        Limit("percent", _("From which share of their orders on, in percent"), 50, high=100),
        Limit("times", _("And so many times the share that is usual"), 3, high=50),
    ),
    ngettext_lazy(
        "%(n)s of %(orders)s orders came back: %(percent)s%%, where %(usual)s%% are usual.",
        "%(n)s of %(orders)s orders came back: %(percent)s%%, where %(usual)s%% are usual.",
        "n",
    ),
)
RETURNS_AFTER_SPENDING = Signal(
    "returns_after_spending",
    _("Returns after spending"),
    _("Orders came back once what they had earned was spent."),
    35,
    (Limit("least", _("From how many such orders on"), 2, high=100),),
    ngettext_lazy(
        "%(n)s order came back after what it had earned was spent.",
        "%(n)s orders came back after what they had earned was spent.",
        "n",
    ),
)
SHARING = Signal(
    "sharing",
    _("Shared account"),
    _(
        "One account is used in several stores within a time in which nobody goes from one to the "
        "other."
    ),
    25,
    (
        Limit("stores", _("From how many stores in a day on"), 4, low=2, high=50),
        Limit("minutes", _("Or two stores within so many minutes"), 10, low=0, high=600),
    ),
    ngettext_lazy(
        "%(n)s order in %(stores)s stores, too close in time for one person.",
        "%(n)s orders in %(stores)s stores, too close in time for one person.",
        "n",
    ),
)
VELOCITY = Signal(
    "velocity",
    _("Unusually fast"),
    _("More orders, activities or redemptions in a short time than people come to."),
    25,
    (
        Limit("orders_hour", _("Most orders in an hour"), 4, low=2),
        Limit("orders_day", _("Most orders in 24 hours"), 8, low=2),
        Limit("redemptions_day", _("Most redemptions in 24 hours"), 8, low=2),
        Limit("activities_hour", _("Most activities in an hour"), 20, low=2),
    ),
    ngettext_lazy(
        "%(n)s thing in a short time: orders, redemptions or activities.",
        "%(n)s orders, redemptions or activities in a short time.",
        "n",
    ),
)
BOTS = Signal(
    "bots",
    _("Done by a machine"),
    _("Many joined in the same way within seconds, or one did much within seconds."),
    40,
    (
        Limit("joined", _("From how many who joined together on"), 10, low=3),
        Limit("activities", _("Or from how many activities on"), 6, low=3),
        Limit("seconds", _("Within so many seconds"), 10, high=300),
    ),
    ngettext_lazy(
        "%(n)s thing in %(seconds)s seconds: members who joined in the same way, or activities.",
        "%(n)s things in %(seconds)s seconds: members who joined in the same way, or activities.",
        "n",
    ),
)
ADJUSTMENTS = Signal(
    "adjustments", _("Many adjustments"),
    _("Units were given by hand, or asked for, unusually often."), 15,
    (Limit("least", _("From how many adjustments on"), 5, low=2),),
    ngettext_lazy(
        "Units were given or asked for by hand %(n)s time.",
        "Units were given or asked for by hand %(n)s times.", "n",
    ),
)  # fmt: skip

_signals: dict[str, Signal] = {
    signal.key: signal
    for signal in (
        DUPLICATES, BONUS_FARMING, RETURNS, RETURNS_AFTER_SPENDING, SHARING, VELOCITY, BOTS,
        ADJUSTMENTS,
    )
}  # fmt: skip
_sources: dict[str, Source] = {}


def register_risk_signal(signal: Signal, source: Source) -> None:
    """Add a signal that is found from so many facts (its limit `least`) on; again replaces it."""
    _signals[signal.key] = signal
    _sources[signal.key] = source


def risk_signals() -> list[Signal]:
    """All there are, in the order in which they are told."""
    return list(_signals.values())


def risk_signal(key: str) -> Signal | None:
    return _signals.get(key)


def registered_sources() -> dict[str, Source]:
    return dict(_sources)
